"""The member's Job: golden files for whole manifests, and what each rule of it is for."""

import json
import os
from dataclasses import replace
from typing import Any

import pytest
import yaml

from places import ROOT
from remote_content import content
from remote_specs import (
    CASES,
    ascend_plain,
    ascend_volcano,
    cpu_only,
    gang,
    kueue,
    one_gpu,
    remote_spec,
    sweep,
)
from sampan.api.launch.dependents import dependents, owned
from sampan.api.launch.manifest import LABEL_QUEUE, in_queue, job_manifest, start_patch
from sampan.api.launch.remote_job import RemoteJobSpec
from sampan.model.values import names

GOLDEN = ROOT / "tests" / "golden" / "manifests"
OWNER_UID = "00000000-0000-4000-8000-000000000001"


def _rendered(c: RemoteJobSpec) -> str:
    others = [owned(d, owner_name=c.name, owner_uid=OWNER_UID) for d in dependents(c, content(c))]
    plain = json.loads(json.dumps([job_manifest(c), *others]))  # no YAML anchors for values that are shared in memory
    return yaml.safe_dump_all(plain, sort_keys=False, width=120)


@pytest.mark.parametrize("name", CASES)
def test_golden(name: str) -> None:
    """Every change of what members receive shows in review; UPDATE_GOLDEN=1 writes the files anew."""
    path, want = GOLDEN / f"{name}.yaml", _rendered(CASES[name])
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(want)
    assert path.read_text() == want


def test_no_golden_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.glob("*.yaml")} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_manifest_is_json_and_the_same_twice(name: str) -> None:
    first, second = job_manifest(CASES[name]), job_manifest(CASES[name])
    assert json.dumps(first) == json.dumps(second)


@pytest.mark.parametrize("name", CASES)
def test_job_and_pods_are_ours_by_label_and_never_expire(name: str) -> None:
    c = CASES[name]
    job = job_manifest(c)
    want = names.remote_labels(hub_id=c.hub_id, job_uid=c.job_uid, attempt=c.attempt)
    queue = {LABEL_QUEUE: c.queue} if c.queue else {}
    assert job["metadata"]["labels"] == {**want, **queue}
    assert job["spec"]["template"]["metadata"]["labels"] == {**want, **dict(c.launch.pod_labels)}
    assert job["metadata"]["name"] == names.remote_name(c.hub_id, c.job_uid)
    assert "ttlSecondsAfterFinished" not in job["spec"]
    assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never"


def test_attempts_share_the_name_and_differ_in_their_label() -> None:
    first, second = job_manifest(remote_spec(_spec(), attempt=1)), job_manifest(remote_spec(_spec(), attempt=2))
    assert first["metadata"]["name"] == second["metadata"]["name"]
    assert (first["metadata"]["labels"][names.LABEL_ATTEMPT], second["metadata"]["labels"][names.LABEL_ATTEMPT]) == ("1", "2")


def test_gang_fails_whole_and_tells_a_disruption_apart() -> None:
    spec = job_manifest(gang())["spec"]
    assert (spec["completions"], spec["parallelism"], spec["backoffLimit"]) == (2, 2, 0)
    assert [rule["action"] for rule in spec["podFailurePolicy"]["rules"]] == ["FailJob"]
    assert "backoffLimitPerIndex" not in spec


def test_sweep_members_fail_each_for_itself() -> None:
    spec = job_manifest(sweep())["spec"]
    assert (spec["completions"], spec["parallelism"], spec["backoffLimitPerIndex"]) == (20, 5, 2)
    assert [rule["action"] for rule in spec["podFailurePolicy"]["rules"]] == ["Ignore"]
    assert "backoffLimit" not in spec


def test_sweep_without_completions_is_as_wide_as_it_runs() -> None:
    spec = job_manifest(remote_spec({**_spec(), "gang": False}, replicas=1))["spec"]
    assert (spec["completions"], spec["parallelism"]) == (1, 1)


@pytest.mark.parametrize(
    ("name", "want"),
    [
        ("cpu-only", False),
        ("one-gpu", False),
        ("sweep", False),
        ("gang-2x8-torchrun", True),
        ("secrets-claims-shm", True),
        ("dra-claim", True),
        ("kueue-queue", True),
    ],
)
def test_suspended_exactly_where_dependents_must_come_first(name: str, want: bool) -> None:
    assert job_manifest(CASES[name])["spec"]["suspend"] is want


def test_deadline_of_the_alternative_comes_before_the_jobs() -> None:
    assert job_manifest(CASES["gang-2x8-torchrun"])["spec"]["activeDeadlineSeconds"] == 14_400
    assert job_manifest(CASES["ascend-alternative"])["spec"]["activeDeadlineSeconds"] == 28_800
    assert "activeDeadlineSeconds" not in job_manifest(cpu_only())["spec"]


def test_annotation_names_the_job_on_the_hub() -> None:
    assert job_manifest(one_gpu())["metadata"]["annotations"] == {"sampan.dev/job": "team-a/eval"}


@pytest.mark.parametrize("bad", ["", "a/b", "A", "a\nb", "-a", "x" * 254])
def test_annotation_takes_no_text_that_is_not_a_name(bad: str) -> None:
    with pytest.raises(ValueError, match="names that Kubernetes accepts"):
        job_manifest(remote_spec(_spec(), job_name=bad))


def test_a_queue_of_the_members_starts_the_job() -> None:
    job = job_manifest(kueue())
    assert job["spec"]["suspend"] is True
    assert in_queue(job["metadata"]["labels"])
    assert not in_queue(job_manifest(one_gpu())["metadata"]["labels"])


def test_what_needs_dependents_enters_the_queue_only_when_they_are_there() -> None:
    waiting = replace(gang(), queue="gpu")
    assert not in_queue(job_manifest(waiting)["metadata"]["labels"])
    assert start_patch(waiting, "u1") == {"metadata": {"uid": "u1", "labels": {LABEL_QUEUE: "gpu"}}}
    assert start_patch(gang(), "u1") == {"metadata": {"uid": "u1"}, "spec": {"suspend": False}}


def test_volcano_is_told_how_wide_the_gang_is() -> None:
    job = job_manifest(ascend_volcano())
    assert job["metadata"]["annotations"]["scheduling.volcano.sh/group-min-member"] == "2"
    assert job["spec"]["template"]["metadata"]["annotations"]["huawei.com/schedule_minAvailable"] == "2"
    assert "annotations" not in job_manifest(ascend_plain())["spec"]["template"]["metadata"]
    assert set(job_manifest(replace(sweep(), launch=ascend_volcano().launch))["metadata"]["annotations"]) == {"sampan.dev/job"}


def _spec() -> dict[str, Any]:
    return {"template": {"image": "registry.example/a:1"}}
