"""The live picture: older news are ignored, each job is counted once whatever happens to it, and who may not be placed is not shown."""

from collections.abc import Mapping
from typing import Any

import pytest

from builders import A100, vector
from jobs import CLUSTER, NOW, OFFER, body, bound_status
from sampan.api.convert.jobs import parse_spec
from sampan.controller.state.store import State
from sampan.inventory.in_flight import InFlight, amounts_of
from sampan.model.lifecycle import Outcome
from sampan.model.members.offer import OfferKey
from sampan.model.plan import Assignment
from sampan.model.policy import BUILT_IN, Policy
from sampan.model.values.timestamp import to_rfc3339
from unit.controller.fakes import H100_JOB, FakeMemberSource, pool

DELETED = {"deletionTimestamp": "2027-01-15T08:00:00Z"}


def state(fleet: FakeMemberSource | None = None) -> State:
    """A state with a cool-down of five minutes."""
    return State(fleet or FakeMemberSource(), currency="CNY", cooldown=300_000)


def assignment(of: State, uid: str = "u1", *nodes: tuple[str, int]) -> Assignment:
    """An assignment of a waiting job to OFFER."""
    job = of.jobs[uid].to_job(frozenset())
    demand = job.shape.demands[0]
    where = nodes or (("n2", demand.replicas),)
    return Assignment(job=job, offer=OFFER, cluster_uid=CLUSTER, pool="h100-x8", demand=demand, replicas=demand.replicas, nodes=where)


def waiting(of: State, now: int = NOW) -> list[str]:
    """The jobs in the snapshot."""
    return [job.uid for job in of.snapshot(now).jobs]


def flights(of: State) -> list[InFlight]:
    """What is counted as taken on the member."""
    return list(of.allocations.in_flight(CLUSTER))


# --- what the watches say -----------------------------------------------------------------------------------------


def test_older_and_equal_pictures_are_ignored() -> None:
    st, seen = state(), list[str]()
    st.on_job.append(lambda record: seen.append(record.resource_version))
    assert st.apply_job(body(resourceVersion="99")) is not None
    assert st.apply_job(body(resourceVersion="100")) is not None, "versions are numbers, not texts"
    assert st.apply_job(body(resourceVersion="100", spec={"suspend": True})) is None
    assert st.apply_job(body(resourceVersion="9", spec={"suspend": True})) is None
    assert seen == ["99", "100"]
    assert waiting(st) == ["u1"]


def test_a_spec_is_parsed_once_a_generation(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[object] = []

    def counting(spec: Mapping[str, Any]) -> Any:
        parsed.append(spec)
        return parse_spec(spec)

    monkeypatch.setattr("sampan.controller.state.record.parse_spec", counting)
    st = state()
    for version in ("1", "2", "3"):
        st.apply_job(body(resourceVersion=version))
    assert len(parsed) == 1
    st.apply_job(body(resourceVersion="4", generation=2, spec={"priority": 3}))
    assert len(parsed) == 2
    assert st.snapshot(NOW).jobs[0].priority == 3


def test_a_new_object_of_the_same_name_is_another_job() -> None:
    st = state()
    st.apply_job(body("u1", name="same"))
    st.apply_job(body("u2", name="same", resourceVersion="11", spec=H100_JOB))
    st.remove_job("u1")
    assert waiting(st) == ["u2"]


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("suspended", {"spec": {"suspend": True}}),
        ("being deleted", DELETED),
        ("unreadable", {"spec": {"replicas": 0}}),
        ("bound", {"status": bound_status()}),
        ("ended", {"status": {"phase": "Failed"}}),
        ("Suspended still", {"status": {"phase": "Suspended"}}),
    ],
)
def test_only_jobs_that_may_be_placed_are_in_the_snapshot(name: str, kwargs: dict[str, Any]) -> None:
    st = state()
    st.apply_job(body("u1"))
    st.apply_job(body("u1", resourceVersion="11", generation=2, **kwargs))
    assert (waiting(st), st.waiting) == ([], 0), name


def test_the_scheduler_is_told_when_a_job_may_be_placed() -> None:
    st, told = state(), []
    st.on_pending.append(lambda: told.append(1))
    st.apply_job(body("u1", status=bound_status()))
    assert not told
    st.apply_job(body("u2"))
    assert told == [1]


def test_removing_a_job_leaves_nothing_of_it() -> None:
    fleet = FakeMemberSource()
    st = state(fleet)
    st.apply_job(body("u1", status=bound_status()))
    changed: list[str] = []
    st.allocations.on_change.append(changed.append)
    st.remove_job("u1")
    assert (st.jobs, st.waiting, flights(st)) == ({}, 0, [])
    assert CLUSTER in changed
    st.remove_job("never there")


def test_a_malformed_status_hurts_no_other_job() -> None:
    st = state()
    st.apply_job(body("u2"))
    with pytest.raises((KeyError, TypeError, ValueError)):
        st.apply_job(body("u1", status={"phase": "Bound", "binding": {"attempt": "x"}}))
    assert waiting(st) == ["u2"]
    assert flights(st) == []
    st.remove_job("u1")
    assert list(st.jobs) == ["u2"]


# --- who stays out of the snapshot --------------------------------------------------------------------------------


def failed(restarts: int, outcome: Outcome = Outcome.APP_FAILED, *, reason: str = "X") -> dict[str, Any]:
    """The status of a job that waits again after a failure ten seconds ago."""
    attempt = {"number": 3, "offer": {"namespace": OFFER.namespace, "name": OFFER.name}, "pool": "h100-x8", "outcome": str(outcome)}
    return {"phase": "Pending", "restarts": restarts, "attempts": [{**attempt, "endedAt": to_rfc3339(NOW - 10_000), "reason": reason}]}


@pytest.mark.parametrize(("restarts", "seconds"), [(1, 30), (2, 60), (3, 120), (60, 3600)])
def test_backoff_doubles_and_has_an_end(restarts: int, seconds: int) -> None:
    st = state()
    st.apply_job(body(spec={"retry": {"maxRestarts": 99, "backoffSeconds": 30}}, status=failed(restarts)))
    assert waiting(st, NOW - 10_000 + seconds * 1000 - 1) == []
    assert waiting(st, NOW - 10_000 + seconds * 1000) == ["u1"]


def test_a_disruption_costs_no_backoff() -> None:
    st = state()
    st.apply_job(body(spec={"retry": {"maxRestarts": 9, "backoffSeconds": 3000}}, status=failed(1, Outcome.DISRUPTED)))
    assert waiting(st) == ["u1"]


def test_a_pool_that_rejected_a_job_cools_down_for_that_job() -> None:
    st = state()
    st.apply_job(body("u1", status=failed(0, Outcome.REJECTED)))
    st.apply_job(body("u2"))
    excluded = {job.uid: job.excluded for job in st.snapshot(NOW).jobs}
    assert excluded == {"u1": {(OFFER, "h100-x8")}, "u2": frozenset()}
    assert all(not job.excluded for job in st.snapshot(NOW + 290_000).jobs)


def test_a_pool_that_did_not_start_a_job_in_time_cools_down_for_its_shape_in_its_namespace() -> None:
    late = failed(0, Outcome.REJECTED, reason="StartDeadlineExceeded")
    st = state()
    st.apply_job(body("u1", spec=H100_JOB, status=late))
    st.apply_job(body("u2", spec=H100_JOB))
    st.apply_job(body("u3"))
    st.apply_job(body("u4", spec=H100_JOB, namespace="team-b"))
    excluded = {job.uid: bool(job.excluded) for job in st.snapshot(NOW + 1).jobs}
    assert excluded == {"u1": True, "u2": True, "u3": False, "u4": False}, "another tenant's deadline closes no pool"
    assert not any(job.excluded for job in st.snapshot(NOW + 300_000).jobs)


def test_a_job_can_be_held_back_for_a_time_or_for_one_picture_of_it() -> None:
    st = state()
    st.apply_job(body("u1"))
    st.apply_job(body("u2"))
    st.back_off("u1", until=NOW + 10)
    st.back_off("u2", until=NOW + 10, version="10")
    assert waiting(st) == []
    assert st.waiting == 2
    for uid in ("u1", "u2"):
        st.apply_job(body(uid, resourceVersion="11"))
    assert waiting(st) == ["u2"], "a newer picture lifts the second alone"
    assert waiting(st, NOW + 10) == ["u1", "u2"]


# --- the rest of the picture --------------------------------------------------------------------------------------


def test_the_snapshot_has_policies_pools_and_what_a_plan_must_still_find() -> None:
    st = state()
    st.policies = {**st.policies, "cheap": Policy(name="cheap", cost=100, packing=0, domestic=0)}
    st.apply_job(body("u1", resourceVersion="17"))
    snapshot = st.snapshot(NOW)
    assert set(snapshot.policies) == {*BUILT_IN, "cheap"}
    assert (snapshot.now, snapshot.currency) == (NOW, "CNY")
    assert snapshot.jobs[0].resource_version == "17"
    assert [cell.id for cell in snapshot.cells] == [(OFFER, "h100-x8")]


def test_a_pool_is_found_by_offer_and_name() -> None:
    st = state()
    assert st.allocations.pool_of(OFFER, "h100-x8") is not None
    assert st.allocations.pool_of(OFFER, "other") is None
    assert st.allocations.pool_of(OfferKey("x", "y"), "h100-x8") is None


def test_what_a_replica_takes_is_in_units_of_the_pool() -> None:
    st = state()
    st.apply_job(body(spec=H100_JOB))
    st.apply_job(body("u2", spec={"alternatives": [{"accelerator": {"class": A100, "count": 2}}]}))
    shape, other = st.jobs["u1"].shape, st.jobs["u2"].shape
    assert shape is not None
    assert other is not None
    assert amounts_of(shape.demands[0], pool()).per_replica["nvidia.com/gpu"] == 8
    assert amounts_of(other.demands[0], None).per_replica["nvidia.com/gpu"] == 0
    assert amounts_of(None, pool()).per_replica == vector()
