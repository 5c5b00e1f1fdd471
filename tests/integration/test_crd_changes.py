"""What may change on our custom resources and what may not, and how kubectl sees them, on a real API server."""

from collections.abc import Iterator
from typing import Any

import pytest

from integration.crd_objects import JOB, OFFER, Json, with_value
from integration.crd_server import Server, collection, path_of
from integration.support import PATIENCE

pytestmark = pytest.mark.integration

BINDING = {
    "offer": {"namespace": "prov-a", "name": "lingang"},
    "clusterUID": "6b1c3c2e-0000-4000-8000-000000000000",
    "attempt": 1,
    "pool": "h100-x8",
    "boundAt": "2026-11-22T00:00:00Z",
}


@pytest.fixture(scope="module")
def server(bare_api: Any) -> Server:
    """Return the API server with our CRDs."""
    return Server(bare_api.client())


@pytest.fixture
def job(server: Server) -> Iterator[Json]:
    """Return a job that exists."""
    made = server.create(JOB)
    assert made.status == 201, made.message
    yield made.body
    server.remove(JOB)


@pytest.fixture
def offer(server: Server) -> Iterator[Json]:
    """Return an offer that exists."""
    made = server.create(OFFER)
    assert made.status == 201, made.message
    yield made.body
    server.remove(OFFER)


SETTLED = {"bound": {"phase": "Bound", "binding": BINDING}, "finished": {"phase": "Succeeded"}}
FIXED = {
    "33-image": ("template", "spec.template.image", "registry.example/other:2"),
    "34-policy": ("policy", "spec.policy", "cheap"),
    "35-deadline-lowered": ("activeDeadlineSeconds", "spec.activeDeadlineSeconds", 150),
    "35-deadline-removed": ("activeDeadlineSeconds", "spec.activeDeadlineSeconds", None),
    "placement": ("placement", "spec.placement", None),
    "replicas": ("replicas", "spec.replicas", 3),
    "retry": ("retry", "spec.retry.maxRestarts", 5),
    "alternatives": ("alternatives", "spec.alternatives[1]", {"accelerator": {"stack": "cuda", "count": 1}}),
}
FREE = {
    "suspend": ("spec.suspend", True),
    "priority": ("spec.priority", 7),
    "ttl": ("spec.ttlSecondsAfterFinished", 60),
    "longer deadline": ("spec.activeDeadlineSeconds", 300),
}


@pytest.mark.parametrize("state", SETTLED)
@pytest.mark.parametrize("case", FIXED)
def test_a_bound_or_finished_job_keeps_its_spec(server: Server, job: Json, state: str, case: str) -> None:
    word, path, value = FIXED[case]
    assert server.replace(with_value(job, path, value), query="dryRun=All").status == 200, "free before binding"
    assert server.patch(job, {"status": SETTLED[state]}, part="/status").status == 200
    answer = server.replace(with_value(job, path, value), query="dryRun=All")
    assert answer.status == 422
    assert word in answer.message


@pytest.mark.parametrize("part", ["", "/status"])
def test_a_phase_sent_along_with_another_spec_lets_none_through(server: Server, job: Json, part: str) -> None:
    """A phase that changes tells the rule that the spec does not: true only because an API server takes one of the two from a write."""
    assert server.patch(job, {"status": SETTLED["bound"]}, part="/status").status == 200
    answer = server.patch(job, {"spec": {"policy": "cheap"}, "status": {"phase": "Running"}}, part=part)
    now = server.send("GET", path_of(job)).body
    assert (answer.status, now["spec"]["policy"]) == (200 if part else 422, job["spec"]["policy"])
    assert now["status"]["phase"] == ("Running" if part else "Bound")


@pytest.mark.parametrize("state", SETTLED)
@pytest.mark.parametrize("case", FREE)
def test_what_may_change_after_binding(server: Server, job: Json, state: str, case: str) -> None:
    assert server.patch(job, {"status": SETTLED[state]}, part="/status").status == 200
    answer = server.replace(with_value(job, *FREE[case]), query="dryRun=All")
    assert answer.status == 200, answer.message


@pytest.mark.parametrize("state", ["bound by it", "bound by another", "waiting"])
def test_a_deadline_that_does_not_count_cannot_be_raised(server: Server, job: Json, state: str) -> None:
    """The alternative's own limit is the one that the copy has; nothing would come of the job's."""
    other = {"accelerator": {"stack": "cuda", "count": 1}}
    alternatives = [{**job["spec"]["alternatives"][0], "activeDeadlineSeconds": 150}, other]
    assert server.replace(with_value(job, "spec.alternatives", alternatives)).status == 200
    bound = {"phase": "Bound", "binding": {**BINDING, "alternative": 1 if state == "bound by another" else 0}}
    if state != "waiting":
        assert server.patch(job, {"status": bound}, part="/status").status == 200
    answer = server.patch(job, {"spec": {"activeDeadlineSeconds": 300}})
    assert (answer.status, "of its own" in answer.message) == ((422, True) if state == "bound by it" else (200, False)), answer.message


def test_status_can_be_written_while_bound(server: Server, job: Json) -> None:
    """The rules on a bound spec must not stand in the way of the operator."""
    for change in (SETTLED["bound"], {"phase": "Running"}, {"phase": "Pending", "binding": None}, SETTLED["bound"], {"phase": "Succeeded"}):
        answer = server.patch(job, {"status": change}, part="/status")
        assert answer.status == 200, answer.message


def test_the_owner_of_status_is_noted_once_for_all_of_it(server: Server, job: Json, offer: Json) -> None:
    """To note it for each field costs the API server time at every write, and fills every object."""
    for each, change in ((job, SETTLED["bound"]), (offer, {"kubernetesVersion": "v1"})):
        answer = server.patch(each, {"status": change}, part="/status")
        assert answer.status == 200, answer.message
        noted = [entry["fieldsV1"] for entry in answer.body["metadata"]["managedFields"] if entry.get("subresource") == "status"]
        assert noted == [{"f:status": {}}]


def test_attempt_limit_below_what_was_used(server: Server, job: Json) -> None:
    """Row 36: between two attempts the spec is free, but not this."""
    assert server.patch(job, {"status": {"phase": "Pending", "restarts": 2}}, part="/status").status == 200
    lowered = server.replace(with_value(job, "spec.retry.maxRestarts", 1), query="dryRun=All")
    assert lowered.status == 422
    assert "retry.maxRestarts must not be below" in lowered.message
    assert server.replace(with_value(job, "spec.retry.maxRestarts", 3), query="dryRun=All").status == 200


_PRICE = OFFER["spec"]["prices"][0]


@pytest.mark.parametrize(
    ("prices", "want"),
    [
        ([_PRICE, {**_PRICE, "id": "p2", "validFrom": "2026-06-01T00:00:00Z"}], 200),
        ([{**_PRICE, "id": "p2"}, _PRICE], 200),
        ([{**_PRICE, "price": "1.00"}], 422),
        ([{**_PRICE, "validFrom": "2026-06-01T00:00:00Z"}], 422),
        ([{**_PRICE, "id": "p2"}], 422),
        ([], 422),
        (None, 422),
    ],
    ids=["added", "added before", "changed", "moved", "swapped", "emptied", "removed"],
)
def test_prices_are_append_only(server: Server, offer: Json, prices: Any, want: int) -> None:
    answer = server.replace(with_value(offer, "spec.prices", prices), query="dryRun=All")
    assert answer.status == want, answer.message
    assert want == 200 or "append-only" in answer.message


def test_remote_namespace_cannot_change(server: Server, offer: Json) -> None:
    answer = server.replace(with_value(offer, "spec.remoteNamespace", "elsewhere"), query="dryRun=All")
    assert answer.status == 422
    assert "spec.remoteNamespace" in answer.message
    answer = server.replace(with_value(offer, "spec.remoteNamespacePolicy", "PerTenant"), query="dryRun=All")
    assert answer.status == 422
    assert "spec.remoteNamespacePolicy" in answer.message


@pytest.mark.parametrize("value", ["other", None])
def test_cluster_uid_cannot_change(server: Server, offer: Json, value: str | None) -> None:
    """Row 61."""
    assert server.patch(offer, {"status": {"clusterUID": "one"}}, part="/status").status == 200
    assert server.patch(offer, {"status": {"kubernetesVersion": "v1"}}, part="/status").status == 200
    answer = server.patch(offer, {"status": {"clusterUID": value}}, part="/status")
    assert answer.status == 422
    assert "status: Invalid value: clusterUID cannot change" in answer.message


def test_kubectl_wait_for_complete(server: Server, bare_api: Any, job: Json) -> None:
    complete = {"type": "Complete", "status": "True", "reason": "Succeeded", "lastTransitionTime": "2026-11-22T00:00:00Z"}
    with pytest.raises(Exception, match="timed out"):
        bare_api.kubectl("wait", "--for=condition=Complete", "cpj/good", "-n", "default", "--timeout=1s")
    assert server.patch(job, {"status": {"phase": "Succeeded", "conditions": [complete]}}, part="/status").status == 200
    told = bare_api.kubectl("wait", "--for=condition=Complete", "cpj/good", "-n", "default", f"--timeout={PATIENCE}s")
    assert "condition met" in str(told)


def test_kubectl_get_shows_what_one_needs(server: Server, bare_api: Any, job: Json) -> None:
    assert server.patch(job, {"status": SETTLED["bound"]}, part="/status").status == 200
    head, line = str(bare_api.kubectl("get", "cpj", "-n", "default")).splitlines()
    assert head.split() == ["NAME", "PHASE", "OFFER", "POOL", "ATTEMPT", "REASON", "AGE"]
    assert line.split()[:5] == ["good", "Bound", "lingang", "h100-x8", "1"]


def test_jobs_can_be_selected_by_phase(server: Server, job: Json) -> None:
    assert server.patch(job, {"status": {"phase": "Running"}}, part="/status").status == 200
    found = {
        phase: server.send("GET", f"{collection(JOB)}?fieldSelector=status.phase%3D{phase}").body["items"]
        for phase in ("Running", "Failed")
    }
    assert [len(found["Running"]), len(found["Failed"])] == [1, 0]


def test_server_side_apply_merges_lists_by_their_keys(server: Server, job: Json) -> None:
    """Two managers, two variables: neither removes the other's."""
    patch = {k: JOB[k] for k in ("apiVersion", "kind", "metadata")} | {"spec": {"template": {"env": [{"name": "D", "value": "2"}]}}}
    answer = server.send("PATCH", path_of(job) + "?fieldManager=b&dryRun=All", patch, content_type="application/apply-patch+yaml")
    assert answer.status == 200, answer.message
    assert [e["name"] for e in answer.body["spec"]["template"]["env"]] == ["A", "B", "C", "D"]
