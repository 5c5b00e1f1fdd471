"""What stalls a bound job, as the one condition that says so: lost nodes, a silent member, pods and finalizers that stay. Pure.

Nothing here acts: no pod is deleted by force and no job is moved, because nobody knows whether a pod on a silent node still runs.
A state that merely passes is not worth a write: what stalls is told once it has lasted for a while.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sampan.controller.members.outage import Outage
from sampan.controller.observation.presence import PodProblem, ProblemKind
from sampan.controller.reconcile.actions import Action, Patch, Times, Wait
from sampan.controller.state.record import JobRecord
from sampan.kube.text import clean_text
from sampan.model.members.offer import OfferKey
from sampan.model.status.job_status import JobStatus
from sampan.model.status.reasons import JobConditionType, JobReason
from sampan.model.values.timestamp import from_rfc3339, to_rfc3339

REPORT_AFTER: Final = 10_000
"""Milliseconds for which something must have stalled a job before it is told."""
REMOVED_AFTER: Final = 60_000
"""The same for a removal that takes long for no reason that can be seen."""
MAX_NAMES: Final = 3
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """What stalls a job."""

    kind: JobConditionType
    """Degraded or Deleting."""
    reason: JobReason
    message: str
    report_at: int
    """When it has lasted for long enough to be told; milliseconds since the epoch."""


@dataclass(frozen=True, slots=True)
class StallState:
    """What is known of what stalls a job. `known` is false while the member is only just being looked at: what was told stays."""

    known: bool
    stall: Stall | None = None


def report_stall(job: JobRecord, outlook: StallState, wait: Wait, *, times: Times) -> Action:
    """Return the write that says what stalls a waiting job, or that it is over; `wait` where the status is as it should be."""
    if not outlook.known:
        return wait
    up, now = outlook.stall, job.status.stall
    if up is None:
        return wait if now is None else Patch(job.status.without_stall(times.now))
    known = job.status.condition(up.kind)
    told = known.message if known is not None and known.is_true and known.reason == up.reason else None
    if told is None and times.now < up.report_at:
        return _sooner(wait, up.report_at - times.now)
    message = up.message if told is None else _with_older_time(up.message, told)
    if message == told and now is known:
        return wait
    if told is not None and times.now < times.last_write + times.counters:
        return _sooner(wait, times.last_write + times.counters - times.now)  # only the words differ
    return Patch(job.status.with_stall(up.kind, reason=up.reason, message=message, at=times.now))


def _sooner(wait: Wait, millis: int) -> Wait:
    return Wait(millis if wait.millis is None else min(wait.millis, millis))


def _with_older_time(message: str, before: str) -> str:
    """Return the message with the time that was told before, where that is older: a restart makes nothing younger."""
    new, old = _TIME.search(message), _TIME.search(before)
    if new is None or old is None or (from_rfc3339(old.group()) or 0) >= (from_rfc3339(new.group()) or 0):
        return message
    return message.replace(new.group(), old.group())


def summarise(statuses: Iterable[JobStatus]) -> str:
    """Return in words how many jobs there are, and what stalls the first of them that says so."""
    known = list(statuses)
    if not known:
        return ""
    stalled = [status.stall for status in known if status.stall is not None]
    words = "1 job is left" if len(known) == 1 else f"{len(known)} jobs are left"
    return f"{words}; {len(stalled)} stalled, such as by {stalled[0].reason}: {stalled[0].message}" if stalled else words


def away(outage: Outage, offer: OfferKey, *, ended: bool, unsent: bool) -> Stall:
    """Return that a member cannot be worked with. Whoever says so has waited long enough."""
    reason = JobReason.WAITING_FOR_MEMBER if ended or unsent else JobReason.MEMBER_UNREACHABLE
    does = "does not answer" if outage.reason == "Unreachable" else "cannot be worked with"
    what = f"The member of offer {offer} {does} since {to_rfc3339(outage.since)} ({outage.reason})"
    after = "the copy there is removed when it is back" if ended else "the job stays there: a copy may run, and is not doubled"
    if unsent and not ended:
        after = "nothing was sent there yet; after startDeadlineSeconds the job goes elsewhere"
    return _stall(ended, reason, f"{what}: {after}.", ripe_at=outage.since)


def offer_gone(offer: OfferKey, *, since: int) -> Stall:
    """Return that no offer leads to the member any more."""
    words = "a copy may run on its member: create the offer again, or delete the job"
    return _stall(False, JobReason.OFFER_GONE, f"Offer {offer} is gone since {to_rfc3339(since)}: {words}.", ripe_at=since + REPORT_AFTER)


def newer_copy(attempt: int, *, ended: bool, since: int) -> Stall:
    """Return that the member has a copy of a later attempt than the hub knows of."""
    words = f"The member has a copy of attempt {attempt}, later than any that the hub knows: nothing is done to it. Delete that Job there."
    return _stall(ended, JobReason.NEWER_COPY, words, ripe_at=since + REPORT_AFTER)


def not_whole(*, ready: int, replicas: int, since: int) -> Stall:
    """Return that a gang ran whole and does so no longer, and nothing tells why."""
    words = f"Only {ready} of {replicas} pods are ready since {to_rfc3339(since)}."
    return _stall(False, JobReason.PODS_NOT_READY, words, ripe_at=since + REPORT_AFTER)


def kept_job(finalizers: str, *, since: int) -> Stall:
    """Return that somebody else's finalizer keeps the copy."""
    words = f"The copy is deleted since {to_rfc3339(since)}, and kept on the member by finalizer {finalizers}."
    return _stall(True, JobReason.WAITING_FOR_FINALIZERS, words, ripe_at=since + REPORT_AFTER)


def slow_removal(*, since: int) -> Stall:
    """Return that a removal takes long, and nothing tells why."""
    words = f"The member has not removed the copy or its pods since {to_rfc3339(since)}."
    return _stall(True, JobReason.WAITING_FOR_PODS, words, ripe_at=since + REMOVED_AFTER)


def of_pods(found: Sequence[PodProblem], *, ended: bool) -> Stall | None:
    """Return the worst of what is wrong with pods; None where nothing is. Each trouble has its `since` and `ripe_at`."""
    if not found:
        return None
    worst = min(each.kind for each in found)
    mine = [each for each in found if each.kind is worst]
    words, reason = _words(worst, mine, since=to_rfc3339(min(each.since or 0 for each in mine)))
    if ended:
        reason = JobReason.WAITING_FOR_FINALIZERS if worst is ProblemKind.FINALIZERS else JobReason.WAITING_FOR_PODS
    return _stall(ended, reason, words, ripe_at=min(each.report_at for each in mine))


def _words(worst: ProblemKind, mine: Sequence[PodProblem], *, since: str) -> tuple[str, JobReason]:
    """Return what is wrong in a sentence or two, and its reason for an attempt that is under way."""
    pods = _named("pod", "pods", (each.pod for each in mine))
    on = _named("node", "nodes", (each.node for each in mine if each.node))
    if worst is ProblemKind.FINALIZERS:
        return f"Kept by finalizer {mine[0].detail} since {since}: {pods}.", JobReason.PODS_TERMINATING
    if worst is ProblemKind.TERMINATING:
        because = f" ({mine[0].detail})" if mine[0].detail else ""
        return f"Terminating since {since}: {pods}{f' on {on}' if on else ''}{because}.", JobReason.PODS_TERMINATING
    several = len({each.node for each in mine}) > 1
    there = "1 pod is" if len(mine) == 1 else f"{len(mine)} pods are"
    words = f"{on[:1].upper() + on[1:]} {_STATES[worst][several]} since {since}: {there} there"
    return words + (_GONE if worst is ProblemKind.NODE_GONE else _STAYS), _NODE_REASONS[worst]


_NODE_REASONS: Final = {
    ProblemKind.NODE_GONE: JobReason.NODE_GONE,
    ProblemKind.NODE_UNREACHABLE: JobReason.NODE_UNREACHABLE,
    ProblemKind.NODE_NOT_READY: JobReason.NODE_NOT_READY,
}
_STATES: Final = {
    ProblemKind.NODE_GONE: ("is gone", "are gone"),
    ProblemKind.NODE_UNREACHABLE: ("does not answer", "do not answer"),
    ProblemKind.NODE_NOT_READY: ("is not ready", "are not ready"),
}
_GONE: Final = "; the member will remove it."
_STAYS: Final = " and may run: nothing is forced. A node that is lost for good must be deleted on the member."


def _named(one: str, many: str, names: Iterable[str]) -> str:
    """Return `node a`, or `nodes a, b, c and 2 more`."""
    known = sorted(set(names))
    if not known:
        return ""
    more = f" and {len(known) - MAX_NAMES} more" if len(known) > MAX_NAMES else ""
    return f"{one if len(known) == 1 else many} {', '.join(known[:MAX_NAMES])}{more}"


def _stall(ended: bool, reason: JobReason, message: str, *, ripe_at: int) -> Stall:
    return Stall(
        kind=JobConditionType.DELETING if ended else JobConditionType.DEGRADED,
        reason=reason,
        message=clean_text(message),
        report_at=ripe_at,
    )
