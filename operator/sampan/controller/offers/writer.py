"""Writes ClusterOffers on the hub: status and finalizer, few and in turn. Decides nothing: it asks what to write when it is time to.

One status write per 5 s per offer, 10 writes per second in all, 2 of them for counts alone; conditions at once; only the newest state
is ever written.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sampan.faults import log_fault
from sampan.kube.errors import Invalid, KubeError, NotFound
from sampan.kube.transport.client import Client, PatchType
from sampan.kube.transport.paths import ResourcePath, resource_path
from sampan.model.members.offer import OfferKey
from sampan.model.values.names import GROUP, VERSION

log = logging.getLogger(__name__)

OFFER_INTERVAL: Final = 5.0
WRITE_INTERVAL: Final = 0.1
COUNTS_INTERVAL: Final = 0.5
"""Least seconds between two writes of counts alone, whosever they are: the more offers jobs go to, the fewer writes a job."""
RETRY_DELAY: Final = 5.0
MAX_RETRY_DELAY: Final = 300.0
"""Most seconds between two tries of what is refused, or cannot even be told, again and again."""
PROCESS_INTERVAL: Final = 0.25
"""Least seconds between two looks at one offer: changes come in bursts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One patch of one offer."""

    key: OfferKey
    body: Any
    subresource: str | None = None
    content_type: PatchType = PatchType.MERGE

    @property
    def path(self) -> ResourcePath:
        """Return where it goes."""
        return resource_path(
            f"{GROUP}/{VERSION}", "clusteroffers", namespace=self.key.namespace, name=self.key.name, subresource=self.subresource
        )


class OfferWriter:
    """Writes until cancelled. Offers are named by UID."""

    def __init__(
        self,
        client: Client,
        next_write: Callable[[str, bool], Write | None],
        written: Callable[[Mapping[str, Any]], None],
        *,
        refused: Callable[[str], None],
    ) -> None:
        """Take whom to ask and tell.

        `next_write(uid, counts)` gives what an offer needs now, None for nothing; without `counts`, only what may not wait.
        `written` is given the API server's answer; `refused` is told of a status that it will never take. A fault in any of them is
        that offer's alone.
        """
        self._client, self._next_write, self._written, self._refused = client, next_write, written, refused
        self._failures: dict[str, int] = {}
        self._queue: set[str] = set()
        self._heard: set[str] = set()
        """Those of the queue about which something was heard since they were last looked at."""
        self._not_before: dict[str, float] = {}
        self._last_written: dict[str, float] = {}
        self._last_processed: dict[str, float] = {}
        self._counts_not_before = float("-inf")
        self._wake = asyncio.Event()

    def enqueue(self, uid: str) -> None:
        """Look at an offer: something about it changed."""
        self._queue.add(uid)
        self._heard.add(uid)
        self._wake.set()

    def forget(self, uid: str) -> None:
        """The offer is gone."""
        self._queue.discard(uid)
        self._heard.discard(uid)
        self._not_before.pop(uid, None)
        self._last_written.pop(uid, None)
        self._last_processed.pop(uid, None)
        self._failures.pop(uid, None)

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            self._wake.clear()
            for uid in sorted(self._queue, key=lambda uid: (self._last_written.get(uid, float("-inf")), uid)):
                if uid in self._queue and self._may_look(uid):
                    wrote = await self._process_safely(uid)
                    await asyncio.sleep(WRITE_INTERVAL if wrote else 0)  # a look takes a millisecond: nobody waits for a thousand of them
            await self._pause()

    async def _pause(self) -> None:
        """Sleep until something is marked, or until what waits may be due."""
        if not self._queue:
            await self._wake.wait()
        else:
            await asyncio.sleep(PROCESS_INTERVAL)

    async def _process_safely(self, uid: str) -> bool:
        """Look at one offer; what goes wrong with it in an unforeseen way is told, and hurts no other."""
        try:
            return await self._process(uid)
        except Exception as error:  # noqa: BLE001  one poisoned offer must not end the operator
            log_fault(log, "offer.quarantined", error, offer=uid)
            self._retry(uid, growing=True)
            return True

    def _retry(self, uid: str, *, growing: bool) -> None:
        """Look again after a while; after a longer one each time, where waiting alone mends nothing."""
        failures = self._failures.get(uid, 0) if growing else 0
        self._failures[uid] = failures + 1
        self._not_before[uid] = asyncio.get_running_loop().time() + min(RETRY_DELAY * 2 ** min(failures, 10), MAX_RETRY_DELAY)
        self.enqueue(uid)

    def _may_look(self, uid: str) -> bool:
        """Tell whether it is time to look at an offer. Counts that wait are no reason to: what they are is worked out when they are due."""
        now = asyncio.get_running_loop().time()
        if now < self._not_before.get(uid, 0.0) or now < self._last_processed.get(uid, float("-inf")) + PROCESS_INTERVAL:
            return False
        return uid in self._heard or self._counts_due(uid, now)

    def _counts_due(self, uid: str, now: float) -> bool:
        return now >= max(self._last_written.get(uid, float("-inf")) + OFFER_INTERVAL, self._counts_not_before)

    async def _process(self, uid: str) -> bool:
        """Write what is due of one offer; tell whether anything was sent."""
        now = asyncio.get_running_loop().time()
        counts_due = self._counts_due(uid, now)
        self._last_processed[uid] = now
        self._heard.discard(uid)
        write = self._next_write(uid, counts_due)
        if counts_due or write is not None:
            self._queue.discard(uid)
        if write is None:
            return False
        try:
            body = await self._client.patch(write.path, write.body, into=dict[str, Any], content_type=write.content_type)
        except NotFound:
            return True
        except KubeError as error:
            log.warning("offer.write_failed", extra={"offer": str(write.key), "reason": error.reason})
            if isinstance(error, Invalid) and write.subresource == "status":
                self._refused(uid)
            self._retry(uid, growing=isinstance(error, Invalid))
            return True
        self._failures.pop(uid, None)
        self._last_written[uid] = now
        if counts_due:
            self._counts_not_before = now + COUNTS_INTERVAL
        self._written(body)
        return True
