"""Lanes: so many keys at once in each, and the others of a lane wait for their turn without delaying another lane.

Knows nothing of jobs or API servers, and runs nothing: it says whose turn it is.
"""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Lane:
    width: int
    busy: set[str] = field(default_factory=set)
    called: set[str] = field(default_factory=set)
    """Those whose turn it is: a slot is kept for each until it enters or withdraws, so that none that comes later overtakes it."""
    waiting: dict[str, None] = field(default_factory=dict)

    @property
    def has_room(self) -> bool:
        return len(self.busy) + len(self.called) < self.width


class Lanes:
    """Slots by lane. A key is in one lane at most."""

    def __init__(self, width: Callable[[str], int], call: Callable[[str], None]) -> None:
        """`width(lane)` is how many keys are in a lane at once; `call(key)` is told whose turn it is: `enter` or `leave` must follow."""
        self._width, self._call = width, call
        self._lanes: dict[str, _Lane] = {}
        self._lane_of: dict[str, str] = {}

    @property
    def waiting(self) -> int:
        """Return how many keys wait for their turn, those included that were called."""
        return sum(len(lane.waiting) + len(lane.called) for lane in self._lanes.values())

    def enter(self, key: str, lane: str) -> bool:
        """Take a slot and return True; or wait in turn, where it keeps its place. It leaves the lane where it waited before."""
        if self._lane_of.get(key, lane) != lane:
            self.leave(key)
        entered = self._lanes.get(lane)
        if entered is None:
            entered = self._lanes[lane] = _Lane(self._width(lane))
        self._lane_of[key] = lane
        if key in entered.called or entered.has_room:
            entered.called.discard(key)
            entered.busy.add(key)
            return True
        entered.waiting[key] = None
        return False

    def leave(self, key: str) -> None:
        """Give the slot or the place in the line back, if it has one, and call the next."""
        name = self._lane_of.pop(key, None)
        if name is None:
            return
        lane = self._lanes[name]
        lane.busy.discard(key)
        lane.called.discard(key)
        lane.waiting.pop(key, None)
        while lane.waiting and lane.has_room:
            following = next(iter(lane.waiting))
            del lane.waiting[following]
            lane.called.add(following)
            self._call(following)
        if not lane.busy and not lane.called:
            del self._lanes[name]
