"""A job's output as bytes: one rank's as it is, all ranks' with the rank before each line; followed, from one attempt to the next."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Final

from sampan.controller.logs.attempt import AttemptOutput
from sampan.controller.logs.follow import LOOK_EVERY, NoOutputError
from sampan.controller.logs.options import LogOptions
from sampan.controller.logs.pace import Pace
from sampan.controller.logs.pods import LogWorld
from sampan.controller.state.record import JobRecord
from sampan.model.lifecycle import Phase

MAX_RANKS: Final = 64
"""Ranks that are followed at the same time."""
_WAITING: Final = 16
"""Batches of lines of all ranks that wait for their reader."""


class JobOutput:
    """What one reader gets of one job."""

    def __init__(self, world: LogWorld, record: JobRecord, *, options: LogOptions, pace: Pace) -> None:
        """Nothing is asked before `chunks`."""
        self._world, self._uid, self._options, self._pace = world, record.uid, options, pace
        self._name = f"{record.namespace}/{record.name}"

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the output. Raises NoOutputError where there is none, or where it breaks off."""
        options, read = self._options, 0
        while (number := await self._next_attempt(read)) is not None:
            if read:
                yield f"--- attempt {number} ---\n".encode()
                options = options.whole()
            try:
                async with aclosing(self._attempt(number, options)) as chunks:
                    async for chunk in chunks:
                        yield chunk
            except NoOutputError as error:  # an attempt that printed nothing, or of which nothing was kept: the next one may print
                if error.code != 404 or not options.follow or self._has_ended():
                    raise
            if not options.follow:
                return
            read = number

    async def _next_attempt(self, read: int) -> int | None:
        """The attempt after those that were read, once it is there; None where there will be none."""
        while True:
            record = self._world.job(self._uid)
            if record is None:
                return None
            seen = record.status.attempts_seen
            if not read and (seen or not self._options.follow):
                return self._first(record)
            if seen > read:
                return seen
            if record.phase in (Phase.SUCCEEDED, Phase.FAILED) or record.deleting:
                return None
            await asyncio.sleep(LOOK_EVERY)

    def _has_ended(self) -> bool:
        record = self._world.job(self._uid)
        return record is None or record.phase in (Phase.SUCCEEDED, Phase.FAILED)

    def _first(self, record: JobRecord) -> int:
        """The attempt that is asked for: the last one, or the one before where no earlier pod of it is there."""
        number = record.status.attempts_seen
        if not number:
            raise NoOutputError(400, f"computejob {self._name} has had no attempt on a member yet; follow waits for the first one")
        if not self._options.previous or self._has_earlier_pod(record):
            return number
        if number == 1:
            raise NoOutputError(404, f"computejob {self._name} has had no attempt, and no pod of this rank, before the one it has")
        return number - 1

    def _has_earlier_pod(self, record: JobRecord) -> bool:
        shown = self._world.attempt_pods(record)
        if shown is None:
            return False
        ranks = shown.ranks if self._options.rank is None else (self._options.rank,)
        return any(len(shown.of_rank(rank)) > 1 for rank in ranks)

    def _attempt(self, number: int, options: LogOptions) -> AsyncGenerator[bytes, None]:
        attempt = AttemptOutput(self._world, self._uid, number, options=options, pace=self._pace)
        if options.rank is not None:
            return attempt.one(options.rank)
        return self._followed(attempt) if options.follow else self._in_turn(attempt)

    async def _in_turn(self, attempt: AttemptOutput) -> AsyncGenerator[bytes, None]:
        """Rank after rank; one that has nothing is passed over, if any has something."""
        nothing: NoOutputError | None = None
        some = False
        for rank in await attempt.ranks():
            try:
                async with aclosing(attempt.one(rank, prefixed=True)) as chunks:
                    async for chunk in chunks:
                        some = True
                        yield chunk
            except NoOutputError as error:
                if some:
                    yield f"[{rank}] sampan: {error}\n".encode()
                nothing = error
        if not some:
            raise nothing or NoOutputError(404, f"nothing is there of attempt {attempt.number} of computejob {self._name}")

    async def _followed(self, attempt: AttemptOutput) -> AsyncGenerator[bytes, None]:
        """All ranks at the same time, those too that come later."""
        queue: asyncio.Queue[bytes] = asyncio.Queue(_WAITING)
        tasks: dict[int, asyncio.Task[None]] = {}
        try:
            while True:
                ranks, over, all_read = await attempt.ranks(), not attempt.goes_on(), _are_read(tasks)
                room = MAX_RANKS - sum(not task.done() for task in tasks.values())
                for rank in [rank for rank in ranks if rank not in tasks][:room]:
                    tasks[rank] = asyncio.create_task(_into(queue, attempt, rank))
                chunk = await _within(LOOK_EVERY, queue)
                if chunk:
                    yield chunk
                elif over and all_read and tasks.keys() >= set(ranks):
                    return
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)


async def _into(queue: "asyncio.Queue[bytes]", attempt: AttemptOutput, rank: int) -> None:
    try:
        async with aclosing(attempt.one(rank, prefixed=True)) as chunks:
            async for chunk in chunks:
                await queue.put(chunk)
    except NoOutputError as error:
        await queue.put(f"[{rank}] sampan: {error}\n".encode())


def _are_read(tasks: Mapping[int, "asyncio.Task[None]"]) -> bool:
    """Tell whether every rank was read. What broke a task is raised."""
    for task in tasks.values():
        if task.done():
            task.result()
    return all(task.done() for task in tasks.values())


async def _within(seconds: float, queue: "asyncio.Queue[bytes]") -> bytes:
    """The next of a queue; nothing where none came in time."""
    try:
        async with asyncio.timeout(seconds):
            return await queue.get()
    except TimeoutError:
        return b""
