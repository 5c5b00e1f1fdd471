"""What is counted as taken on a member: each job once, assumed, bound, after a restart, and not a moment longer."""

from dataclasses import replace
from typing import Any

import pytest

from jobs import CLUSTER, NOW, OFFER, binding, body, bound_status, copy
from sampan.controller.state.store import State
from sampan.inventory.in_flight import InFlight
from sampan.kube.objects.workloads import (
    Affinity,
    Job,
    MatchExpression,
    NodeAffinity,
    NodeSelectorTerm,
    PodTemplate,
    PreferredTerm,
    TemplateSpec,
)
from sampan.model.lifecycle import Event, Outcome
from sampan.model.plan import Assignment
from sampan.model.status.attempt import Ending
from sampan.model.status.reasons import AttemptReason, MemberWord
from unit.controller.fakes import H100_JOB, FakeMemberSource, pool

DELETED = {"deletionTimestamp": "2027-01-15T08:00:00Z"}


def state(source: FakeMemberSource | None = None) -> State:
    """A state with a cool-down of five minutes."""
    return State(source or FakeMemberSource(), currency="CNY", cooldown=300_000)


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


def test_an_assignment_counts_from_the_moment_it_is_made() -> None:
    st = state()
    st.apply_job(body(spec=H100_JOB))
    changed: list[str] = []
    st.allocations.on_change.append(changed.append)
    st.assume(assignment(st))
    (flight,) = flights(st)
    assert (flight.job_uid, flight.nodes) == ("u1", (("n2", 1),))
    assert flight.per_replica["nvidia.com/gpu"] == 8
    assert list(st.allocations.in_flight("another")) == []
    assert changed == [CLUSTER]
    assert waiting(st) == []
    assert st.waiting == 1, "it waits for its intent"


def test_an_assignment_that_fails_is_given_back_whole() -> None:
    told: list[int] = []
    st = state()
    st.apply_job(body(spec=H100_JOB))
    st.on_pending.append(lambda: told.append(1))
    st.assume(assignment(st))
    changed: list[str] = []
    st.allocations.on_change.append(changed.append)
    st.forget_assumed("u1")
    assert (flights(st), waiting(st), changed, told) == ([], ["u1"], [CLUSTER], [1])
    assert st.table["u1"].assignment is None
    st.forget_assumed("u1")
    assert told == [1], "once"


def test_the_same_job_is_counted_once_assumed_bound_and_after_the_reconciler_let_go() -> None:
    st = state()
    st.apply_job(body(spec=H100_JOB))
    st.assume(assignment(st))
    st.apply_job(body(resourceVersion="11", spec=H100_JOB, status=bound_status()))
    (flight,) = flights(st)
    assert flight.nodes == (("n2", 1),), "the plan's nodes, not the pool's first"
    st.forget_assumed("u1")
    assert flights(st) == [flight]
    assert st.table["u1"].assignment is not None


@pytest.mark.parametrize(
    ("name", "kwargs"), [("suspended", {"spec": {**H100_JOB, "suspend": True}}), ("deleted", {"spec": H100_JOB, **DELETED})]
)
def test_a_job_that_leaves_while_it_is_being_bound_frees_its_place_and_says_so(name: str, kwargs: dict[str, Any]) -> None:
    source = FakeMemberSource()
    st = state(source)
    st.apply_job(body(spec=H100_JOB))
    st.assume(assignment(st))
    changed: list[str] = []
    st.allocations.on_change.append(changed.append)
    st.apply_job(body(resourceVersion="11", generation=2, **kwargs))
    assert flights(st) == [], name
    assert CLUSTER in changed, "else its devices look taken until something else happens there"


def test_a_job_removed_while_it_is_being_bound_frees_its_place_and_says_so() -> None:
    source = FakeMemberSource()
    st = state(source)
    st.apply_job(body(spec=H100_JOB))
    st.assume(assignment(st))
    changed: list[str] = []
    st.allocations.on_change.append(changed.append)
    st.remove_job("u1")
    assert flights(st) == []
    assert CLUSTER in changed


def preferring(*hostnames: str, **kwargs: Any) -> Job:
    """A copy that prefers these nodes."""
    expression = MatchExpression(key="kubernetes.io/hostname", operator="In", values=list(hostnames))
    term = PreferredTerm(weight=100, preference=NodeSelectorTerm(match_expressions=[expression]))
    made = copy(**kwargs)
    spec = TemplateSpec(affinity=Affinity(node_affinity=NodeAffinity(preferred=[term])))
    return Job(
        metadata=made.metadata, spec=type(made.spec)(parallelism=4, completions=4, template=PodTemplate(spec=spec)), status=made.status
    )


GANG = {"replicas": 4, "alternatives": [{"accelerator": {"class": "nvidia-h100-sxm-80gb", "count": 8}}]}


def bound_gang(source: FakeMemberSource) -> State:
    """A state that has just been started and finds a gang of four bound."""
    st = state(source)
    st.apply_job(body(spec=GANG, status=bound_status(binding(replicas=4))))
    return st


def test_after_a_restart_a_bound_job_counts_on_the_nodes_its_copy_prefers() -> None:
    source = FakeMemberSource(pool(nodes=tuple(f"n{i}" for i in range(9))))
    source.copies["u1"] = preferring("n7", "n8")
    (flight,) = flights(bound_gang(source))
    assert flight.nodes == (("n7", 2), ("n8", 2))
    assert flight.per_replica["nvidia.com/gpu"] == 8


def test_or_on_its_pools_nodes_or_on_none_but_never_on_none_of_its_replicas() -> None:
    (flight,) = flights(bound_gang(FakeMemberSource(pool(nodes=("n1", "n2", "n3")))))
    assert sum(count for _, count in flight.nodes) == 4
    assert {node for node, _ in flight.nodes} <= {"n1", "n2", "n3"}
    (gone,) = flights(bound_gang(FakeMemberSource(pool("other"))))
    assert gone.nodes == ()


def test_replicas_that_ended_are_not_counted_again() -> None:
    source = FakeMemberSource()
    source.copies["u1"] = preferring("n1", succeeded=3)
    (flight,) = flights(bound_gang(source))
    assert flight.finished == 3


def test_an_attempt_that_ended_is_counted_by_its_pods_alone() -> None:
    st = state()
    status = bound_status().attempt_ended(Ending(outcome=Outcome.DISRUPTED, reason=MemberWord("X"), ended_at=NOW))
    st.apply_job(body(status=bound_status()))
    assert len(flights(st)) == 1
    st.apply_job(body(resourceVersion="11", status=status))
    assert flights(st) == []


def test_a_job_that_finished_counts_no_more() -> None:
    st = state()
    st.apply_job(body(status=bound_status(running=True)))
    done = bound_status(running=True).finished(Event.SUCCEEDED, reason=AttemptReason.COMPLETED, message="", at=NOW)
    st.apply_job(body(resourceVersion="11", status=done))
    assert flights(st) == []


def test_a_binding_to_an_alternative_that_is_not_there_breaks_nobody_elses_count() -> None:
    st = state()
    status = bound_status(replace(binding(), alternative=5))
    st.apply_job(body("u1", status=status))
    st.apply_job(body("u2", spec=H100_JOB, status=bound_status()))
    assert [flight.job_uid for flight in flights(st)] == ["u1", "u2"]
