"""What is done next about a job, case by case."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from jobs import NOW, binding, bound_status, copy, record, shown
from sampan.controller.observation.attempt import AttemptState as State
from sampan.controller.observation.attempt import Observation
from sampan.controller.reconcile import actions as a
from sampan.controller.reconcile.decide import decide
from sampan.controller.reconcile.view.remote_state import RemoteState
from sampan.controller.state.record import JobRecord
from sampan.kube.objects.workloads import Job
from sampan.model.lifecycle import Event, Outcome
from sampan.model.status.attempt import Ending
from sampan.model.status.reasons import AttemptReason, stated_reason
from sampan.model.status.remote import PodCounts, RemoteStatus

TIMES = a.Times(now=NOW, tombstone=30_000, counters=15_000, last_write=NOW - 1_000)
UNKNOWN, OFFER_GONE = RemoteState(), RemoteState(offer_exists=False)


def seen(state: State, **kwargs: Any) -> Observation:
    """Return an observation."""
    counts = {"active": 1, "ready": 0, "succeeded": 0, "failed": 0, "pending": 0}
    return Observation(**{"state": state, "whole": False, **counts, **kwargs})


def remote(job: Job | None = None, observation: Observation | None = None, **kwargs: Any) -> RemoteState:
    """Return what is known of a reachable member's copy."""
    return RemoteState(**{"reachable": True, "job": job, "observation": observation, **kwargs})


def ended(outcome: Outcome, *, reason: str = "Error", spec: dict[str, Any] | None = None) -> JobRecord:
    """Return a job whose attempt has a recorded end and is still bound."""
    ending = Ending(outcome=outcome, reason=stated_reason(reason), ended_at=NOW - 2_000)
    return record(status=bound_status(binding(remote_uid="remote-1")).attempt_ended(ending), spec=spec)


def finished(*, ago: int, spec: dict[str, Any] | None = None) -> JobRecord:
    """Return a job that succeeded some milliseconds ago."""
    status = bound_status(binding(remote_uid="remote-1"), running=True).finished(
        Event.SUCCEEDED, reason=AttemptReason.COMPLETED, message="", at=NOW - ago
    )
    return record(status=status, spec=spec)


def started(job: Job) -> Job:
    """Return a copy that its member has started once."""
    return msgspec.structs.replace(job, status=msgspec.structs.replace(job.status, start_time="2027-01-15T07:59:50Z"))


@dataclass(frozen=True)
class Case:
    """A situation and the wanted action."""

    name: str
    job: JobRecord
    remote: RemoteState
    want: type
    wants: dict[str, Any] = field(default_factory=dict)


DELETED = {"deletionTimestamp": "2027-01-15T08:00:00Z"}
SUSPEND = {"suspend": True}
CASES = (
    Case("a waiting job is the scheduler's", record(), UNKNOWN, a.Wait),
    Case("a waiting job that is suspended says so", record(spec=SUSPEND), UNKNOWN, a.Patch, {"phase": "Suspended"}),
    Case("a suspended job that may go on waits again", record(status={"phase": "Suspended"}), UNKNOWN, a.Patch, {"phase": "Pending"}),
    Case("a suspended job stays", record(status={"phase": "Suspended"}, spec=SUSPEND), UNKNOWN, a.Wait),
    Case("an intent without copy is carried out", record(status=bound_status()), remote(), a.Create),
    Case("nothing is created on a member that cannot be seen", record(status=bound_status()), UNKNOWN, a.Wait),
    Case(
        "a copy made for its dependents is started", record(status=bound_status()), remote(copy(suspend=True), seen(State.WAITING)), a.Start
    ),
    Case(
        "a copy in a queue of the member's is started by that",
        record(status=bound_status()),
        remote(copy(suspend=True, queue="gpu"), seen(State.WAITING)),
        a.Wait,
    ),
    Case(
        "a whole gang runs",
        record(status=bound_status()),
        remote(copy(), seen(State.RUNNING, whole=True, ready=1)),
        a.Patch,
        {"phase": "Running"},
    ),
    Case("a copy that waits is waited for", record(status=bound_status()), remote(copy(), seen(State.WAITING, active=0)), a.Wait),
    Case(
        "a result ends the job at once, even unseen running",
        record(status=bound_status()),
        remote(copy(), seen(State.SUCCEEDED, succeeded=1, ended_at=NOW - 500)),
        a.Patch,
        {"phase": "Succeeded"},
    ),
    Case(
        "a crash without retries fails the job",
        record(status=bound_status(running=True)),
        remote(copy(), seen(State.APP_FAILED, reason="Error", exit_code=3)),
        a.Patch,
        {"phase": "Failed"},
    ),
    Case(
        "a crash with retries left ends the attempt only",
        record(status=bound_status(running=True), spec={"retry": {"maxRestarts": 1}}),
        remote(copy(), seen(State.APP_FAILED, reason="Error", exit_code=3)),
        a.Patch,
        {"phase": "Running", "outcome": "AppFailed"},
    ),
    Case(
        "a disruption never fails the job",
        record(status=bound_status(running=True)),
        remote(copy(), seen(State.DISRUPTED, reason="DeletionByTaintManager")),
        a.Patch,
        {"phase": "Running", "outcome": "Disrupted"},
    ),
    Case(
        "a passed deadline fails the job in spite of retries",
        record(status=bound_status(running=True), spec={"retry": {"maxRestarts": 5}, "activeDeadlineSeconds": 10}),
        remote(copy(), seen(State.DEADLINE_EXCEEDED, reason="DeadlineExceeded")),
        a.Patch,
        {"phase": "Failed"},
    ),
    Case(
        "an unexplained failure waits a moment for its pod",
        record(status=bound_status(running=True)),
        remote(copy(), seen(State.APP_FAILED, proved=False), final_for=100),
        a.Wait,
    ),
    Case(
        "an unexplained failure is recorded after that",
        record(status=bound_status(running=True)),
        remote(copy(), seen(State.APP_FAILED, proved=False), final_for=4_000),
        a.Patch,
        {"phase": "Failed"},
    ),
    Case(
        "a gang that is not whole in time gives its devices back",
        record(status=bound_status(binding(bound_at=NOW - 20_000)), spec={"startDeadlineSeconds": 10}),
        remote(copy(), seen(State.STARTING, message="0/4 nodes are available")),
        a.Patch,
        {"phase": "Bound", "outcome": "Rejected", "reason": "StartDeadlineExceeded"},
    ),
    Case(
        "suspending a bound job ends its attempt",
        record(status=bound_status(), spec=SUSPEND),
        remote(copy(), seen(State.WAITING)),
        a.Patch,
        {"phase": "Bound", "outcome": "Cancelled"},
    ),
    Case("an ended attempt's copy is removed", ended(Outcome.DISRUPTED), remote(copy(), seen(State.DISRUPTED)), a.Remove),
    Case("a copy that is being removed is waited for", ended(Outcome.DISRUPTED), remote(copy(deleting=True), seen(State.DELETING)), a.Wait),
    Case("pods that outlive their Job are swept", ended(Outcome.DISRUPTED), remote(pods=1), a.Sweep),
    Case("absence is proved by the member", ended(Outcome.DISRUPTED), remote(), a.Confirm),
    Case("proved absence frees the job", ended(Outcome.DISRUPTED), remote(absent=True), a.Patch, {"phase": "Pending", "bound": False}),
    Case(
        "proved absence suspends a suspended job",
        ended(Outcome.CANCELLED, spec=SUSPEND),
        remote(absent=True),
        a.Patch,
        {"phase": "Suspended", "bound": False},
    ),
    Case(
        "an older copy goes before the new one comes",
        record(status=bound_status(binding(attempt=2))),
        remote(copy(attempt=1), seen(State.RUNNING)),
        a.Remove,
    ),
    Case("a newer copy means that we are stale", record(status=bound_status()), remote(copy(attempt=2), seen(State.RUNNING)), a.Refresh),
    Case(
        "a newer copy is left alone when the hub itself knows nothing newer",
        record(status=bound_status()),
        remote(copy(attempt=2), seen(State.RUNNING), current=True),
        a.Wait,
    ),
    Case(
        "a label that lies does not delay what the recorded UID tells",
        record(status=bound_status(binding(remote_uid="remote-7"), running=True)),
        remote(copy(attempt=7), seen(State.SUCCEEDED, succeeded=1)),
        a.Patch,
        {"phase": "Succeeded"},
    ),
    Case(
        "nor the deletion of the job",
        record(status=bound_status(binding(remote_uid="remote-7")), **DELETED),
        remote(copy(attempt=7), seen(State.RUNNING)),
        a.Remove,
    ),
    Case(
        "a deleted job takes a copy from nowhere along",
        record(status=bound_status(), **DELETED),
        remote(copy(attempt=7), seen(State.RUNNING), current=True),
        a.Remove,
    ),
    Case(
        "a Job that went without its pods is lost",
        record(status=bound_status(binding(remote_uid="remote-1"), running=True)),
        remote(pods=1, job_absent=True),
        a.Patch,
        {"phase": "Failed", "outcome": "Lost"},
    ),
    Case(
        "a copy that its member suspends after the start is not started again",
        record(status=bound_status(running=True)),
        remote(started(copy(suspend=True)), seen(State.WAITING, active=0)),
        a.Patch,
        {"phase": "Running", "told": "SuspendedByMember"},
    ),
    Case("a copy that vanished is looked for", record(status=bound_status(binding(remote_uid="remote-1"))), remote(), a.Confirm),
    Case(
        "a lost copy is not run again without leave",
        record(status=bound_status(binding(remote_uid="remote-1"))),
        remote(absent=True),
        a.Patch,
        {"phase": "Failed", "outcome": "Lost"},
    ),
    Case(
        "a lost copy is run again within the retries",
        record(status=bound_status(binding(remote_uid="remote-1")), spec={"retry": {"maxRestarts": 1}}),
        remote(absent=True),
        a.Patch,
        {"phase": "Bound", "outcome": "Lost"},
    ),
    Case("a finished job's copy keeps its tombstone time", finished(ago=5_000), remote(copy(), seen(State.SUCCEEDED)), a.Wait),
    Case("then it is removed", finished(ago=31_000), remote(copy(), seen(State.SUCCEEDED)), a.Remove),
    Case("or at once where the offer leaves", finished(ago=5_000), remote(copy(), seen(State.SUCCEEDED), offer_draining=True), a.Remove),
    Case("a finished job stays without ttl", finished(ago=10**9), remote(), a.Wait),
    Case("and goes after its ttl", finished(ago=61_000, spec={"ttlSecondsAfterFinished": 60}), remote(), a.Expire),
    Case("a deleted waiting job is free at once", record(**DELETED), UNKNOWN, a.Release),
    Case("a deleted job without our finalizer is not ours any more", record(finalizers=[], **DELETED), UNKNOWN, a.Wait),
    Case("a deleted bound job's copy is removed", record(status=bound_status(), **DELETED), remote(copy(), seen(State.RUNNING)), a.Remove),
    Case("a deleted job waits for a member that is away", record(status=bound_status(), **DELETED), UNKNOWN, a.Wait),
    Case("a deleted job's absence is proved", record(status=bound_status(), **DELETED), remote(), a.Confirm),
    Case("then it is free", record(status=bound_status(), **DELETED), remote(absent=True), a.Release),
    Case("an offer that is gone took its copies along", record(status=bound_status(), **DELETED), OFFER_GONE, a.Release),
    Case(
        "a longer deadline reaches the member",
        record(status=bound_status(running=True), spec={"activeDeadlineSeconds": 600}),
        remote(copy(deadline=300), seen(State.RUNNING, whole=True)),
        a.Extend,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_next_action(case: Case) -> None:
    action = decide(case.job, case.remote, TIMES)
    assert type(action) is case.want, action
    if isinstance(action, a.Patch):
        status = action.status
        assert status.phase == case.wants["phase"]
        last = (shown(status).get("attempts") or [{}])[-1]
        for key in ("outcome", "reason"):
            assert last.get(key) == case.wants.get(key, last.get(key))
        assert status.reason == case.wants.get("told", status.reason)
        assert (status.binding is not None) == case.wants.get("bound", status.binding is not None)


def test_counters_are_coalesced_and_news_is_not() -> None:
    job = record(status=bound_status(running=True).seen(RemoteStatus(counts=PodCounts(active=1, ready=1)), "remote-1", at=NOW))
    more = decide(job, remote(copy(), seen(State.RUNNING, whole=True, active=1, ready=0)), TIMES)
    assert more == a.Wait(14_000)
    news = decide(job, remote(copy(), seen(State.STARTING, active=1, reason="ImagePullBackOff", message="no such image")), TIMES)
    assert isinstance(news, a.Patch)
    assert shown(news.status)["remote"]["message"] == "no such image"
    same = decide(job, remote(copy(), seen(State.RUNNING, whole=True, active=1, ready=1)), TIMES)
    assert same == a.Wait(None)
