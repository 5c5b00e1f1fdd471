"""Who holds what until when: by declared ends, from the plan or the binding; what did not change stays the same object."""

from typing import Any

import msgspec
import pytest

from builders import NOW as START
from builders import cluster, demand, job, node, requirement, vector
from jobs import CLUSTER, NOW, OFFER, binding, body, bound_status, copy, record, table
from sampan.controller.state.queues import QueueRegistry
from sampan.controller.state.running import RunningJobs, assumed_running, recovered_nodes, replicas_finished, running_of, share_of
from sampan.controller.state.store import State
from sampan.inventory.in_flight import InFlight
from sampan.kube.objects.workloads import JobSpec
from sampan.model.job import Requirement, Share
from sampan.model.members.cluster import Running
from sampan.model.plan import Assignment
from unit.controller.fakes import FakeMemberSource, pool

from .test_queues import queue

LIMITED: dict[str, Any] = {"activeDeadlineSeconds": 1000, "startDeadlineSeconds": 100, "expectedSeconds": 500}


def flight(uid: str = "u1") -> InFlight:
    """What a job takes on n1."""
    return InFlight(job_uid=uid, nodes=(("n1", 1),), per_replica=vector(cpu=4), finished=0)


def bound(of: QueueRegistry | None = None, *, runs_after: int | None = None, **spec: Any) -> Running:
    """What a bound job holds; `runs_after`: seconds from its binding until it ran."""
    status = bound_status(binding(bound_at=NOW))
    made = record(spec=dict(spec), status=status if runs_after is None else status.running(at=NOW + runs_after * 1000))
    assert made.spec is not None
    assert made.shape is not None
    return running_of(made, (of or QueueRegistry()).place("team-a", made.spec, made.shape), flight=flight())


def test_an_end_is_what_was_declared_from_the_binding_on() -> None:
    grace = 30
    assert (bound(**LIMITED).ends, bound(**LIMITED).likely_ends) == (NOW + (100 + 1000 + grace) * 1000, NOW + 500_000)
    assert (bound().ends, bound().likely_ends) == (None, None)
    book = QueueRegistry()
    book.apply(queue("research", "team-a", defaultRunSeconds=60))
    assert bound(book, startDeadlineSeconds=100).ends == NOW + (100 + 60 + grace) * 1000
    assert bound(book).queue == "research"


def test_the_end_of_a_job_that_runs_is_what_was_declared_from_its_start_on() -> None:
    """The deadline of a start that is made says nothing more: nobody is to wait for it."""
    grace, runs = 30, bound(runs_after=15, **LIMITED)
    assert (runs.ends, runs.likely_ends) == (NOW + (15 + 1000 + grace) * 1000, NOW + (15 + 500) * 1000)
    assert bound(runs_after=15).ends is None
    book = QueueRegistry()
    book.apply(queue("research", "team-a", defaultRunSeconds=60))
    assert bound(book, runs_after=15, startDeadlineSeconds=100).ends == NOW + (15 + 60 + grace) * 1000


def test_an_assignment_counts_before_its_intent_is_written() -> None:
    wanted = demand()
    made = Assignment(job=job(), offer=OFFER, cluster_uid="c1", pool="p", demand=wanted, replicas=1, nodes=(("n1", 1),))
    got = assumed_running(made, flight=flight(), now=START)
    want = None if wanted.span_seconds is None else START + wanted.span_seconds * 1000
    assert (got.nodes, got.per_replica, got.ends) == ((("n1", 1),), vector(cpu=4), want)


def test_only_what_changed_is_another_object() -> None:
    held = {"u1": ("c1", bound()), "u2": ("c2", bound())}
    jobs = table(record("u1"), record("u2"))
    under_way = RunningJobs(jobs, lambda entry, _: held.get(entry.uid))
    plain = {uid: cluster(node("n1"), uid=uid) for uid in ("c1", "c2", "c3")}
    for uid in held:
        under_way.invalidate(jobs[uid])
    first = under_way.clusters(plain, NOW)
    assert [sorted(first[uid].running) for uid in plain] == [["u1"], ["u2"], []]
    assert first["c3"] is plain["c3"]
    under_way.invalidate_all()
    assert under_way.clusters(plain, NOW) is first
    del held["u1"]
    under_way.invalidate_pools({(OFFER, "h100-x8")})
    second = under_way.clusters(plain, NOW)
    assert (dict(second["c1"].running), second["c2"]) == ({}, first["c2"])
    assert second["c2"] is first["c2"]
    fresh = {**plain, "c2": cluster(node("n2"), uid="c2")}
    assert under_way.clusters(fresh, NOW)["c2"].running is first["c2"].running


def test_the_state_shows_a_job_as_running_from_its_assignment_to_its_end() -> None:
    st = State(FakeMemberSource(), currency="CNY", cooldown=0)
    st.apply_job(body("u1", spec=LIMITED))
    waiting = st.snapshot(NOW).jobs[0]
    made = Assignment(
        job=waiting, offer=OFFER, cluster_uid=CLUSTER, pool="h100-x8", demand=waiting.shape.demands[0], replicas=1, nodes=(("n2", 1),)
    )
    st.assume(made)
    assert st.snapshot(NOW).clusters[CLUSTER].running["u1"].nodes == (("n2", 1),)
    st.forget_assumed("u1")
    assert not st.snapshot(NOW).clusters[CLUSTER].running
    st.apply_job(body("u1", spec=LIMITED, resourceVersion="11", status=bound_status(binding(bound_at=NOW))))
    assert st.snapshot(NOW).clusters[CLUSTER].running["u1"].ends == NOW + 1_130_000
    ran = bound_status(binding(bound_at=NOW)).running(at=NOW + 5000)
    st.apply_job(body("u1", spec=LIMITED, resourceVersion="12", status=ran))
    assert st.snapshot(NOW).clusters[CLUSTER].running["u1"].ends == NOW + 1_035_000
    st.remove_job("u1")
    assert not st.snapshot(NOW).clusters[CLUSTER].running


def test_nodes_after_a_restart_and_replicas_that_are_over() -> None:
    assert recovered_nodes(3, None, pool()) == (("n1", 2), ("n2", 1))
    assert recovered_nodes(3, None, None) == ()
    assert replicas_finished(1, None) == 0
    assert replicas_finished(1, copy(succeeded=1)) == 1


@pytest.mark.parametrize(
    ("per_index", "status", "want"),
    [
        (3, {"failed": 4}, 0),
        (3, {"failed": 9, "failed_indexes": "1"}, 1),
        (3, {"failed": 4, "succeeded": 2, "failed_indexes": "0"}, 3),
        (None, {"failed": 1}, 1),
    ],
    ids=["all are restarted", "one failed for good", "some succeeded", "a gang restarts none"],
)
def test_a_failed_pod_of_a_sweep_is_replaced_until_its_index_failed(per_index: int | None, status: dict[str, Any], want: int) -> None:
    """Its nodes and its share of a quota are not free while it waits to be restarted."""
    spec = JobSpec(parallelism=4, completions=4, backoff_limit_per_index=per_index)
    assert replicas_finished(4, msgspec.structs.replace(copy(**status), spec=spec)) == want


def test_a_share_of_a_card_is_told_and_a_whole_device_is_none() -> None:
    part = demand(Requirement(count=1, stack="cuda", share=Share(memory=2**30)))
    assert share_of(part) == Share(memory=2**30)
    assert share_of(demand(requirement())) is None
    assert share_of(None) is None
