"""A state, a writer of refusals, and a hub that notes what is written. No test lives here."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from jobs import NOW, body, shown
from sampan.controller.hub.refusal_writer import RefusalWriter
from sampan.controller.state.record import JobRecord
from sampan.controller.state.store import State
from sampan.kube.errors import Conflict
from sampan.model.plan import Refusal
from sampan.model.reason import Reason
from sampan.model.status.generation import with_observed_generation
from sampan.model.status.job_status import JobStatus
from sampan.model.values.timestamp import to_rfc3339
from unit.controller.fakes import FakeMemberSource

REGION, ROOM = Reason.REGION_EXCLUDED, Reason.INSUFFICIENT_CAPACITY


class Scene:
    """A state, a writer, and a hub that notes when it was written to; the clock follows the loop's."""

    def __init__(self) -> None:
        self.state = State(FakeMemberSource(), currency="CNY", cooldown=0)
        self.writes: list[tuple[float, str, str]] = []
        self.fail = 0
        self.version = 100
        self.members_met = True
        self.task: asyncio.Task[None] | None = None
        self.start()

    def start(self) -> None:
        """Start the writer anew, as after a restart."""
        if self.task is not None:
            self.task.cancel()
        self.writer = RefusalWriter(self.state, self, self.clock, members_met=lambda: self.members_met)  # type: ignore[arg-type]
        self.task = asyncio.create_task(self.writer.run())

    def clock(self) -> int:
        return NOW + int(asyncio.get_running_loop().time() * 1000)

    async def write_status(self, record: JobRecord, status: JobStatus) -> dict[str, Any]:
        reason = next(c["reason"] for c in shown(status)["conditions"] if c["type"] == "Scheduled")
        self.writes.append((asyncio.get_running_loop().time(), record.uid, reason))
        if self.fail:
            self.fail -= 1
            raise Conflict(409, "Conflict", "changed")
        self.version += 1
        status = with_observed_generation(status, record.status, record.generation)
        return json.loads(json.dumps(body(record.uid, resourceVersion=str(self.version), generation=record.generation, status=status)))  # type: ignore[no-any-return]

    def add(self, uid: str = "u1", *, ago: int = 60_000, **kwargs: Any) -> None:
        self.state.apply_job(body(uid, **{"creationTimestamp": to_rfc3339(NOW - ago), **kwargs}))

    def hear(self, reason: Reason | None = ROOM, *uids: str, counts: Mapping[Reason, int] | None = None) -> None:
        """The scheduler refused these jobs, or all that wait, in its last cycle."""
        jobs = [job for job in self.state.snapshot(self.clock()).jobs if not uids or job.uid in uids]
        told = counts or ({reason: 1} if reason else {})
        self.writer.report(tuple(Refusal(job=job, counts=told) for job in jobs))

    def told(self) -> list[tuple[str, str]]:
        return [(uid, reason) for _, uid, reason in self.writes]


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    """A scene whose writer runs."""
    made = Scene()
    try:
        yield made
    finally:
        assert made.task is not None
        made.task.cancel()
        await asyncio.wait({made.task})
