"""Writes Events to the hub in a lane of its own: few at a time, one after the other, and never in the way of a binding.

Fire and forget: whoever tells of news waits for nothing. What the hub is too slow for is dropped and counted, warnings last.
"""

import asyncio
import itertools
import logging
from collections import Counter, deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from sampan.controller.events.correlator import EventCorrelator, Series
from sampan.controller.events.news import News
from sampan.faults import log_fault
from sampan.kube.errors import KubeError, NotFound
from sampan.kube.objects.meta import PartialObject
from sampan.kube.text import clean_text
from sampan.kube.transport.client import Client
from sampan.kube.transport.paths import resource_path
from sampan.model.values.names import GROUP, VERSION

log = logging.getLogger(__name__)

API: Final = "events.k8s.io/v1"
CONTROLLER: Final = f"{GROUP}/operator"
MOST: Final = 4096
"""Events that wait to be written at most."""
BUSY_SHARE: Final = 1 / 20
"""Part of the calls that the hub may be sent which Events take while jobs are being bound."""
IDLE_SHARE: Final = 1 / 5
"""The same while none is."""
RETRY_DELAY: Final = 5.0
"""Seconds for which nothing is written after the hub did not answer."""
NOTE: Final = 1000
"""Bytes of a note; the API allows 1,024."""
_NAME: Final = 200


class EventResult(StrEnum):
    """What became of news."""

    WRITTEN = "written"
    MERGED = "merged"
    """It is one more of an Event that is there, or waits."""
    LIMITED = "limited"
    """Too much was told of one object."""
    DROPPED = "dropped"
    """Too many wait: the hub is too slow for them."""
    FAILED = "failed"
    """The hub refused it or did not answer."""


class EventRecorder:
    """Takes news, and writes them until cancelled."""

    def __init__(self, client: Client, *, clock: Callable[[], int], busy: Callable[[], bool], instance: str) -> None:
        """`clock` gives milliseconds since the epoch; `busy` tells whether jobs are being bound; `instance` names this process."""
        self._client, self._clock, self._busy, self._instance = client, clock, busy, instance
        self._correlator = EventCorrelator()
        self._warnings, self._others = deque[Series](), deque[Series]()
        self._wake = asyncio.Event()
        self._numbers = itertools.count()
        self.results: Counter[EventResult] = Counter()
        """What became of news, since the start."""

    def __len__(self) -> int:
        """Return how many Events wait to be written."""
        return len(self._warnings) + len(self._others)

    def record(self, news: News) -> None:
        """Have it told. Costs next to nothing, and never raises."""
        now = self._clock()
        series = self._correlator.hear(news, now)
        if series.count > 1:
            self.results[EventResult.MERGED] += 1
        if not self._correlator.is_due(series, now):
            return
        if len(self) >= MOST and not self._make_room(news):
            self.results[EventResult.DROPPED] += 1
        elif not self._correlator.take(news.regarding.uid, now):
            self.results[EventResult.LIMITED] += 1
        else:
            series.queued = True
            (self._warnings if news.is_warning else self._others).append(series)
            self._wake.set()

    def _make_room(self, news: News) -> bool:
        """Drop what is least missed for a warning: the oldest news that is none."""
        if not news.is_warning or not self._others:
            return False
        self._others.popleft().queued = False
        self.results[EventResult.DROPPED] += 1
        return True

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            if not self:
                self._wake.clear()
                await self._wake.wait()
            series = (self._warnings or self._others).popleft()
            series.queued = False
            await asyncio.sleep(await self._written(series))

    async def _written(self, series: Series) -> float:
        """Write one Event; return for how many seconds to leave the hub alone then."""
        try:
            await self._write(series)
        except KubeError as error:
            self.results[EventResult.FAILED] += 1
            log.warning("event.write_failed", extra={"reason": error.reason, "object": str(series.news.regarding.name)})
            return RETRY_DELAY if error.status == 0 else self._pace
        except Exception as error:  # noqa: BLE001  one Event that cannot be written must not silence all others
            self.results[EventResult.FAILED] += 1
            log_fault(log, "event.quarantined", error, uid=series.news.regarding.uid)
        else:
            self.results[EventResult.WRITTEN] += 1
        return self._pace

    @property
    def _pace(self) -> float:
        """Return the seconds between two writes."""
        return 1 / (self._client.limits.qps * (BUSY_SHARE if self._busy() else IDLE_SHARE))

    async def _write(self, series: Series) -> None:
        namespace, series.written_at = series.news.regarding.namespace, self._clock()
        if series.name:
            path = resource_path(API, "events", namespace=namespace, name=series.name)
            try:
                await self._client.patch(path, {"series": _series(series)}, into=PartialObject)
            except NotFound:
                series.name = ""  # the API server forgets Events after an hour: a new one
            else:
                return
        name = f"{series.news.regarding.name[:_NAME].rstrip('.-')}.{self._clock():x}{next(self._numbers):x}"
        body = event_body(series, name, instance=self._instance)
        await self._client.create(resource_path(API, "events", namespace=namespace), body, into=PartialObject)
        series.name = name


def event_body(series: Series, name: str, *, instance: str) -> Mapping[str, Any]:
    """Return the Event as it is created."""
    news = series.news
    about = news.regarding
    body = {
        "apiVersion": API,
        "kind": "Event",
        "metadata": {"name": name, "namespace": about.namespace},
        "eventTime": _micro_time(series.first),
        "reportingController": CONTROLLER,
        "reportingInstance": instance[:128],
        "action": str(news.reason),
        "reason": str(news.reason),
        "regarding": {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": about.kind,
            "namespace": about.namespace,
            "name": about.name,
            "uid": about.uid,
        },
        "note": clean_text(news.note, NOTE),
        "type": "Warning" if news.is_warning else "Normal",
    }
    return body | {"series": _series(series)} if series.count > 1 else body


def _series(series: Series) -> dict[str, Any]:
    return {"count": series.count, "lastObservedTime": _micro_time(series.last)}


def _micro_time(millis: int) -> str:
    """Return milliseconds since the epoch as Kubernetes' MicroTime."""
    return datetime.fromtimestamp(millis / 1000, UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
