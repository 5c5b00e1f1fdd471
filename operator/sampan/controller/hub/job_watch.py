"""The watch of ComputeJobs, on the core's loop: one event costs little, an echo of our own write next to nothing.

Kopf watches the other kinds. Jobs are the one kind whose every write of ours comes back as an event: four a job. Never here: what a
job means, and what became of jobs that a new list does not show, which `Resync` finds out.
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from sampan.controller.hub.client import ALL, API, JOBS, Handover
from sampan.controller.hub.quarantine import quarantine
from sampan.controller.hub.resync import KnownUids
from sampan.controller.state.store import State
from sampan.kube.objects.meta import KubeStruct, ObjectMeta
from sampan.kube.transport.client import Client
from sampan.kube.transport.paths import resource_path
from sampan.kube.transport.wire import Unreadable
from sampan.kube.watch.listing import Collection, pages_of
from sampan.kube.watch.reflector import EventType, Reflector, Tuning

log = logging.getLogger(__name__)

_ABSENT = msgspec.Raw(b"{}")


class WatchedJob(KubeStruct, frozen=True, gc=False):
    """A ComputeJob of which only the metadata is decoded."""

    metadata: ObjectMeta = ObjectMeta()
    spec: msgspec.Raw = _ABSENT
    status: msgspec.Raw = _ABSENT

    def body(self) -> dict[str, Any]:
        """Return the object as the API server sent it, without what we set no store by: kind and managed fields."""
        found: dict[str, Any] = {"metadata": _metadata(self.metadata)}
        return found | {"spec": msgspec.json.decode(self.spec), "status": msgspec.json.decode(self.status)}


class JobIntake:
    """Takes ComputeJobs, and their ends, into the state."""

    def __init__(self, state: State, known_uids: KnownUids) -> None:
        """Keep where they go."""
        self._state, self._known_uids = state, known_uids

    def apply(self, plural: str, event: str | None, body: dict[str, Any]) -> None:
        """Take in a job, or its end. One that cannot be read hurts no other."""
        uid = body["metadata"]["uid"]
        if self._known_uids.observe(plural, event, body):
            with quarantine(plural, uid):
                self._state.remove_job(uid) if event == "DELETED" else self._state.apply_job(body)

    def is_known(self, uid: str, version: str) -> bool:
        """Tell whether the state has a job at this resourceVersion or a later one."""
        known = self._state.jobs.get(uid)
        return known is not None and known.covers(version)


class JobSink:
    """Hands over what is news: jobs whose version is newer than the one that is known, and ends."""

    def __init__(
        self, handover: Handover, *, is_known: Callable[[str, str], bool], listed: Callable[[], None], count: Counter[str]
    ) -> None:
        """`is_known(uid, version)`: a picture that is this old tells nothing; `listed` hears of each new list; `count` counts what came."""
        self._handover, self._is_known, self._listed, self._count = handover, is_known, listed, count

    def on_replace(self, items: Sequence[WatchedJob], unreadable: Sequence[Unreadable]) -> None:
        """Take in a new list."""
        self._listed()
        self.on_page(items, unreadable)

    def on_page(self, items: Sequence[WatchedJob], unreadable: Sequence[Unreadable]) -> None:
        """Take in a part of a list."""
        for item in items:
            self._put(None, item)
        for each in unreadable:
            log.warning("object.invalid", extra={"kind": JOBS, "uid": each.uid, "reason": each.problem})

    def on_event(self, event: EventType, item: WatchedJob) -> None:
        """Take in one change."""
        if event == "DELETED":
            self._count[JOBS] += 1
            self._handover(JOBS, event, {"metadata": _metadata(item.metadata)})
        else:
            self._put(event, item)

    def on_unreadable(self, event: EventType, item: Unreadable) -> None:
        """Keep what was known of an object that changed: it is still there; forget one that went."""
        if event == "DELETED" and item.uid:
            self._handover(JOBS, event, {"metadata": {"uid": item.uid}})
        else:
            log.warning("object.invalid", extra={"kind": JOBS, "uid": item.uid, "reason": item.problem})

    def _put(self, event: EventType | None, item: WatchedJob) -> None:
        self._count[JOBS] += 1
        if not self._is_known(item.metadata.uid, item.metadata.resource_version):
            self._handover(JOBS, event, item.body())


_ALL_JOBS = Collection(path=resource_path(API, JOBS), into=WatchedJob)


async def load_jobs(client: Client, sink: JobSink) -> str:
    """Hand over every job, page by page, and return the version to watch from; raises `KubeError`s.

    Nothing else lists all jobs at a start: with very many of them a list costs the API server seconds.
    """
    version = ""
    async for page in pages_of(client, _ALL_JOBS, ALL):
        sink.on_page(page.items, page.unreadable)
        version = page.resource_version
    return version


def watch_jobs(client: Client, sink: JobSink, *, since: str = "") -> Reflector[WatchedJob]:
    """Return what keeps the sink current; `run` it. `since` is the version up to which it is; empty: list first."""
    return Reflector(client, _ALL_JOBS, sink=sink, tuning=Tuning(bounds=ALL, since=since))


def _metadata(meta: ObjectMeta) -> dict[str, Any]:
    """Return metadata as on the wire; what is absent there stays absent."""
    found: dict[str, Any] = msgspec.to_builtins(meta)
    return {key: value for key, value in found.items() if value}
