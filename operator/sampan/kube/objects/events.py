"""Events of core/v1 about one object: what a cluster's controllers and kubelets said of it.

Lives here: the fields that are read, and one list by the object's UID.
Must never live here: what follows from them; a watch: events are asked for where something is amiss, and never followed.
"""

from collections.abc import Iterable
from typing import Final

from sampan.kube.objects.meta import KubeStruct, ObjectMeta
from sampan.kube.transport.client import Client, ListOptions
from sampan.kube.transport.paths import resource_path

MAX_EVENTS: Final = 100
"""Events of one object that are read."""


class Series(KubeStruct, frozen=True, gc=False):
    """An event that came again and again."""

    last_observed_time: str | None = None


class Event(KubeStruct, frozen=True, gc=False):
    """An event. Times are as on the wire; which of them are set depends on who wrote it."""

    metadata: ObjectMeta = ObjectMeta()
    type: str = ""
    reason: str = ""
    message: str = ""
    last_timestamp: str | None = None
    event_time: str | None = None
    series: Series | None = None

    @property
    def last_seen(self) -> str:
        """Return when it was last seen, by the cluster's clock; empty where nothing tells."""
        last = self.series.last_observed_time if self.series is not None else None
        return last or self.last_timestamp or self.event_time or self.metadata.creation_timestamp or ""


async def events_of(client: Client, namespace: str, uids: Iterable[str]) -> list[Event]:
    """Return the events about these objects, at most `MOST` of each. Raises KubeError."""
    path, found = resource_path("v1", "events", namespace=namespace), []
    for uid in uids:
        page = await client.list_page(path, ListOptions(limit=MAX_EVENTS, field_selector=f"involvedObject.uid={uid}"), into=Event)
        found += page.items
    return found
