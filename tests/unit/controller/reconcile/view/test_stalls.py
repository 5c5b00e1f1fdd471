"""What stalls a job, in words, and when it is written: once it lasts, once, and once more when it is over."""

from dataclasses import replace
from typing import Any

import pytest

from jobs import NOW, OFFER, binding, bound_status, record, shown
from sampan.controller.members.outage import Outage
from sampan.controller.observation.presence import PodProblem, ProblemKind
from sampan.controller.reconcile import actions as a
from sampan.controller.reconcile.view import stalls as h
from sampan.controller.state.record import JobRecord
from sampan.model.members.offer_reasons import OfferReason
from sampan.model.status.job_status import JobStatus
from sampan.model.status.reasons import JobConditionType, JobReason

TIMES = a.Times(now=NOW, tombstone=30_000, counters=15_000, last_write=NOW - 60_000)
SINCE = "since 2027-01-15T07:59:00Z"
"""A minute before NOW."""


def trouble(why: ProblemKind, *, node: str = "n1", pod: str = "p", **over: Any) -> PodProblem:
    """A pod that has been in trouble for a minute."""
    return replace(PodProblem(pod=pod, uid=pod, node=node, kind=why, since=NOW - 60_000, report_at=NOW - 50_000), **over)


def told(job: JobRecord, up: h.Stall | None, times: a.Times = TIMES, *, known: bool = True) -> a.Action:
    """What is done about a job that waits."""
    return h.report_stall(job, h.StallState(known=known, stall=up), a.Wait(), times=times)


def written(job: JobRecord, up: h.Stall | None, times: a.Times = TIMES) -> JobRecord:
    """The job after what must be a write."""
    action = told(job, up, times)
    assert isinstance(action, a.Patch)
    assert action.status != job.status
    return record(status=action.status)


def up(*troubles: PodProblem, ended: bool = False) -> h.Stall:
    """What delays by these troubles."""
    found = h.of_pods(troubles, ended=ended)
    assert found is not None
    return found


RUNNING = record(status=bound_status(binding(remote_uid="remote-1"), running=True))

WORDS = [
    (
        up(trouble(ProblemKind.NODE_UNREACHABLE)),
        JobConditionType.DEGRADED,
        "NodeUnreachable",
        f"Node n1 does not answer {SINCE}: 1 pod is there and may run",
    ),
    (up(trouble(ProblemKind.NODE_NOT_READY)), JobConditionType.DEGRADED, "NodeNotReady", f"Node n1 is not ready {SINCE}: 1 pod is there"),
    (
        up(trouble(ProblemKind.NODE_GONE)),
        JobConditionType.DEGRADED,
        "NodeGone",
        f"Node n1 is gone {SINCE}: 1 pod is there; the member will remove it.",
    ),
    (
        up(trouble(ProblemKind.NODE_UNREACHABLE), ended=True),
        JobConditionType.DELETING,
        "WaitingForPods",
        f"Node n1 does not answer {SINCE}",
    ),
    (
        up(trouble(ProblemKind.TERMINATING, detail="EvictionByEvictionAPI")),
        JobConditionType.DEGRADED,
        "PodsTerminating",
        f"{SINCE}: pod p on node n1 (EvictionBy",
    ),
    (
        up(trouble(ProblemKind.TERMINATING), ended=True),
        JobConditionType.DELETING,
        "WaitingForPods",
        f"Terminating {SINCE}: pod p on node n1.",
    ),
    (
        up(trouble(ProblemKind.FINALIZERS, detail="a/b"), ended=True),
        JobConditionType.DELETING,
        "WaitingForFinalizers",
        f"Kept by finalizer a/b {SINCE}: pod p.",
    ),
    (
        h.kept_job("a/b", since=NOW - 60_000),
        JobConditionType.DELETING,
        "WaitingForFinalizers",
        f"deleted {SINCE}, and kept on the member by finalizer a/b",
    ),
    (h.slow_removal(since=NOW - 60_000), JobConditionType.DELETING, "WaitingForPods", f"has not removed the copy or its pods {SINCE}"),
    (
        h.not_whole(ready=1, replicas=2, since=NOW - 60_000),
        JobConditionType.DEGRADED,
        "PodsNotReady",
        f"Only 1 of 2 pods are ready {SINCE}.",
    ),
    (
        h.offer_gone(OFFER, since=NOW - 60_000),
        JobConditionType.DEGRADED,
        "OfferGone",
        f"Offer prov-a/lingang is gone {SINCE}: a copy may run",
    ),
    (h.newer_copy(7, ended=False, since=NOW), JobConditionType.DEGRADED, "NewerCopy", "a copy of attempt 7"),
]


@pytest.mark.parametrize(("found", "kind", "reason", "words"), WORDS, ids=lambda value: value if isinstance(value, str) else "")
def test_in_words(found: h.Stall, kind: str, reason: str, words: str) -> None:
    assert (found.kind, str(found.reason)) == (kind, reason)
    assert words in found.message
    assert len(found.message.encode()) <= 256


@pytest.mark.parametrize(
    ("reason", "ended", "unsent", "want", "words"),
    [
        (OfferReason.UNREACHABLE, False, False, "MemberUnreachable", "does not answer since"),
        (OfferReason.UNREACHABLE, False, True, "WaitingForMember", "nothing was sent there yet"),
        (OfferReason.UNREACHABLE, True, False, "WaitingForMember", "the copy there is removed when it is back"),
        (OfferReason.UNAUTHORIZED, False, False, "MemberUnreachable", "cannot be worked with since"),
        (OfferReason.MISSING_PERMISSIONS, False, False, "MemberUnreachable", "(MissingPermissions)"),
    ],
)
def test_a_member_that_is_away(reason: OfferReason, ended: bool, unsent: bool, want: str, words: str) -> None:
    found = h.away(Outage(since=NOW - 60_000, reason=reason), OFFER, ended=ended, unsent=unsent)
    assert (str(found.reason), found.kind) == (want, JobConditionType.DELETING if ended else JobConditionType.DEGRADED)
    assert words in found.message
    assert "offer prov-a/lingang" in found.message
    assert isinstance(told(RUNNING, found), a.Patch), "whoever says so has waited long enough"


def test_the_worst_comes_first_and_many_names_are_cut() -> None:
    many = [trouble(ProblemKind.NODE_UNREACHABLE, node=f"node-{n}", pod=f"p{n}", since=NOW - n * 1000) for n in range(1, 61)]
    found = up(*many, trouble(ProblemKind.TERMINATING))
    assert found.message.startswith(f"Nodes node-1, node-10, node-11 and 57 more do not answer {SINCE}: 60 pods are there")
    assert len(up(*(replace(each, node="n" * 48 + each.node) for each in many)).message.encode()) <= 256
    assert str(up(*many, trouble(ProblemKind.NODE_GONE)).reason) == "NodeGone"


def test_what_passes_is_not_worth_a_write() -> None:
    young = up(trouble(ProblemKind.NODE_NOT_READY, report_at=NOW + 4_000))
    assert told(RUNNING, young) == a.Wait(4_000), "it is looked at again when it has lasted"
    assert h.report_stall(RUNNING, h.StallState(known=True, stall=young), a.Wait(1_000), times=TIMES) == a.Wait(1_000)


def test_it_is_written_once_and_once_more_when_it_is_over() -> None:
    lost = up(trouble(ProblemKind.NODE_UNREACHABLE))
    job = written(RUNNING, lost)
    assert told(job, lost) == a.Wait()
    assert told(job, None, known=False) == a.Wait(), "nothing is taken back while the member is only just being looked at"
    calm = written(job, None)
    assert calm.status.stall is None
    assert told(calm, None) == a.Wait()
    assert (calm.status.reason, calm.status.phase) == ("PodsRunning", "Running")


def test_a_restart_makes_nothing_younger() -> None:
    job = written(RUNNING, up(trouble(ProblemKind.NODE_UNREACHABLE)))
    again = up(trouble(ProblemKind.NODE_UNREACHABLE, since=NOW + 5_000, report_at=NOW + 15_000))
    assert told(job, again) == a.Wait()


def test_another_reason_waits_until_it_has_lasted_and_the_first_one_stays_till_then() -> None:
    job = written(RUNNING, up(trouble(ProblemKind.NODE_UNREACHABLE)))
    gone = up(trouble(ProblemKind.NODE_GONE, report_at=NOW + 4_000))
    assert told(job, gone) == a.Wait(4_000)
    later = written(job, gone, replace(TIMES, now=NOW + 4_000))
    assert later.status.reason == "NodeGone"


def test_mere_words_are_written_as_seldom_as_counters() -> None:
    job = written(RUNNING, up(trouble(ProblemKind.NODE_UNREACHABLE)))
    two = up(trouble(ProblemKind.NODE_UNREACHABLE), trouble(ProblemKind.NODE_UNREACHABLE, node="n2", pod="q", since=NOW))
    assert told(job, two, replace(TIMES, last_write=NOW - 1_000)) == a.Wait(14_000)
    both = written(job, two)
    assert str(both.status.message).startswith(f"Nodes n1, n2 do not answer {SINCE}: 2 pods are there")


def test_a_deletion_that_waits_takes_the_place_of_the_loss_it_waits_for() -> None:
    job = written(written(RUNNING, up(trouble(ProblemKind.NODE_UNREACHABLE))), up(trouble(ProblemKind.NODE_UNREACHABLE), ended=True))
    truths = {c["type"]: c["status"] for c in shown(job.status)["conditions"]}
    assert (truths[JobConditionType.DEGRADED], truths[JobConditionType.DELETING]) == ("False", "True")
    assert job.status.reason == str(JobReason.WAITING_FOR_PODS)


def test_a_job_that_was_never_held_up_is_not_written() -> None:
    for job in (RUNNING, record(), record(status=JobStatus().suspended(at=NOW))):
        assert told(job, None) == a.Wait()


def test_an_offer_is_told_how_many_jobs_are_left_and_what_they_wait_for() -> None:
    lost = written(RUNNING, up(trouble(ProblemKind.NODE_UNREACHABLE), ended=True)).status
    assert h.summarise([]) == ""
    assert h.summarise([RUNNING.status]) == "1 job is left"
    assert h.summarise([RUNNING.status, lost]).startswith("2 jobs are left; 1 stalled, such as by WaitingForPods: Node n1 does not")
