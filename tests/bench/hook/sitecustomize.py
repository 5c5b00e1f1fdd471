"""Loaded by the operator's interpreter when this folder is on PYTHONPATH: measures it from inside. Only the standard library is used here.

SAMPAN_BENCH_PROFILE=FILE samples how much processor time each stack of each thread used, and writes it (`seconds thread;frame;frame…`)
on SIGUSR2.
SAMPAN_BENCH_STALLS=FILE writes a line for each time that the event loop of the main thread came late: when (monotonic), by how
many seconds, and how many seconds of processor time the thread used meanwhile; and one now and then when it did not, so that a
reader can tell a loop that never stalled from one that nobody watched.
SAMPAN_BENCH_STALL_STACKS=FILE writes beside that what the thread was doing while it was late: a line every millisecond or so, when
(monotonic), milliseconds late, processor time since the loop last came by of the thread and of all other threads, and the stack.
"""

import gc
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import FrameType
from typing import Any

INTERVAL = 0.002
"""Seconds of processor time between two samples of the profile, and seconds between two looks of the event loop."""
LATE = 0.002
BEAT = 0.25
"""Seconds between two lines at the most, of a loop that is not late."""
DEPTH = 60


class Profile:
    """Samples all stacks whenever the process has used some processor time; a thread's sample counts for what that thread used."""

    def __init__(self, file: Path) -> None:
        self._file, self._stacks, self._used = file, Counter[str](), dict[int, float]()
        self._sampling = False
        signal.signal(signal.SIGPROF, self._sample)
        signal.signal(signal.SIGUSR2, self._write)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)

    def _sample(self, _number: int, here: FrameType | None) -> None:
        if self._sampling:
            return  # this signal came while the last one was being handled
        self._sampling = True
        frames = sys._current_frames()
        for thread in threading.enumerate():
            ident = thread.ident or 0
            try:
                used = time.clock_gettime(time.pthread_getcpuclockid(ident))
            except OSError:
                continue  # it has just ended
            spent, self._used[ident] = used - self._used.get(ident, used), used
            if spent > 0:
                frame = here if thread is threading.main_thread() else frames.get(ident)
                self._stacks[f"{thread.name};{_stack(frame)}"] += spent  # type: ignore[assignment]  # seconds, not counts
        self._sampling = False

    def _write(self, _number: int, _here: FrameType | None) -> None:
        lines = [f"{seconds:.4f} {stack}\n" for stack, seconds in dict(self._stacks).items()]
        unfinished = self._file.with_suffix(".new")
        unfinished.write_text("".join(lines))
        unfinished.rename(self._file)


def _stack(frame: FrameType | None) -> str:
    named: list[str] = []
    while frame is not None and len(named) < DEPTH:
        code = frame.f_code
        named.append(f"{_module(code.co_filename)}:{code.co_qualname}")
        frame = frame.f_back
    return ";".join(reversed(named))


def _module(path: str) -> str:
    for mark in ("site-packages/", "operator/", f"python{sys.version_info[0]}.{sys.version_info[1]}/"):
        if mark in path:
            return path.rpartition(mark)[2]
    return path


class StallStacks:
    """Samples the main thread while its event loop is late, by a timer that each turn of the loop sets anew.

    A signal handler and no thread: it runs where the thread is, and need not take the interpreter from it.
    """

    EVERY = 0.001
    """Seconds from one sample to the next."""

    def __init__(self, file: Path) -> None:
        self._file = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._turned = self._mine = self._all = 0.0
        self._lines: list[str] = []
        self._collecting = 0.0
        signal.signal(signal.SIGALRM, self._sample)
        gc.callbacks.append(self._collects)

    def turned(self) -> None:
        """Say that the loop has come by."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        if self._lines:
            os.write(self._file, "".join(self._lines).encode())
            self._lines = []
        self._turned, self._mine, self._all = time.monotonic(), time.thread_time(), time.process_time()
        signal.setitimer(signal.ITIMER_REAL, INTERVAL + LATE)

    def _collects(self, phase: str, told: dict[str, int]) -> None:
        """Note how long the garbage collector took, which no stack shows."""
        now = time.monotonic()
        took, self._collecting = 1000 * (now - self._collecting), now
        if phase == "stop" and took >= 1:
            self._lines.append(f"{self._turned:.4f} {took:.1f} {took:.1f} 0.0 garbage of generation {told['generation']}\n")

    def _sample(self, _number: int, here: FrameType | None) -> None:
        now, mine, everybody = time.monotonic(), time.thread_time() - self._mine, time.process_time() - self._all
        late, others = 1000 * (now - self._turned - INTERVAL), everybody - mine
        self._lines.append(f"{self._turned:.4f} {late:.1f} {1000 * mine:.1f} {1000 * others:.1f} {_stack(here)}\n")
        signal.setitimer(signal.ITIMER_REAL, self.EVERY)  # not before: a sample takes a while where the thread has no core


async def _watch_loop(file: Path, stacks: "StallStacks | None") -> None:
    import asyncio

    told = 0.0
    with file.open("a", buffering=1) as out:
        while True:
            asked, used = time.monotonic(), time.thread_time()
            if stacks is not None:
                stacks.turned()
            await asyncio.sleep(INTERVAL)
            late = time.monotonic() - asked - INTERVAL
            if late > LATE or asked - told >= BEAT:
                told = asked
                out.write(f"{asked:.4f} {late:.4f} {time.thread_time() - used:.4f}\n")


def _beside_main(file: Path, stacks: StallStacks | None) -> None:
    """Have uvloop.run start the watch on its loop first."""
    import asyncio

    import uvloop

    run: Callable[..., Any] = uvloop.run

    async def both(main: Coroutine[Any, Any, Any]) -> Any:
        watch = asyncio.create_task(_watch_loop(file, stacks))
        try:
            return await main
        finally:
            watch.cancel()

    uvloop.run = lambda main, **options: run(both(main), **options)


if "SAMPAN_BENCH_PROFILE" in os.environ and "operator" in sys.orig_argv:
    Profile(Path(os.environ["SAMPAN_BENCH_PROFILE"]))
if "SAMPAN_BENCH_STALLS" in os.environ and "operator" in sys.orig_argv:
    _stacks = os.environ.get("SAMPAN_BENCH_STALL_STACKS")
    _beside_main(Path(os.environ["SAMPAN_BENCH_STALLS"]), StallStacks(Path(_stacks)) if _stacks else None)
