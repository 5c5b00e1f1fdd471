"""What is done on a member about one copy: by its derived name, by its UID, and never to anybody else's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

import builders as b
from jobs import HUB, binding, record
from sampan.api.launch.manifest import LABEL_QUEUE
from sampan.controller.reconcile.executor import CopyCreator
from sampan.controller.reconcile.job_specs import CopyRejected, PoolGone
from sampan.kube.errors import NotFound, ServerError
from sampan.kube.objects.workloads import Job
from sampan.model.launch import Launch
from sampan.model.members.device import ClaimSource
from sampan.model.status.job_status import JobStatus
from sampan.model.values.names import remote_labels, remote_name
from sampan.model.values.vector import Vector
from unit.controller.fakes import H100_JOB, REMOTE, World, pool, world
from unit.kube.fake_api import replying

CLAIMS = "resource.k8s.io/v1/resourceclaimtemplates"
NAME = remote_name(HUB, "u1")
BINDING = replace(binding(), name=NAME, alternative=0)
LABELS = remote_labels(hub_id=HUB, job_uid="u1", attempt=1)


@asynccontextmanager
async def member() -> AsyncIterator[tuple[World, CopyCreator]]:
    """A member, and what is done there."""
    async with world() as w:
        w.add(spec=H100_JOB)
        yield w, w.reconciler.steps.member.creator


async def put(w: World, name: str = NAME, **labels: str) -> None:
    """Somebody made a Job on the member."""
    w.member.put(REMOTE, {"metadata": {"name": name, "namespace": "sampan-jobs", "labels": labels or LABELS}, "spec": {}})


async def test_a_copy_goes_with_its_pods_and_by_its_uid_alone() -> None:
    async with member() as (w, creator):
        await put(w)
        assert not await creator.remotes.remove(w.link, BINDING, "another-uid")
        assert len(w.member.of(REMOTE)) == 1, "not the one that was meant"
        assert await creator.remotes.remove(w.link, BINDING, w.copy()["metadata"]["uid"])
        assert w.member.of(REMOTE) == []
        assert not await creator.remotes.remove(w.link, BINDING, "gone-already")
        assert {call.body["propagationPolicy"] for call in w.member.calls("DELETE")} == {"Foreground"}


async def test_a_copy_is_told_by_our_labels_or_by_the_uid_that_the_hub_recorded() -> None:
    async with member() as (w, creator):
        assert not creator.remotes.is_copy(await creator.remotes.get(w.link, BINDING), "u1", BINDING)
        await put(w)
        assert creator.remotes.is_copy(await creator.remotes.get(w.link, BINDING), "u1", BINDING)
        w.member.drop(REMOTE, NAME, "sampan-jobs")
        await put(w, app="theirs")
        there = await creator.remotes.get(w.link, BINDING)
        assert there is not None
        assert not creator.remotes.is_copy(there, "u1", BINDING)
        assert creator.remotes.is_copy(there, "u1", replace(BINDING, remote_uid=there.metadata.uid)), "somebody took its labels off"


async def test_pods_are_gone_when_none_carries_hub_and_job() -> None:
    async with member() as (w, creator):
        assert await creator.remotes.pods_gone(w.link, "u1", BINDING)
        w.member.put("v1/pods", {"metadata": {"name": "p", "namespace": "sampan-jobs", "labels": LABELS}})
        assert not await creator.remotes.pods_gone(w.link, "u1", BINDING)
        w.member.put("v1/pods", {"metadata": {"name": "p", "namespace": "sampan-jobs", "labels": LABELS}, "spec": 7})
        assert not await creator.remotes.pods_gone(w.link, "u1", BINDING), "one that cannot be read is there all the same"
        w.member.drop("v1/pods", "p", "sampan-jobs")
        w.member.put("v1/pods", {"metadata": {"name": "q", "namespace": "sampan-jobs", "labels": {**LABELS, "sampan.dev/hub": "another"}}})
        assert await creator.remotes.pods_gone(w.link, "u1", BINDING), "another hub's pod is not ours"


async def test_a_member_that_cannot_answer_proves_nothing() -> None:
    async with member() as (w, creator):
        w.member.fault("GET", "/pods", replying(500, "InternalError"))
        with pytest.raises(ServerError):
            await creator.remotes.pods_gone(w.link, "u1", BINDING)


async def test_a_sweep_takes_only_what_carries_hub_and_job() -> None:
    async with member() as (w, creator):
        others = {"hub": {**LABELS, "sampan.dev/hub": "other"}, "job": {**LABELS, "sampan.dev/job-uid": "u2"}, "none": {}}
        for kind in ("pods", "services", "configmaps", "secrets"):
            for name, labels in (("ours", LABELS), *others.items()):
                w.member.put(f"v1/{kind}", {"metadata": {"name": name, "namespace": "sampan-jobs", "labels": labels}})
        await creator.remotes.sweep(w.link, "u1", BINDING)
        for kind in ("pods", "services", "configmaps", "secrets"):
            assert [item["metadata"]["name"] for item in w.member.of(f"v1/{kind}")] == list(others)


async def test_policies_of_gangs_are_swept_where_the_hub_may_make_them() -> None:
    async with member() as (w, creator):
        kind = "networking.k8s.io/v1/networkpolicies"
        w.member.put(kind, {"metadata": {"name": "ours", "namespace": "sampan-jobs", "labels": LABELS}})
        await creator.remotes.sweep(w.link, "u1", BINDING)
        assert len(w.member.of(kind)) == 1
        w.link.isolating = True
        await creator.remotes.sweep(w.link, "u1", BINDING)
        assert not w.member.of(kind)


async def test_ours_needs_both_labels() -> None:
    async with member() as (w, creator):
        for labels, want in (
            (LABELS, True),
            ({**LABELS, "sampan.dev/hub": "x"}, False),
            ({**LABELS, "sampan.dev/job-uid": "x"}, False),
            ({"a": "b"}, False),
        ):
            await put(w, **labels)
            there = await creator.remotes.get(w.link, BINDING)
            assert there is not None
            assert creator.remotes.is_ours(there, "u1") is want
        assert await creator.remotes.get(w.link, replace(BINDING, name="sj-none")) is None


async def test_the_copy_asks_for_the_pools_units_and_the_plans_nodes() -> None:
    async with member() as (w, creator):
        w.state.assume(w.assignment())
        made = await creator.post(w.link, w.state.jobs["u1"], BINDING, pull_secrets=("pull",))
        assert isinstance(made, Job)
        assert w.link.copies.of("u1") == {(1, "sampan-jobs"): made}, "known at once, not only when its event comes"
        spec = w.copy()["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        assert container["resources"]["limits"]["nvidia.com/gpu"] == "8"
        assert spec["imagePullSecrets"] == [{"name": "pull"}]
        assert made.spec.template.spec.affinity.node_affinity.preferred[0].preference.match_expressions[0].values == ["n1.example"]
        again = await creator.post(w.link, w.state.jobs["u1"], BINDING, pull_secrets=())
        assert again is None, "there already: look whose it is"


async def test_nothing_is_made_for_a_pool_that_is_gone() -> None:
    async with member() as (w, creator):
        with pytest.raises(PoolGone):
            await creator.post(w.link, w.state.jobs["u1"], replace(BINDING, pool="gone"), pull_secrets=())
        assert not w.member.seen


async def test_an_optional_config_map_may_lack() -> None:
    async with member() as (_, creator):
        volume = {"name": "v", "configMap": {"name": "settings", "optional": True}}
        image = {"image": "registry.example/a:1"}
        await creator.specs.check_dependencies(record(spec={"template": {**image, "volumes": [volume]}}), None)
        volume["configMap"] = {"name": "settings"}
        with pytest.raises(CopyRejected) as caught:
            await creator.specs.check_dependencies(record(spec={"template": {**image, "volumes": [volume]}}), None)
        assert caught.value.reason == "ConfigMapNotFound"
        assert "settings" in caught.value.message
        assert "team-a" in caught.value.message


async def test_a_longer_deadline_is_for_this_very_copy() -> None:
    async with member() as (w, creator):
        await put(w)
        copy = await creator.remotes.get(w.link, BINDING)
        assert copy is not None
        await creator.remotes.extend(w.link, BINDING, copy, seconds=600)
        assert w.copy()["spec"]["activeDeadlineSeconds"] == 600
        assert w.member.calls("PATCH")[0].body["metadata"]["uid"] == copy.metadata.uid


@asynccontextmanager
async def on_pool(**changes: Any) -> AsyncIterator[tuple[World, CopyCreator]]:
    """A member whose pool is as said."""
    async with world() as w:
        w.source.pools = (replace(pool(), **changes),)
        w.add(spec=H100_JOB)
        w.state.assume(w.assignment())
        yield w, w.reconciler.steps.member.creator


async def test_the_pools_recipe_reaches_the_pod() -> None:
    async with on_pool(launch=Launch(scheduler_name="volcano", extra_resources=Vector.of({"rdma/hca": 1}))) as (w, creator):
        await creator.post(w.link, w.state.jobs["u1"], BINDING, pull_secrets=())
        spec = w.copy()["spec"]["template"]["spec"]
        assert spec["schedulerName"] == "volcano"
        assert spec["containers"][0]["resources"]["limits"]["rdma/hca"] == "1"


async def test_devices_by_claim_are_claimed_before_the_start() -> None:
    source = ClaimSource(device_class="gpu.nvidia.com", driver="gpu.nvidia.com")
    async with on_pool(resource="claim:gpu.nvidia.com", claim=source) as (w, creator):
        made = await creator.post(w.link, w.state.jobs["u1"], BINDING, pull_secrets=())
        assert made is not None
        assert made.spec.suspend
        assert "claim:gpu.nvidia.com" not in str(w.copy())
        await creator.remotes.start(w.link, replace(w.state.jobs["u1"], status=JobStatus(binding=BINDING)), made)
        (template,) = w.member.of(CLAIMS)
        assert template["metadata"]["ownerReferences"][0]["uid"] == made.metadata.uid
        assert w.copy()["spec"]["suspend"] is False
        await creator.remotes.sweep(w.link, "u1", BINDING)
        assert w.member.of(CLAIMS) == []


async def test_a_member_without_claims_has_none_to_sweep() -> None:
    async with member() as (w, creator):
        w.member.fault("DELETE", "/resourceclaimtemplates", replying(404, "NotFound"))
        await creator.remotes.sweep(w.link, "u1", BINDING)
        w.member.fault("DELETE", "/services", replying(404, "NotFound"))
        with pytest.raises(NotFound):
            await creator.remotes.sweep(w.link, "u1", BINDING)


async def test_a_queue_of_the_members_lifts_the_suspension_itself() -> None:
    async with on_pool(member_queue="sampan-jobs/gpu") as (w, creator):
        made = await creator.post(w.link, w.state.jobs["u1"], BINDING, pull_secrets=())
        assert made is not None
        assert made.metadata.labels[LABEL_QUEUE] == "gpu"
        assert made.spec.suspend
        await creator.remotes.start(w.link, replace(w.state.jobs["u1"], status=JobStatus(binding=BINDING)), made)
        assert w.copy()["spec"]["suspend"] is True, "Kueue's to lift"


async def test_a_share_that_cannot_be_asked_for_is_no_whole_card() -> None:
    async with world() as w:
        w.source.pools = (replace(pool(), resource="cambricon.com/vmlu"),)
        part = {"class": b.H100, "count": 1, "share": {"memory": "8Gi"}}
        w.add(spec={"alternatives": [{"accelerator": part}]})
        with pytest.raises(CopyRejected, match="LaunchNotPossible"):
            await w.reconciler.steps.member.creator.post(w.link, w.state.jobs["u1"], BINDING, pull_secrets=())
        assert not w.member.of(REMOTE)
