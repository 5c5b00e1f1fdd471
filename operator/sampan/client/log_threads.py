"""Several jobs' output at the same time, each read by a thread of its own and written line by line. Never here: when a job ends."""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import BinaryIO, Final

from sampan.client.errors import ClientError
from sampan.client.job import Job
from sampan.client.log_stream import lines

LEFT_AFTER: Final = 30.0
"""Seconds for which the rest of the output is waited for once the jobs have ended."""


class LogThreads:
    """Follows jobs and writes to `out`; with `named` each line has its job's name before it. What goes wrong is told to `say`."""

    def __init__(self, out: BinaryIO, say: Callable[[str], None], *, named: bool) -> None:
        """Start idle."""
        self._out, self._say, self._named = out, say, named
        self._lock = threading.Lock()
        self._threads: dict[str, threading.Thread] = {}

    def follow(self, job: Job) -> None:
        """Follow a job from its start to its end: of several replicas all, each line with its rank."""
        thread = threading.Thread(target=self._read, args=(job,), name=f"log-{job.name}", daemon=True)
        self._threads[job.uid] = thread
        thread.start()

    def join(self, seconds: float = LEFT_AFTER, *, but: Collection[str] = ()) -> None:
        """Wait for the rest of the output, and no longer than so many seconds; `but`: UIDs of jobs that have nothing to print yet."""
        until = time.monotonic() + seconds
        for thread in (each for uid, each in self._threads.items() if uid not in but):
            thread.join(max(until - time.monotonic(), 0.0))
            if thread.is_alive():
                name = thread.name.removeprefix("log-")
                self._say(f"{name}: the rest of its output did not come in time; read it with sampan logs")

    def _read(self, job: Job) -> None:
        chunks = job.log_bytes(follow=True, all_ranks=True) if job.replicas > 1 else job.log_bytes(follow=True)
        pieces = _named(job.name, chunks) if self._named else chunks
        try:
            for piece in pieces:
                with self._lock:
                    self._out.write(piece)
                    self._out.flush()
        except (ClientError, OSError) as error:
            self._say(f"{job.name}: its output cannot be followed: {error}")


def _named(name: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Whole lines, each with the name before it."""
    for line in lines(chunks):
        yield f"{name} | ".encode() + line + b"\n"
