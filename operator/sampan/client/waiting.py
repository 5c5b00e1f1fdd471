"""How jobs are followed to their end, and what exit code that is. Never here: printing, and what an interruption means.

Exit codes: 0 succeeded, 1 failed, 2 rejected, 4 the time ran out. Rejected outranks failed, failed outranks late.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from sampan.client import jobview
from sampan.client.access.hub import JOBS, HubApi, Object
from sampan.client.access.watch import Change, ObjectWatch
from sampan.client.errors import NotInTimeError, explained

SUCCEEDED, FAILED, REJECTED, TIMED_OUT = 0, 1, 2, 4
WORST_FIRST: Final = (REJECTED, FAILED, TIMED_OUT, SUCCEEDED)
TICK_SECONDS: Final = 0.5
"""How often a deadline is looked at while nothing happens."""


class Ending(StrEnum):
    """How a job ended, or that it did not."""

    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    DELETED = "Deleted"
    REJECTED = "Rejected"
    NOT_IN_TIME = "NotInTime"

    @property
    def exit_code(self) -> int:
        """What a program ends with that waited for this job alone."""
        codes = {Ending.SUCCEEDED: SUCCEEDED, Ending.REJECTED: REJECTED, Ending.NOT_IN_TIME: TIMED_OUT}
        return codes.get(self, FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one job ended; `reason` is `Reason: message`, empty where there is nothing to say."""

    namespace: str
    name: str
    ending: Ending
    reason: str = ""

    @property
    def exit_code(self) -> int:
        """0 succeeded, 1 failed or deleted, 2 rejected, 4 not ended in time."""
        return self.ending.exit_code

    @property
    def succeeded(self) -> bool:
        """Tell whether all is well."""
        return self.ending is Ending.SUCCEEDED


class Step(NamedTuple):
    """What is new of a job: its phase (`deleted` where it is gone), the offer and pool where it is bound, and why it is where it is."""

    job: Object
    phase: str
    place: str = ""
    reason: str = ""


class Follower:
    """Follows jobs to their ends: iterating yields each `Step`; afterwards, and where that was broken off, it tells what is known."""

    def __init__(self, api: HubApi, jobs: Sequence[Object], *, timeout: float | None = None) -> None:
        """`timeout`: seconds from the first step on, after which the jobs that have not ended are left to themselves."""
        self._api, self._jobs, self._timeout = api, list(jobs), timeout
        self._told: dict[str, Step] = {}
        self._endings: dict[str, Ending] = {}

    def __iter__(self) -> Iterator[Step]:
        """Yield what changes, until all have ended or the time is up."""
        deadline = None if self._timeout is None else time.monotonic() + self._timeout
        namespaces = {job["metadata"].get("namespace") for job in self._jobs}
        feed = ObjectWatch(self._api, JOBS, namespaces.pop() if len(namespaces) == 1 else None, known=self._jobs)
        with explained(), feed:
            while self.left and (deadline is None or time.monotonic() < deadline):
                change = feed.next(TICK_SECONDS)
                step = self._observe(change) if change else None
                if step is not None:
                    yield step

    @property
    def left(self) -> list[Object]:
        """The jobs that have not ended, as they were created."""
        return [job for job in self._jobs if job["metadata"]["uid"] not in self._endings]

    @property
    def in_vain(self) -> list[Object]:
        """Those that were rejected and are still there, waiting: for a change of the job or of what is offered."""
        uids = {uid for uid, ending in self._endings.items() if ending is Ending.REJECTED and self._told[uid].phase == "Pending"}
        return [job for job in self._jobs if job["metadata"]["uid"] in uids]

    @property
    def outcomes(self) -> list[Outcome]:
        """One of each job, in the order in which they were given; one that has not ended by now is `NotInTime`."""
        return [self._outcome(job["metadata"]) for job in self._jobs]

    @property
    def exit_code(self) -> int:
        """The gravest of the codes."""
        codes = {outcome.exit_code for outcome in self.outcomes}
        return next(code for code in WORST_FIRST if code in codes or code == SUCCEEDED)

    def _outcome(self, metadata: Object) -> Outcome:
        uid = metadata["uid"]
        ending, told = self._endings.get(uid, Ending.NOT_IN_TIME), self._told.get(uid)
        return Outcome(namespace=metadata["namespace"], name=metadata["name"], ending=ending, reason=told.reason if told else "")

    def _observe(self, change: Change) -> Step | None:
        """What a change says; None where it is of another job, or nothing that a person wants to know is new."""
        job, uid = change.object, change.object["metadata"]["uid"]
        if all(uid != open_job["metadata"]["uid"] for open_job in self.left):
            return None
        if change.kind == "DELETED":
            self._endings[uid] = Ending.DELETED
            return Step(job, "deleted")
        step = Step(job, jobview.phase(job), jobview.place(job), jobview.reason(job))
        ending = ending_of(job)
        if ending is not None:
            self._endings[uid] = ending
        before, self._told[uid] = self._told.get(uid), step
        return None if before is not None and before[1:] == step[1:] else step


def ending_of(job: Object) -> Ending | None:
    """How a job ended; None where it has not."""
    if jobview.rejected(job):
        return Ending.REJECTED
    phase = jobview.phase(job)
    return Ending(phase) if phase in jobview.ENDED else None


def until_gone(api: HubApi, jobs: Sequence[Object], *, timeout: float | None = None) -> None:
    """Wait until nothing is left of jobs that are being deleted. Raises `NotInTimeError`. All are of one namespace."""
    left = {job["metadata"]["uid"]: job["metadata"]["name"] for job in jobs}
    deadline = None if timeout is None else time.monotonic() + timeout
    with ObjectWatch(api, JOBS, jobs[0]["metadata"]["namespace"], known=jobs) as feed:
        while left and (deadline is None or time.monotonic() < deadline):
            change = feed.next(TICK_SECONDS)
            if change is not None and change.kind == "DELETED":
                left.pop(change.object["metadata"]["uid"], None)
    if left:
        there = ", ".join(sorted(left.values()))
        raise NotInTimeError(f"not gone within {timeout:g} s: {there}", "they are being deleted; look with sampan jobs")
