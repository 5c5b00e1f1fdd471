"""One list, then one watch, on a thread of its own, handed over as a queue of changes: what every following verb reads.

What must never live here: polling of single objects, printing, and knowledge of what an object means.
"""

import queue
import random
import threading
import time
from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol, Self

from sampan.client.access.events import Events
from sampan.client.access.hub import Object

WATCH_SECONDS = 240
LEAVING_SECONDS = 1.0
"""For which the end of the thread is waited for: it may be in the middle of a call."""
GIVE_UP_AFTER = 60.0
"""Seconds without a successful call after which the trouble is reported instead of retried."""


class Change(NamedTuple):
    """One change of one object: kind is ADDED, MODIFIED or DELETED; after a lost watch the difference to the new list is told."""

    kind: str
    object: Object


class Watchable(Protocol):
    """What can be listed and then watched: the part of `HubApi` that is needed here, and a member's Jobs."""

    def list(self, plural: str, namespace: str | None) -> Object:
        """The list object of a kind in a namespace (None: all)."""

    def watch(self, plural: str, namespace: str | None, *, resource_version: str, seconds: int) -> Events:
        """Watch events ({type, object}) after a resourceVersion, for at most so many seconds."""


class ObjectWatch:
    """Changes of one kind, first every object that is there, then what happens to them; a context manager."""

    def __init__(self, api: Watchable, plural: str, namespace: str | None, *, known: Iterable[Object] = ()) -> None:
        """`known` are objects the reader has seen already: one that is gone by the first list is told as DELETED."""
        self._api, self._plural, self._namespace = api, plural, namespace
        self._changes: queue.Queue[Change | Exception] = queue.Queue()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"feed-{plural}", daemon=True)
        self._events: Events | None = None
        self._known: dict[str, Object] = {item["metadata"]["uid"]: item for item in known}
        self._last_success = time.monotonic()
        self.listed = threading.Event()
        """Set once the first list has been handed over completely."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        if self._events is not None:
            self._events.close()
        self._thread.join(LEAVING_SECONDS)

    def next(self, seconds: float) -> Change | None:
        """The next change, or None where none came within so many seconds; raises what ended the feed."""
        try:
            change = self._changes.get(timeout=max(seconds, 0.0))
        except queue.Empty:
            return None
        if isinstance(change, Exception):
            raise change
        return change

    def _run(self) -> None:
        """List and watch until stopped; trouble is retried with backoff until it has lasted too long."""
        failures = 0
        while not self._stopped.is_set():
            before = self._last_success
            try:
                self._list_and_watch()
            except Exception as error:  # noqa: BLE001 - whatever ends the thread is handed to the reader, who raises it
                failures = 0 if self._last_success > before else failures + 1
                if self._hopeless(error):
                    self._changes.put(error)
                    return
                self._stopped.wait(min(0.2 * 2**failures, 10.0) * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not a secret

    def _hopeless(self, error: Exception) -> bool:
        """Tell whether trying again is pointless: nothing worked yet, the server says no, or it has lasted too long."""
        refused = getattr(error, "status", None) in (400, 401, 403, 404)
        return refused or not self.listed.is_set() or time.monotonic() - self._last_success > GIVE_UP_AFTER

    def _list_and_watch(self) -> None:
        """One list and watches after it, until the watch says that its resourceVersion is too old."""
        version = self._replace(self._api.list(self._plural, self._namespace))
        self.listed.set()
        while not self._stopped.is_set():
            self._last_success = time.monotonic()
            self._events = self._api.watch(self._plural, self._namespace, resource_version=version, seconds=WATCH_SECONDS)
            if self._stopped.is_set():
                return
            for event in self._events:
                if event["type"] == "ERROR":
                    return
                self._last_success = time.monotonic()
                version = event["object"]["metadata"]["resourceVersion"]
                if event["type"] != "BOOKMARK":
                    self._tell(event["type"], event["object"])
                if self._stopped.is_set():
                    return

    def _replace(self, listed: Object) -> str:
        """Tell the differences between what we know and a fresh list; return the list's resourceVersion."""
        fresh: dict[str, Object] = {item["metadata"]["uid"]: item for item in listed["items"]}
        for uid in [uid for uid in self._known if uid not in fresh]:
            self._tell("DELETED", self._known[uid])
        for uid, item in fresh.items():
            if uid not in self._known:
                self._tell("ADDED", item)
            elif _version(item) != _version(self._known[uid]):
                self._tell("MODIFIED", item)
        return str(listed["metadata"]["resourceVersion"])

    def _tell(self, kind: str, item: Object) -> None:
        """Hand a change over and remember the object as known."""
        if kind == "DELETED":
            self._known.pop(item["metadata"]["uid"], None)
        else:
            self._known[item["metadata"]["uid"]] = item
        self._changes.put(Change(kind, item))


def _version(item: Object) -> Any:
    """The resourceVersion, compared only for equality."""
    return item["metadata"].get("resourceVersion")
