"""Why a pod failed: by its own doing or by what happened to its node. Read from one pod, decided without any clock.

Lives here: the evidence that kubelets, the eviction API and the member's controllers leave on a pod.
Must never live here: what follows from it; and no text that was not cleaned.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from sampan.kube.objects.reasons import PodReason
from sampan.kube.objects.workloads import Condition, Pod, StateTerminated
from sampan.kube.text import clean_text
from sampan.model.status.reasons import AttemptReason, JobReason, MemberWord, StatedReason
from sampan.model.values.timestamp import from_rfc3339

_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
_NO_WORD: Final = re.compile(r"[^A-Za-z0-9_]", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_TAIL: Final = 252
"""Bytes kept of the end of a log: with the ellipsis and a cut character they fit the 256 that any remote text may have."""
_NODE_REASONS: Final = frozenset(
    {
        *(PodReason.NODE_LOST, PodReason.NODE_SHUTDOWN, PodReason.SHUTDOWN, PodReason.TERMINATED),
        *(PodReason.PREEMPTING, PodReason.NODE_AFFINITY, PodReason.UNEXPECTED_ADMISSION_ERROR),
    }
)
"""`status.reason` of pods that a kubelet or the node controller ended or refused."""
_NOT_STARTED: Final = frozenset({PodReason.START_ERROR, PodReason.CONTAINER_CANNOT_RUN})
"""Reasons of containers that a runtime could not start (containerd, Docker)."""
_VANISHED: Final = frozenset({PodReason.CONTAINER_STATUS_UNKNOWN, PodReason.UNKNOWN})
"""Reasons of containers that ended unseen, with whatever exit code: their node went away under them."""
_NO_PROGRAM: Final = re.compile(r"executable file not found|no such file or directory|permission denied|exec format error")
"""What a runtime says where the command is wrong: nobody but the tenant can mend it."""
_OWN_LIMIT: Final = re.compile(r"exceed(s the (total )?limit|ed its local ephemeral storage limit)")
"""Evictions over the pod's own storage limits: the program's fault, and the only ones since 1.26 without DisruptionTarget."""


class Cause(IntEnum):
    """Whose doing a failure was; of failures of the same second the lower one is believed to be the first."""

    DISRUPTION = 0
    """The node or the platform: drained, preempted, lost, refused by the kubelet."""
    PROGRAM = 1
    """The program itself: exit code, memory or storage limit."""
    DELETION = 2
    """Somebody deleted the pod; also what a Job controller does to the peers of a failed pod."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One pod's failure."""

    pod: str
    cause: Cause
    at: int | None
    """Milliseconds since the epoch by the member's clock; None where nothing tells."""
    reason: StatedReason
    exit_code: int | None = None
    message: str = ""
    ran: bool = True
    """A container of it had started."""

    @property
    def order(self) -> tuple[bool, int, int, str]:
        """Return the sort key: earliest first, unknown times last, then by cause and pod."""
        return self.at is None, self.at or 0, int(self.cause), self.pod


def word(text: str, otherwise: StatedReason = JobReason.UNKNOWN) -> StatedReason:
    """Return a remote reason if it is a word fit for a reason of ours."""
    return MemberWord(text) if _WORD.fullmatch(text) else otherwise


def as_reason(text: str, *, default: StatedReason = JobReason.UNKNOWN) -> StatedReason:
    """Return foreign text as a word that a condition's reason may be: letters, digits and underscores, at most 128."""
    return MemberWord(_NO_WORD.sub("", text).lstrip("0123456789_")[:128]) or default


def tail(text: str, head: str = "") -> str:
    """Return head and the cleaned end of a text in at most 256 bytes: of a log it is the last lines that say what went wrong."""
    room = _TAIL - len(head.encode())
    data = text[-_TAIL:].strip().encode("utf-8", "ignore")
    cut = "…" if len(data) > room or len(text) > _TAIL else ""
    return clean_text(head + cut + data[-room:].decode("utf-8", "ignore"))


class Indexes:
    """The indexes that a text such as `0-3,7` names; texts that are no such thing name none."""

    def __init__(self, text: str) -> None:
        """Read the text once, however many indexes are asked about."""
        self._ends: list[tuple[int, int]] = []
        """Last and first of each range, apart from each other and in order."""
        for first, last in sorted(each for each in _ranges(text) if each[0] <= each[1]):
            if self._ends and first <= self._ends[-1][0]:
                before, start = self._ends.pop()
                self._ends.append((max(last, before), start))
            else:
                self._ends.append((last, first))

    def __bool__(self) -> bool:
        """Tell whether it names any."""
        return bool(self._ends)

    def __contains__(self, index: object) -> bool:
        """Tell whether an index, as a label has it, is among them."""
        if not isinstance(index, str) or not _NUMBER.fullmatch(index):
            return False
        place = bisect_left(self._ends, (int(index),))
        return place < len(self._ends) and self._ends[place][1] <= int(index)


def count_of(indexes: str) -> int:
    """Return how many indexes a text such as `0-3,7` names."""
    return sum(max(high - low + 1, 0) for low, high in _ranges(indexes))


def _ranges(indexes: str) -> Iterator[tuple[int, int]]:
    for part in indexes[:65_536].split(","):
        low, _, high = part.partition("-")
        if _NUMBER.fullmatch(low) and _NUMBER.fullmatch(high or low):
            yield int(low), int(high or low)


def disruption(pod: Pod) -> Condition | None:
    """Return the condition by which the platform says that it is ending, or ended, this pod."""
    return next((c for c in pod.status.conditions if c.type == PodReason.DISRUPTION_TARGET and c.status == "True"), None)


def failure_of(pod: Pod) -> Failure | None:
    """Return why a pod failed; None for a pod in any other phase."""
    if pod.status.phase != "Failed":
        return None
    container, ended = _terminated(pod)
    exit_code = None if ended is None else min(max(ended.exit_code, 0), 255)
    target = disruption(pod)
    if target is not None:
        at = from_rfc3339(target.last_transition_time)
        message = clean_text(target.message)
        reason = word(target.reason)
        return Failure(
            pod=pod.metadata.name, cause=Cause.DISRUPTION, at=at, reason=reason, exit_code=exit_code, message=message, ran=_ran(pod)
        )
    cause, reason = _judge(pod, ended)
    at = from_rfc3339(ended.finished_at if ended else None) or from_rfc3339(pod.status.start_time or pod.metadata.creation_timestamp)
    said = clean_text(pod.status.message)
    if ended is not None and cause is Cause.PROGRAM:
        said = tail(ended.message or pod.status.message, _of_beginning(pod, container))
    return Failure(pod=pod.metadata.name, cause=cause, at=at, reason=reason, exit_code=exit_code, message=said, ran=_ran(pod))


def _judge(pod: Pod, ended: StateTerminated | None) -> tuple[Cause, StatedReason]:
    """Cause and reason of a failed pod without DisruptionTarget."""
    status = pod.status
    if status.reason == PodReason.EVICTED and _OWN_LIMIT.search(status.message[:1024]):
        return Cause.PROGRAM, MemberWord(PodReason.EVICTED)
    if status.reason == PodReason.EVICTED or status.reason in _NODE_REASONS:
        return Cause.DISRUPTION, MemberWord(status.reason)
    if ended is None:  # never started: a program that did not run cannot have failed
        # a word such as OutOfnvidia.com/gpu is no reason yet
        return Cause.DISRUPTION, as_reason(status.reason[:64], default=AttemptReason.NEVER_STARTED)
    if ended.reason in _VANISHED:
        return Cause.DISRUPTION, MemberWord(ended.reason)
    if pod.metadata.deletion_timestamp:
        return Cause.DELETION, AttemptReason.POD_DELETED
    return Cause.PROGRAM, word(ended.reason, AttemptReason.ERROR)


def _ran(pod: Pod) -> bool:
    """Tell whether a container had started; a command that does not exist counts, because no other node would have it."""
    for status in (*pod.status.init_container_statuses, *pod.status.container_statuses):
        ended = status.state.terminated or status.last_state.terminated
        if status.state.running is not None or (ended is not None and not _refused_by_runtime(ended)):
            return True
    return False


def _refused_by_runtime(ended: StateTerminated) -> bool:
    return ended.reason in _NOT_STARTED and _NO_PROGRAM.search(ended.message[:4096]) is None


def _terminated(pod: Pod) -> tuple[str, StateTerminated | None]:
    """Which container ended how: the first that failed, else the first that ended.

    The pod's own containers before those of its beginning: when they have ended, sidecars are stopped, and end by the signal.
    """
    statuses = (*pod.status.container_statuses, *pod.status.init_container_statuses)
    ended = [(each.name, each.state.terminated) for each in statuses if each.state.terminated is not None]
    return next((each for each in ended if each[1].exit_code != 0), ended[0] if ended else ("", None))


def _of_beginning(pod: Pod, container: str) -> str:
    """Words for a container that starts before the main one; empty for any other, whose failure is the job's own."""
    names = (each.name for each in pod.status.init_container_statuses)
    return f"init container {clean_text(container, 63)}: " if container and container in names else ""
