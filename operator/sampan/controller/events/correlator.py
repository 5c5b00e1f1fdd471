"""Which news becomes a new Event, which one more of a known one, and which is too much about one object. No clock, no I/O.

The rules and figures are those of client-go's EventCorrelator and of its recorder for events.k8s.io: what is alike within six minutes is
one Event with a count; one object may have 25 writes at once, and one more every five minutes.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from sampan.controller.events.news import News

SERIES: Final = 360_000
"""Milliseconds after which news that are alike begin a new Event (client-go, tools/events: finishTime)."""
REFRESH: Final = 60_000
"""Least milliseconds between two writes of one Event's count."""
OBJECT_BURST: Final = 25
OBJECT_REFILL: Final = 300_000
"""Milliseconds for one more write about an object (client-go, tools/record: defaultSpamQPS)."""
REMEMBERED: Final = 4096
"""Events, and objects, that are remembered (client-go, tools/record: maxLruCacheEntries)."""


@dataclass(slots=True, kw_only=True, eq=False)
class Series:
    """One Event with how often it came."""

    news: News
    first: int
    """Milliseconds since the epoch."""
    last: int
    count: int = 1
    name: str = ""
    """Of the Event on the hub; empty before it was created."""
    queued: bool = False
    written_at: int = 0


class EventCorrelator:
    """Remembers what was told lately."""

    def __init__(self) -> None:
        """Nothing was told yet."""
        self._series: OrderedDict[tuple[str, str, str], Series] = OrderedDict()
        self._budgets: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def hear(self, news: News, now: int) -> Series:
        """Return the Event that this is a part of, counted in it; `now` in milliseconds since the epoch."""
        key = news.regarding.uid, news.reason, news.about
        known = self._series.get(key)
        if known is not None and 0 <= now - known.last < SERIES:
            known.count += 1
            known.last = now
        else:
            known = self._series[key] = Series(news=news, first=now, last=now)
        self._series.move_to_end(key)
        if len(self._series) > REMEMBERED:
            self._series.popitem(last=False)
        return known

    def is_due(self, series: Series, now: int) -> bool:
        """Tell whether it is to be put in line: not if it is there already, nor for a count that was written a moment ago."""
        return not series.queued and (not series.name or now - series.written_at >= REFRESH)

    def take(self, uid: str, now: int) -> bool:
        """Take one write of an object's budget; False where there is none left."""
        left, at = self._budgets.get(uid, (float(OBJECT_BURST), now))
        left = min(left + max(now - at, 0) / OBJECT_REFILL, OBJECT_BURST)
        self._budgets[uid] = (left - 1 if left >= 1 else left), now
        self._budgets.move_to_end(uid)
        if len(self._budgets) > REMEMBERED:
            self._budgets.popitem(last=False)
        return left >= 1
