"""What a job's status says of its copy, and when that is worth a write. Pure: values in, values out.

Lives here: the words and counts of `status.remote`, and that what says the same is not written again.
Must never live here: what to do about them (decide).
"""

from typing import Any, Final, NamedTuple

from sampan.api import status as job_status
from sampan.api.status import Status
from sampan.controller.actions import Times, Try
from sampan.controller.jobs import JobRecord
from sampan.controller.observe import Observation
from sampan.kube.text import same_words
from sampan.kube.workloads import Job as RemoteJob

SETTLE_MILLIS: Final = 2000
"""How long counts must have been the same before they are written by themselves."""
NEWS_MILLIS: Final = 8_000
"""Least time between a write and the next word about the member: whoever changes its mind all the time is not followed."""
CHANCE_MILLIS: Final = 4_000
"""For how long a call may fail before it is told, unless it failed twice."""
PULLING: Final = ("ErrImagePull", "ImagePullBackOff")
"""Words that a kubelet says in turn while an image cannot be pulled; the second is the one that stays."""


class Look(NamedTuple):
    """A copy, what was seen of it, and for how many milliseconds its counts have been the same."""

    copy: RemoteJob
    seen: Observation
    still_for: int


def summary(job: JobRecord, seen: Observation, times: Times) -> dict[str, Any]:
    """Return `status.remote`; words that say the same as those that are told stay as they are told."""
    counts = {"active": seen.active, "ready": seen.ready, "succeeded": seen.succeeded, "failed": seen.failed, "pending": seen.pending}
    reason, message = _settled(job.status.get("remote") or {}, seen.reason, seen.message)
    words = {"reason": reason or None, "message": message or None, "exitCode": seen.exit_code}
    return {**counts, **words, "observedAt": job_status.to_rfc3339(times.now)}


def _settled(told: dict[str, Any], reason: str, message: str) -> tuple[str, str]:
    known, words = str(told.get("reason") or ""), str(told.get("message") or "")
    if known == PULLING[1] and reason in PULLING:
        return known, words  # the kubelet says both in turn
    return (known, words) if known == reason and same_words(words, message) else (reason, message)


def counters_due(job: JobRecord, status: Status, times: Times, *, still_for: int) -> int | None:
    """Return in how many milliseconds to write what was counted; None where nothing changed. A new reason is shown soon.

    Counts are written only once they stand still: pods that end are mostly the last but one word, the Job's result follows.
    """
    told, seen = job.status.get("remote") or {}, status["remote"]
    if _same_counters(told, seen):
        return None
    if seen.get("reason") and seen.get("reason") != told.get("reason"):
        return max(times.last_write + NEWS_MILLIS - times.now, 0) if told.get("reason") else 0
    return max(times.last_write + times.counters - times.now, min(SETTLE_MILLIS, times.counters) - still_for)


def _same_counters(old: dict[str, object], new: dict[str, object]) -> bool:
    return {k: v for k, v in old.items() if k != "observedAt"} == {k: v for k, v in new.items() if k != "observedAt"}


def by_chance(tried: Try, now: int) -> bool:
    """Tell whether what failed, or came to nothing, may be over with the next try: then it is not told."""
    return tried.times < 2 and now - tried.since < CHANCE_MILLIS


def troubled(job: JobRecord, tried: Try, times: Times) -> Status | None:
    """Return the status that tells of a call which fails again and again; None while that may be chance, or once it is told."""
    if not tried.reason or by_chance(tried, times.now) or (job.phase.ended and not job.deleting):
        return None
    told = job.status.get("remote") or {}
    if told.get("reason") == tried.reason and same_words(str(told.get("message") or ""), tried.message):
        return None
    if told.get("reason") and times.last_write + NEWS_MILLIS > times.now:
        return None
    remote = {**told, "reason": tried.reason, "message": tried.message, "observedAt": job_status.to_rfc3339(times.now)}
    return job_status.with_remote(job.status, remote, None, at=times.now)
