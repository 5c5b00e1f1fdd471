"""What ranks printed in one attempt: read on its member while its pods are there, afterwards what was kept of it."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

from sampan.controller.logs.follow import NoOutputError, RankLog
from sampan.controller.logs.kept import chosen_lines
from sampan.controller.logs.options import LogOptions
from sampan.controller.logs.pace import Pace
from sampan.controller.logs.pods import AttemptPods, LogWorld
from sampan.kube.objects.log_lines import Line


class AttemptOutput:
    """One attempt of one job, for one reader."""

    def __init__(self, world: LogWorld, job_uid: str, number: int, *, options: LogOptions, pace: Pace) -> None:
        """Nothing is asked yet."""
        self.number = number
        self._world, self._uid, self._options, self._pace = world, job_uid, options, pace

    def goes_on(self) -> bool:
        """Tell whether further pods may come."""
        shown = self._shown()
        return shown is not None and shown.goes_on

    async def ranks(self) -> list[int]:
        """Return the ranks of which there may be something, in order."""
        shown = self._shown()
        kept = [] if shown is not None and shown.goes_on else await self._world.kept_ranks(self._uid, self.number)
        return sorted({*kept, *(shown.ranks if shown is not None else ())})

    async def one(self, rank: int, *, prefixed: bool = False) -> AsyncGenerator[bytes, None]:
        """Yield what a rank printed. Raises NoOutputError."""
        shown = self._shown()
        if shown is not None and (shown.goes_on or shown.of_rank(rank)):
            log = RankLog(rank, self._options, look=self._shown, pace=self._pace)
            async with aclosing(log.batches()) as batches:
                async for batch in batches:
                    yield self._text(batch, rank if prefixed else None)
            return
        kept = await self._world.kept(self._uid, self.number, rank)
        if kept is None:
            raise NoOutputError(404, f"nothing was kept of rank {rank} of attempt {self.number}, and its pod is gone")
        await self._pace.spend(len(kept))
        yield self._text(chosen_lines(kept, self._options, self._world.now()), rank if prefixed else None)

    def _shown(self) -> AttemptPods | None:
        """What the member shows, while the attempt is the one that the job is bound to."""
        record = self._world.job(self._uid)
        shown = None if record is None else self._world.attempt_pods(record)
        return shown if shown is not None and shown.attempt == self.number else None

    def _text(self, lines: Iterable[Line], rank: int | None) -> bytes:
        """The lines as they are shown; with a rank before each, a long one in several: ranks must not end each other's lines."""
        prefix = b"" if rank is None else b"[%d] " % rank
        parts = []
        for line in lines:
            stamp = line.stamp + b" " if self._options.timestamps and line.stamp else b""
            end = b"" if rank is None or line.ends else b"\n"
            parts += [prefix, stamp, line.text, end]
        return b"".join(parts)
