"""Keeps each ClusterOffer's finalizer and status as they should be, as follows from the offers and from what jobs have of them."""

import asyncio
from collections.abc import Callable, Set

from sampan.controller.offers.manager import OfferManager
from sampan.controller.offers.render import OfferPatchPlanner, OfferUsage
from sampan.controller.offers.writer import OfferWriter
from sampan.kube.transport.client import Client
from sampan.model.members.offer import OfferKey

RESYNC_SECONDS = 2.0
"""Seconds between two looks at what time alone changes: validity, offers that drain."""


class OfferReconciler:
    """Reads offers and jobs, writes offers. Nobody reads it."""

    def __init__(self, hub: Client, offers: OfferManager, usage: OfferUsage, *, clock: Callable[[], int]) -> None:
        """`hub` is an open client of the hub, `clock` gives milliseconds since the epoch. Nothing is written before `run`."""
        self._registry = offers.registry
        self._planner = OfferPatchPlanner(offers.registry, offers.pools, usage=usage, clock=clock)
        self._writer = OfferWriter(hub, self._planner.next_write, offers.written, refused=self._planner.on_refused)
        offers.on_offer.append(self._writer.enqueue)
        offers.on_removed += [self._writer.forget, self._planner.forget]

    def reservations_changed(self, offers: Set[OfferKey]) -> None:
        """Hear that what is kept for waiting jobs in pools of these offers changed."""
        for key in sorted(offers):
            declared = self._registry.find(key)
            if declared is not None:
                self._writer.enqueue(declared.uid)

    async def run(self) -> None:
        """Write until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._writer.run(), name="offer writer")
            group.create_task(self._resync(), name="offer resync")

    async def _resync(self) -> None:
        while True:
            await asyncio.sleep(RESYNC_SECONDS)
            for uid in self._planner.due():
                self._writer.enqueue(uid)
