"""A job's output as bytes: one rank's as it is, all ranks' with the rank before each line; followed, from one attempt to the next."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from typing import Final

from sampan.controller.logs.follow import LOOK_EVERY, NoOutputError, RankLog
from sampan.controller.logs.options import LogOptions
from sampan.controller.logs.pace import Pace
from sampan.controller.logs.pods import AttemptPods, LogWorld
from sampan.controller.state.record import JobRecord
from sampan.kube.objects.log_lines import Line
from sampan.model.lifecycle import Phase

MAX_RANKS: Final = 64
"""Ranks that are followed at the same time."""
_WAITING: Final = 16
"""Batches of lines of all ranks that wait for their reader."""


class JobOutput:
    """What one reader gets of one job."""

    def __init__(self, world: LogWorld, record: JobRecord, options: LogOptions, pace: Pace) -> None:
        """Nothing is asked before `chunks`."""
        self._world, self._uid, self._options, self._pace = world, record.uid, options, pace
        self._name = f"{record.namespace}/{record.name}"

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the output. Raises NoOutputError where there is none, or where it breaks off."""
        if not self._options.follow:
            shown = self._shown()
            if shown is None:
                raise NoOutputError(400, f"computejob {self._name} has no attempt on a member now; follow waits for the next one")
            async with aclosing(self._attempt(shown.attempt, self._options)) as chunks:
                async for chunk in chunks:
                    yield chunk
            return
        options, read = self._options, 0
        while (number := await self._next_attempt(read)) is not None:
            if read:
                yield f"--- attempt {number} ---\n".encode()
                options = options.whole()
            async with aclosing(self._attempt(number, options)) as chunks:
                async for chunk in chunks:
                    yield chunk
            read = number

    async def _next_attempt(self, read: int) -> int | None:
        """The attempt after those that were read, once it is there; None where there will be none."""
        while True:
            record = self._world.job(self._uid)
            if record is None:
                return None
            binding = record.binding
            if binding is not None and binding.attempt > read:
                return binding.attempt
            if record.phase in (Phase.SUCCEEDED, Phase.FAILED) or record.deleting:
                return None
            await asyncio.sleep(LOOK_EVERY)

    def _shown(self, attempt: int | None = None) -> AttemptPods | None:
        record = self._world.job(self._uid)
        shown = None if record is None else self._world.attempt_pods(record)
        return shown if shown is not None and attempt in (None, shown.attempt) else None

    def _attempt(self, number: int, options: LogOptions) -> AsyncGenerator[bytes, None]:
        if options.rank is not None:
            return self._one(number, options.rank, options)
        return self._followed(number, options) if options.follow else self._in_turn(number, options)

    def _log(self, number: int, rank: int, options: LogOptions) -> RankLog:
        return RankLog(rank, options, look=lambda: self._shown(number), pace=self._pace)

    async def _one(self, number: int, rank: int, options: LogOptions) -> AsyncGenerator[bytes, None]:
        async with aclosing(self._log(number, rank, options).batches()) as batches:
            async for batch in batches:
                yield b"".join(_plain(batch, stamps=options.timestamps))

    async def _in_turn(self, number: int, options: LogOptions) -> AsyncGenerator[bytes, None]:
        """Rank after rank; one that has not started is passed over, if any has."""
        shown = self._shown(number)
        ranks = () if shown is None else shown.ranks
        nothing: NoOutputError | None = None
        some = False
        for rank in ranks:
            try:
                async with aclosing(self._log(number, rank, options).batches()) as batches:
                    async for batch in batches:
                        some = True
                        yield b"".join(_prefixed(batch, rank, stamps=options.timestamps))
            except NoOutputError as error:
                nothing = error
        if not some and (nothing is not None or not ranks):
            raise nothing or NoOutputError(404, f"attempt {number} of computejob {self._name} has no pod")

    async def _followed(self, number: int, options: LogOptions) -> AsyncGenerator[bytes, None]:
        """All ranks at the same time, those too that come later."""
        queue: asyncio.Queue[bytes] = asyncio.Queue(_WAITING)
        tasks: dict[int, asyncio.Task[None]] = {}
        try:
            while not self._is_read(number, tasks) or not queue.empty():
                self._begin(number, options, queue, tasks)
                chunk = await _within(LOOK_EVERY, queue)
                if chunk:
                    yield chunk
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)

    def _begin(self, number: int, options: LogOptions, queue: "asyncio.Queue[bytes]", tasks: dict[int, "asyncio.Task[None]"]) -> None:
        """Read the ranks that have come, as many as may be read at once."""
        shown = self._shown(number)
        new = [] if shown is None else [rank for rank in shown.ranks if rank not in tasks]
        room = MAX_RANKS - sum(not task.done() for task in tasks.values())
        for rank in new[:room]:
            tasks[rank] = asyncio.create_task(self._into(queue, number, rank, options))

    def _is_read(self, number: int, tasks: Mapping[int, "asyncio.Task[None]"]) -> bool:
        """Tell whether the attempt has ended and every rank there is was read. What broke a task is raised."""
        for task in tasks.values():
            if task.done():
                task.result()
        shown, record = self._shown(number), self._world.job(self._uid)
        goes_on = record is not None and record.attempt_open and shown is not None
        left = () if shown is None else shown.ranks
        return not goes_on and all(task.done() for task in tasks.values()) and tasks.keys() >= set(left)

    async def _into(self, queue: "asyncio.Queue[bytes]", number: int, rank: int, options: LogOptions) -> None:
        try:
            async with aclosing(self._log(number, rank, options).batches()) as batches:
                async for batch in batches:
                    await queue.put(b"".join(_prefixed(batch, rank, stamps=options.timestamps)))
        except NoOutputError as error:
            await queue.put(f"[{rank}] {error}\n".encode())


async def _within(seconds: float, queue: "asyncio.Queue[bytes]") -> bytes:
    """The next of a queue; nothing where none came in time."""
    try:
        async with asyncio.timeout(seconds):
            return await queue.get()
    except TimeoutError:
        return b""


def _plain(lines: Iterable[Line], *, stamps: bool) -> Iterable[bytes]:
    for line in lines:
        if stamps and line.stamp:
            yield line.stamp + b" "
        yield line.text


def _prefixed(lines: Iterable[Line], rank: int, *, stamps: bool) -> Iterable[bytes]:
    """Each line whole for itself, a long one in several: ranks must not end each other's lines."""
    prefix = b"[%d] " % rank
    for line in lines:
        yield prefix
        if stamps and line.stamp:
            yield line.stamp + b" "
        yield line.text if line.ends else line.text + b"\n"
