"""A running reflector and the picture it keeps. Only tests use this."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from sampan.kube.objects.meta import ConfigMap
from sampan.kube.transport.client import Client
from sampan.kube.transport.limits import Limits
from sampan.kube.transport.paths import resource_path
from sampan.kube.transport.wire import Unreadable
from sampan.kube.watch.listing import Collection
from sampan.kube.watch.reflector import EventType, Reflector, Tuning
from unit.kube.fake_api import FakeApi, credentials

ALL = Collection(path=resource_path("v1", "configmaps", namespace="ns"), into=ConfigMap)
QUICK = Tuning(backoff_base=0.01, backoff_cap=0.05, unauthorized_wait=0.3, forbidden_wait=0.5, read_timeout=5.0)


class Picture:
    """A sink that keeps objects by name and can be waited on."""

    def __init__(self) -> None:
        """Empty."""
        self.objects: dict[str, ConfigMap] = {}
        self.unreadable: list[tuple[str, str]] = []
        self.replaced = 0
        self.events = 0
        self.poison = ""
        self.changed = asyncio.Condition()

    def on_replace(self, items: Sequence[ConfigMap], unreadable: Sequence[Unreadable]) -> None:
        """Start over."""
        self.replaced += 1
        self.objects = {item.metadata.name: item for item in items}
        self.unreadable += [("LIST", item.name) for item in unreadable]

    def on_event(self, event: EventType, item: ConfigMap) -> None:
        """One change."""
        if item.metadata.name == self.poison:
            raise RuntimeError("poisoned")
        self.events += 1
        if event == "DELETED":
            del self.objects[item.metadata.name]
        else:
            self.objects[item.metadata.name] = item

    def on_unreadable(self, event: EventType, item: Unreadable) -> None:
        """One that could not be taken."""
        self.unreadable.append((event, item.name))


@asynccontextmanager
async def watching(api: FakeApi, tuning: Tuning = QUICK) -> AsyncIterator[tuple[Reflector[ConfigMap], Picture, Client]]:
    """A running reflector, synced."""
    picture = Picture()
    async with Client(credentials(api), limits=Limits(qps=10_000, burst=10_000, timeout=30.0)) as client:
        reflector = Reflector(client, ALL, sink=picture, tuning=tuning, uniform=lambda low, _: low)
        task = asyncio.create_task(reflector.run())
        try:
            await asyncio.wait_for(reflector.health.synced.wait(), 60)
            yield reflector, picture, client
            assert not task.done()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def names(picture: Picture) -> set[str]:
    """What the picture shows."""
    return set(picture.objects)
