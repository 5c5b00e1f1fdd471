"""LIST and WATCH, for ever.

Lives here: one class that keeps a caller's picture of one collection current through every fault of server and network.
Must never live here: the picture itself, what objects mean.
"""

import asyncio
import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, Literal, Never, Protocol, TypeVar

from sampan.faults import log_fault
from sampan.kube.errors import (
    AddressRefused,
    BadReply,
    Forbidden,
    Gone,
    KubeError,
    ServerError,
    TLSFailure,
    TooManyRequests,
    Unauthorized,
)
from sampan.kube.objects.meta import HasMeta, ObjectMeta, PartialObject
from sampan.kube.transport.client import Client
from sampan.kube.transport.failures import from_status
from sampan.kube.transport.lines import LineSplitter
from sampan.kube.transport.wire import Unreadable, decode_event
from sampan.kube.watch.backoff import Backoff, Uniform
from sampan.kube.watch.health import WatchHealth
from sampan.kube.watch.listing import Bounds, Collection, list_all

T = TypeVar("T", bound=HasMeta)
T_contra = TypeVar("T_contra", bound=HasMeta, contravariant=True)
EventType = Literal["ADDED", "MODIFIED", "DELETED"]
_TYPES: dict[str, EventType] = {"ADDED": "ADDED", "MODIFIED": "MODIFIED", "DELETED": "DELETED"}
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """How a reflector behaves. Times are seconds, sizes bytes."""

    bounds: Bounds = field(default_factory=Bounds)
    max_line: int = 4 * 1024 * 1024
    watch_low: float = 240.0  # the server ends a watch after a random time between the two
    watch_high: float = 360.0
    read_timeout: float = 75.0  # bookmarks come about once a minute
    backoff_base: float = 0.2
    backoff_cap: float = 30.0
    stable_after: float = 5.0  # a watch that lived so long ends the backing off
    unauthorized_wait: float = 10.0
    forbidden_wait: float = 60.0
    since: str = ""  # the resourceVersion of the list that the sink has already; empty: list first
    relist_after: float | None = None  # list anew when a watch ends so long after the last list: a second net


class Sink(Protocol[T_contra]):
    """Where a reflector puts what it sees. Called from its task, in order; must be quick and must not block."""

    def on_replace(self, items: Sequence[T_contra], unreadable: Sequence[Unreadable]) -> None:
        """The whole collection: forget what is in neither list. ``unreadable`` objects are there, but could not be decoded."""

    def on_event(self, event: EventType, item: T_contra) -> None:
        """One change. If this raises, the object is given to ``on_unreadable`` and the stream goes on."""

    def on_unreadable(self, event: EventType, item: Unreadable) -> None:
        """A change whose object could not be taken: what was known of it is out of date (or gone, for DELETED)."""


class Reflector(Generic[T]):
    """Keeps ``sink`` current with a collection: ``run()`` ends by cancellation only. ``health`` tells how well it does."""

    def __init__(
        self, client: Client, what: Collection[T], *, sink: Sink[T], tuning: Tuning | None = None, uniform: Uniform = random.uniform
    ) -> None:
        """``uniform`` is the source of jitter."""
        self.health = WatchHealth()
        self._client = client
        self._what = what
        self._sink = sink
        self._tuning = tuning or Tuning()
        self._uniform = uniform
        self._backoff = Backoff(uniform, base=self._tuning.backoff_base, cap=self._tuning.backoff_cap)
        self._version = self._tuning.since  # empty: list first
        self._listed_at = 0.0
        self._endpoint = client.credentials.endpoint

    async def run(self) -> Never:
        """List, watch, and begin again after whatever happens."""
        while True:
            wait = await self._round()
            if wait > 0 and await self._client.pause(wait):
                self._backoff.reset()  # new credentials: try at once

    async def _round(self) -> float:
        """One list, if needed, and one watch; the seconds to wait before the next round."""
        started = _now()
        try:
            # 1. A resourceVersion of another server means nothing on this one.
            self._forget_other_server()
            # 2. The whole picture.
            if not self._version:
                await self._list()
                started = _now()
            # 3. Changes, until the server ends the watch.
            rotated = await self._watch()
        except KubeError as exc:
            return self._failed(exc, lived=_now() - started)
        except Exception as exc:  # noqa: BLE001  (a fault of the receiver must not end the watch for ever)
            log_fault(_LOG, "the receiver of a watch failed; listing anew", exc, resource=self._what.path.resource)
            return self._failed(BadReply(0, "SinkFailed", ""), lived=0.0)
        return self._ended(lived=_now() - started, rotated=rotated)

    def _forget_other_server(self) -> None:
        if self._client.credentials.endpoint != self._endpoint:
            self._endpoint = self._client.credentials.endpoint
            self._version = ""
            self.health.server_changed()

    def _same_server(self) -> None:
        if self._client.credentials.endpoint != self._endpoint:
            raise Gone(410, "ServerChanged", "the credentials lead to another server")

    async def _list(self) -> None:
        listing = await list_all(self._client, self._what, self._tuning.bounds)
        self._same_server()
        self._sink.on_replace(listing.items, listing.unreadable)
        self._version = listing.resource_version
        self._listed_at = _now()
        self.health.listed(self._listed_at, unreadable=len(listing.unreadable))

    async def _watch(self) -> bool:
        """Read until the stream ends; True if it was ended by a change of credentials."""
        splitter = LineSplitter(self._tuning.max_line)
        metadata_only = self._what.into is PartialObject
        timeout = self._tuning.read_timeout
        async with self._client.stream(self._what.path, self._params(), read_timeout=timeout, metadata_only=metadata_only) as stream:
            self._same_server()
            self.health.opened(_now())
            async for chunk in stream.chunks():
                self.health.heard(_now())
                for line in splitter.feed(chunk):
                    self._take(line)
            return stream.aborted

    def _params(self) -> dict[str, str]:
        seconds = self._uniform(self._tuning.watch_low, self._tuning.watch_high)
        params = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._version,
            "timeoutSeconds": str(max(1, round(seconds))),
            "labelSelector": self._what.label_selector,
            "fieldSelector": self._what.field_selector,
        }
        return {key: value for key, value in params.items() if value}

    def _take(self, line: bytes) -> None:
        """One line of the watch. Raises KubeError where the stream cannot be trusted any further."""
        kind, item = decode_event(line, self._what.into)
        if isinstance(item, bytes):
            raise from_status(item)
        if isinstance(item, Unreadable):
            self._advance(item.resource_version)
            self._cannot_take(kind, item)
            return
        self._advance(item.metadata.resource_version)
        if kind == "BOOKMARK":
            return
        event = _TYPES.get(kind)
        if event is None:
            raise BadReply(200, "UnknownEvent", "the watch sent an event of an unknown type")
        try:
            self._sink.on_event(event, item)
        except Exception as exc:  # noqa: BLE001  (one poisoned object must not stop the others)
            log_fault(_LOG, "an object could not be taken", exc, resource=self._what.path.resource, key=item.metadata.key)
            self._cannot_take(kind, _poisoned(item.metadata, exc))

    def _cannot_take(self, kind: str, item: Unreadable) -> None:
        event = _TYPES.get(kind)
        if event is not None:
            self.health.unreadable += 1
            self._sink.on_unreadable(event, item)

    def _advance(self, version: str) -> None:
        """Remember where to resume. A server that goes back in time was restored from a backup: list anew."""
        if version.isdecimal() and self._version.isdecimal() and int(version) < int(self._version):
            raise Gone(410, "Rewound", "the server's resourceVersions went back")
        self._version = version or self._version

    def _failed(self, exc: KubeError, *, lived: float) -> float:
        self.health.failed(exc, _now())
        if lived >= self._tuning.stable_after:
            self._backoff.reset()
        if isinstance(exc, Gone | BadReply):
            self._version = ""
        return max(self._backoff.next(), self._at_least(exc))

    def _at_least(self, exc: KubeError) -> float:
        """What this failure makes us wait, jitter apart: no hot loop against a server that said no."""
        if isinstance(exc, Forbidden):
            return self._tuning.forbidden_wait
        if isinstance(exc, Unauthorized | TLSFailure | AddressRefused):
            return self._tuning.unauthorized_wait
        if isinstance(exc, TooManyRequests | ServerError):
            return exc.retry_after or 0.0
        return 0.0

    def _ended(self, *, lived: float, rotated: bool) -> float:
        """The watch ended as it should."""
        self.health.followed()
        relist_after = self._tuning.relist_after
        if relist_after is not None and _now() - self._listed_at >= relist_after:
            self._version = ""
        if rotated or lived >= self._tuning.stable_after:
            self._backoff.reset()
            return 0.0
        return self._backoff.next()


def _poisoned(meta: ObjectMeta, exc: Exception) -> Unreadable:
    return Unreadable(meta.namespace, meta.name, meta.uid, meta.resource_version, type(exc).__name__)


def _now() -> float:
    return asyncio.get_running_loop().time()
