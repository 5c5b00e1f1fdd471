"""What became of each job, seen on the hub and on the members: when it was bound, created and ended, and whether one was lost or doubled.

It watches the API servers themselves and believes nothing that the operator says of itself. Never here: anything that changes a cluster.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

import msgspec

from bench.api import Api

GROUP = "/apis/sampan.dev/v1alpha1"
JOB_UID = "sampan.dev/job-uid"
ENDED = frozenset({"Succeeded", "Failed"})


class _Meta(msgspec.Struct, frozen=True):
    uid: str = ""
    version: str = msgspec.field(default="", name="resourceVersion")
    labels: dict[str, str] = {}


class _Binding(msgspec.Struct, frozen=True):
    attempt: int = 0


class _Status(msgspec.Struct, frozen=True):
    phase: str = "Pending"
    binding: _Binding | None = None


class _Object(msgspec.Struct, frozen=True):
    metadata: _Meta
    status: _Status = _Status()


class _Event(msgspec.Struct, frozen=True):
    type: str
    object: _Object


@dataclass(slots=True)
class Seen:
    """One job. Times are of the monotonic clock, 0 for what was not seen."""

    accepted: float = 0.0
    bound: float = 0.0
    created: float = 0.0
    running: float = 0.0
    ended: float = 0.0
    phase: str = "Pending"
    attempts: set[int] = field(default_factory=set)
    copies: set[str] = field(default_factory=set)
    """Member and UID of each copy that ever was."""
    live: set[str] = field(default_factory=set)
    gone: bool = False

    @property
    def dispatched(self) -> float:
        """Return when it was both bound and created; 0 before."""
        return max(self.bound, self.created) if self.bound and self.created else 0.0


class Witness:
    """Watches until its clients close."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self.jobs: dict[str, Seen] = {}
        self.gaps: list[str] = []
        self._decode = msgspec.json.Decoder(_Event).decode
        self._news = asyncio.Event()

    async def follow(self, hub: Api, members: Mapping[str, Api], *, namespace: str) -> None:
        """Begin to watch; `hub` and `members` are administrators' clients."""
        await hub.watch(f"{GROUP}/namespaces/{namespace}/computejobs", self.hub_line, ended=self._gap)
        for name, member in members.items():
            await member.watch("/apis/batch/v1/jobs", partial(self.member_line, name), ended=self._gap, params={"labelSelector": JOB_UID})

    def accepted(self, uid: str) -> None:
        """Hear that the hub accepted a job."""
        self._of(uid).accepted = time.monotonic()

    def of(self, uids: Iterable[str]) -> list[Seen]:
        """Return these jobs."""
        return [self.jobs[uid] for uid in uids]

    async def all_of(self, uids: list[str], what: str, *, seconds: float) -> None:
        """Return when all of these jobs have been `dispatched`, `ended` …; AssertionError with what is missing when the time is over."""
        try:
            async with asyncio.timeout(seconds):
                while not all(getattr(seen, what) for seen in self.of(uids)):
                    assert not self.gaps, self.gaps
                    self._news.clear()
                    await self._news.wait()
                    await asyncio.sleep(0.02)  # thousands of events: look at all jobs now and then
        except TimeoutError:
            missing = [uid for uid in uids if not getattr(self.jobs[uid], what)]
            raise AssertionError(f"{len(missing)} of {len(uids)} jobs not {what} within {seconds:.0f} s: {missing[:3]}") from None

    def problems(self, uids: Iterable[str], *, phase: str | None = None, gone: bool = False) -> list[str]:
        """Return what makes a figure void: lost or doubled jobs, those not in `phase`, and a watch that did not see everything.

        `gone`: they were deleted since.
        """
        told = list(self.gaps)
        for uid in uids:
            seen = self.jobs[uid]
            if len(seen.copies) != 1 or len(seen.attempts) != 1:
                told.append(f"job {uid}: {len(seen.copies)} copies, attempts {sorted(seen.attempts)}")
            if seen.gone != gone or (phase is not None and seen.phase != phase):
                told.append(f"job {uid}: {'gone from' if seen.gone else 'on'} the hub, {seen.phase}; wanted: {phase}")
        strangers = [uid for uid, seen in self.jobs.items() if not seen.accepted]
        return told + [f"job {uid} was never accepted" for uid in strangers]

    def _of(self, uid: str) -> Seen:
        return self.jobs.setdefault(uid, Seen())

    def _gap(self, what: str) -> None:
        self.gaps.append(what)
        self._news.set()

    def _told(self, line: bytes) -> _Event | None:
        """Return what changed; None for a bookmark. Raises ValueError for an error: the watch cannot go on."""
        event = self._decode(line)
        if event.type == "ERROR":
            raise ValueError(line[:300])
        return None if event.type == "BOOKMARK" else event

    def _strange(self, event: _Event, job_uid: str) -> bool:
        """Tell whether it is about a job that was there before we looked."""
        return event.type != "ADDED" and job_uid not in self.jobs

    def hub_line(self, line: bytes) -> str:
        """Take a line of a watch on the hub's jobs; returns the resource version it tells."""
        event = self._told(line)
        if event is None or self._strange(event, event.object.metadata.uid):
            return ""
        seen, status, now = self._of(event.object.metadata.uid), event.object.status, time.monotonic()
        seen.phase, seen.gone = status.phase, event.type == "DELETED"
        if status.binding is not None:
            seen.attempts.add(status.binding.attempt)
            seen.bound = seen.bound or now
        if status.phase == "Running":
            seen.running = seen.running or now
        if status.phase in ENDED:
            seen.ended = seen.ended or now
        self._news.set()
        return event.object.metadata.version

    def member_line(self, member: str, line: bytes) -> str:
        """Take a line of a watch on a member's Jobs; returns the resource version it tells."""
        event = self._told(line)
        if event is None or self._strange(event, event.object.metadata.labels[JOB_UID]):
            return ""
        meta = event.object.metadata
        seen, copy = self._of(meta.labels[JOB_UID]), f"{member}/{meta.uid}"
        seen.created = seen.created or time.monotonic()
        seen.copies.add(copy)
        (seen.live.discard if event.type == "DELETED" else seen.live.add)(copy)
        self._news.set()
        return meta.version
