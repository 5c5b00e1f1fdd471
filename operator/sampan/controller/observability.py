"""What tells of the operator's work without taking part in it: counts, Events, and how late the loop is."""

import asyncio
import socket
from collections.abc import Callable

from sampan.controller.events.recorder import EventRecorder
from sampan.controller.events.tellers import JobTeller, OfferTeller
from sampan.controller.offers.manager import OfferManager
from sampan.controller.runtime.loop_lag import LoopLag
from sampan.controller.state.store import State
from sampan.controller.tallies.job_tallies import JobTallies
from sampan.kube.transport.client import Client


class Observability:
    """Listens to the state and the offers; nothing waits for it."""

    def __init__(self, hub: Client, state: State, *, clock: Callable[[], int]) -> None:
        """`hub` is an open client of the hub, `clock` gives milliseconds since the epoch. Nothing is heard before `listen`."""
        self.tallies, self.lag = JobTallies(), LoopLag()
        self.events = EventRecorder(hub, clock=clock, busy=lambda: bool(state.table.assumed), instance=socket.gethostname())

    def listen(self, state: State, offers: OfferManager, *, events: bool) -> None:
        """Hear of every change of a job and of an offer from now on; without `events` no Events are written of them."""
        state.table.on_change.append(self.tallies.changed)
        if events:
            state.table.on_change.append(JobTeller(self.events.record).changed)
            offers.on_status.append(OfferTeller(self.events.record).changed)

    async def run(self) -> None:
        """Write and measure until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.events.run(), name="events")
            group.create_task(self.lag.run(), name="lag")
