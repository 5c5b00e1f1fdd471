"""Keeps what an attempt printed last, read from its member before the copy goes. A log that cannot be had delays nothing for long.

Stored in batches, off the loop. What waits to be stored is read too, and bounded: while the store is away for long, output is lost.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from sqlalchemy.exc import SQLAlchemyError

from sampan.api.launch.pod import CONTAINER
from sampan.controller.logs.pods import log_of, pods_of_attempt, rank_of, state_of
from sampan.controller.state.record import JobRecord
from sampan.faults import log_fault
from sampan.kube.errors import Forbidden, Invalid, KubeError, NotFound
from sampan.kube.objects.workloads import Pod
from sampan.kube.transport.client import Client
from sampan.model.status.attempt import Binding
from sampan.store.outputs import Output, OutputStore

log = logging.getLogger(__name__)

MAX_RANKS: Final = 64
"""Ranks of an attempt whose output is kept: those that failed first."""
MAX_LINES: Final = 20_000
"""Lines that a member is asked for: the log API counts lines from the end, and bytes from the beginning alone."""
READ_TIMEOUT: Final = 5.0
"""Seconds for which the removal of a copy waits for its output."""
AT_ONCE: Final = 4
"""Ranks that are read of one attempt at the same time."""
MAX_READING: Final = 64
"""Ranks that are read or wait for it, of all attempts; what comes beyond is not kept, for its removal must not wait."""
LEFT_ALONE: Final = 60.0
"""Seconds for which nothing is read on a node whose kubelet did not answer: many jobs may have to leave it."""
MAX_WAITING: Final = 32 * 1024 * 1024
"""Bytes that wait to be stored."""
GATHER: Final = 1.0
"""Seconds for which outputs are gathered before they are stored."""
RETRY: Final = 10.0
"""Seconds before a batch that failed is tried again."""
PRUNE_EVERY: Final = 3600.0
_REMEMBERED: Final = 4096
"""Attempts of which it is remembered that they were read."""


class KeepsOutput(Protocol):
    """What the reconciler needs: called before a copy is removed."""

    async def keep(self, client: Client, record: JobRecord, pods: Iterable[Pod]) -> None:
        """Keep what the bound attempt printed, as far as it can be had. Raises nothing of the member's."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the ranks of one attempt share while they are read."""

    turns: asyncio.Semaphore
    until: float
    """In the event loop's time."""


class OutputKeeper:
    """`tail`: bytes of each rank; 0: nothing is kept."""

    def __init__(self, store: OutputStore, *, tail: int, clock: Callable[[], int]) -> None:
        """Start idle."""
        self._store, self._tail, self._clock = store, tail, clock
        self._read: OrderedDict[tuple[str, int], None] = OrderedDict()
        self._waiting: dict[tuple[str, int, int], Output] = {}
        self._forgotten: set[str] = set()
        self._reading = 0
        self._left_alone: dict[tuple[str, str], float] = {}
        """Until when, by member and node, in the event loop's time."""
        self._wake = asyncio.Event()
        self.lost = 0
        """Outputs of ranks that could not be had, or not be stored, since the start."""

    async def keep(self, client: Client, record: JobRecord, pods: Iterable[Pod]) -> None:
        """See `KeepsOutput`. An attempt is read once, after its end: while it is open, what is removed is another one's copy."""
        binding = record.binding
        if not self._tail or binding is None or record.attempt_open or record.deleting or (record.uid, binding.attempt) in self._read:
            return
        self._read[record.uid, binding.attempt] = None
        while len(self._read) > _REMEMBERED:
            self._read.popitem(last=False)
        chosen = _chosen(pods_of_attempt(pods, binding.attempt, binding.namespace))
        turns = asyncio.Semaphore(AT_ONCE)
        until = asyncio.get_running_loop().time() + READ_TIMEOUT
        await asyncio.gather(*(self._one(client, record, binding, pod=pod, how=_Reading(turns, until)) for pod in chosen))

    def forget(self, job_uid: str) -> None:
        """Forget what is kept of a job that is gone."""
        for key in [key for key in self._waiting if key[0] == job_uid]:
            del self._waiting[key]
        if self._tail:
            self._forgotten.add(job_uid)
            self._wake.set()

    async def forget_others(self, job_uids: Collection[str]) -> None:
        """Forget all but these jobs: what went while nobody looked. Raises SQLAlchemyError."""
        gone = await asyncio.to_thread(self._store.jobs) - set(job_uids)
        await asyncio.to_thread(self._store.forget, gone)

    async def get(self, job_uid: str, attempt: int, rank: int) -> bytes | None:
        """Return what is kept of a rank; None where nothing is. Raises SQLAlchemyError."""
        waiting = self._waiting.get((job_uid, attempt, rank))
        return waiting.text if waiting is not None else await asyncio.to_thread(self._store.get, job_uid, attempt, rank)

    async def ranks(self, job_uid: str, attempt: int) -> list[int]:
        """Return the ranks of which something is kept, in order. Raises SQLAlchemyError."""
        waiting = {rank for uid, number, rank in self._waiting if (uid, number) == (job_uid, attempt)}
        return sorted({*waiting, *await asyncio.to_thread(self._store.ranks, job_uid, attempt)})

    async def run(self) -> None:
        """Store until cancelled."""
        loop = asyncio.get_running_loop()
        pruned = loop.time() - PRUNE_EVERY
        while True:
            try:
                if loop.time() - pruned >= PRUNE_EVERY:
                    await asyncio.to_thread(self._store.prune, self._clock())
                    pruned = loop.time()
                await self.flush()
            except Exception as error:  # noqa: BLE001  whatever the store has, jobs go on, and it is tried again
                log_fault(log, "output.store_failed", error, outputs=len(self._waiting))
                await asyncio.sleep(RETRY)
            else:
                await self._news(pruned + PRUNE_EVERY - loop.time())

    def close(self) -> None:
        """Store what is left, once, and let go of the store: for the end of the process."""
        try:
            self._store.put(self._waiting.values())
            self._store.forget(self._forgotten)
        except SQLAlchemyError as error:
            log_fault(log, "output.store_failed", error, outputs=len(self._waiting))
        self._store.close()

    async def flush(self) -> None:
        """Store what waits. Raises SQLAlchemyError; it then waits still."""
        batch, gone = dict(self._waiting), set(self._forgotten)
        if batch:
            await asyncio.to_thread(self._store.put, batch.values())
        if gone:
            await asyncio.to_thread(self._store.forget, gone)
            self._forgotten -= gone
        for key, output in batch.items():
            if self._waiting.get(key) is output:
                del self._waiting[key]

    async def _news(self, seconds: float) -> None:
        self._wake.clear()
        if not self._waiting and not self._forgotten:
            try:
                async with asyncio.timeout(seconds):
                    await self._wake.wait()
            except TimeoutError:
                return
        await asyncio.sleep(GATHER)

    async def _one(self, client: Client, record: JobRecord, binding: Binding, *, pod: Pod, how: "_Reading") -> None:
        rank, text = rank_of(pod), await self._text(client, (binding.cluster_uid, pod.spec.node_name), pod, how=how)
        waiting = sum(len(each.text) for each in self._waiting.values())
        if text is None or waiting + len(text) > MAX_WAITING:
            self.lost += 1
            return
        if text and rank is not None:
            key = record.uid, binding.attempt, rank
            self._waiting[key] = _output(key, record.namespace, self._clock(), text=text)
            self._wake.set()

    async def _text(self, client: Client, node: tuple[str, str], pod: Pod, *, how: "_Reading") -> bytes | None:
        """What a pod printed last; None where that cannot be had in time."""
        now, began = asyncio.get_running_loop().time(), False
        if self._left_alone.get(node, now) > now or self._reading >= MAX_READING:
            return None
        self._reading += 1
        try:
            async with asyncio.timeout_at(how.until), how.turns:
                began = True
                return await _tail(client, pod, self._tail)
        except (KubeError, TimeoutError) as error:
            if began and not isinstance(error, NotFound | Forbidden | Invalid):
                self._left_alone = {key: until for key, until in self._left_alone.items() if until > now}
                self._left_alone.setdefault(node, now + LEFT_ALONE)
            reason = error.reason if isinstance(error, KubeError) else "Timeout"
            log.info("output.not_read", extra={"pod": f"{pod.metadata.namespace}/{pod.metadata.name}", "reason": reason})
            return None
        except Exception as error:  # noqa: BLE001  output is not worth a copy that stays
            log_fault(log, "output.read_failed", error)
            return None
        finally:
            self._reading -= 1


def _output(key: tuple[str, int, int], namespace: str, at: int, *, text: bytes) -> Output:
    job_uid, attempt, rank = key
    return Output(job_uid=job_uid, attempt=attempt, rank=rank, namespace=namespace, at=at, text=text)


def _chosen(pods: Iterable[Pod]) -> list[Pod]:
    """The newest pod of each rank that has printed anything, those that failed first, and no more than may be."""
    newest: dict[int, Pod] = {}
    for pod in sorted(pods, key=lambda pod: pod.metadata.creation_timestamp or ""):
        rank = rank_of(pod)
        state = state_of(pod)
        if rank is not None and (state.running is not None or state.terminated is not None):
            newest[rank] = pod
    order = sorted(newest, key=lambda rank: (newest[rank].status.phase != "Failed", rank))
    return [newest[rank] for rank in order[:MAX_RANKS]]


async def _tail(client: Client, pod: Pod, most: int) -> bytes:
    """The last bytes of a pod's log, from the beginning of a line on. Raises KubeError."""
    params = {"container": CONTAINER, "timestamps": "true", "tailLines": str(MAX_LINES)}
    kept = bytearray()
    cut = False
    async with client.log(log_of(pod), params, read_timeout=READ_TIMEOUT) as stream:
        async for chunk in stream.chunks():
            kept += chunk
            if len(kept) > 2 * most:
                del kept[:-most]
                cut = True
    if len(kept) > most:
        del kept[:-most]
        cut = True
    begin = kept.find(b"\n") + 1 if cut else 0
    return bytes(kept[begin:] or kept)  # of one line that is longer than all that is kept, its end
