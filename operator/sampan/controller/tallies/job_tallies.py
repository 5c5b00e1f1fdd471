"""What is counted of jobs by tenant and queue for whoever watches over a hub: kept up at each change of a job, never gone through.

No job is named in it, so that it does not grow with them: a group that is empty is forgotten. No I/O, no clock.
"""

from collections import Counter
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Final, NamedTuple, TypeVar

from sampan.controller.state.record import JobRecord
from sampan.controller.state.running import demand_of
from sampan.model.status.condition import Condition
from sampan.model.status.reasons import JobConditionType
from sampan.model.values.distribution import SECONDS_OF_WAITS, Distribution

_K = TypeVar("_K")
_V = TypeVar("_V")
KEPT: Final = 4096
"""Of how many groups, and of how many offers with an outcome, what came is kept since the start. Tenants choose the names of queues."""


class Group(NamedTuple):
    """Jobs that are counted together."""

    tenant: str
    """Their namespace."""
    queue: str
    """As the jobs name it; empty where they leave it to their namespace."""


class _Part(NamedTuple):
    """What one job adds to its group."""

    phase: str
    waits: bool
    devices: int
    stall: str


_ENDED: Final = _Part("", False, 0, "")
_NOTHING: Final = (Group("", ""), _ENDED)


@dataclass(slots=True)
class GroupTally:
    """What is counted of a group."""

    phases: Counter[str] = field(default_factory=Counter)
    """Of jobs that have not ended."""
    devices: int = 0
    """That open attempts take."""
    waiting: dict[str, int] = field(default_factory=dict)
    """Jobs that wait for a place, each with when it was created."""
    _by_age: list[tuple[int, str]] = field(default_factory=list)
    """A heap of those, and of some that wait no more."""

    def begin(self, uid: str, created: int) -> None:
        """Hear that a job waits."""
        self.waiting[uid] = created
        heappush(self._by_age, (created, uid))
        if len(self._by_age) > 2 * len(self.waiting) + 64:
            self._by_age = sorted((at, each) for each, at in self.waiting.items())

    @property
    def oldest(self) -> int | None:
        """Return when the job was created that waits longest, in milliseconds since the epoch; None where none waits."""
        while self._by_age and self.waiting.get(self._by_age[0][1]) != self._by_age[0][0]:
            heappop(self._by_age)
        return self._by_age[0][0] if self._by_age else None


class JobTallies:
    """Counts by group, and how long jobs waited; `changed` is called at each change of a job."""

    def __init__(self) -> None:
        """Nothing is known."""
        self.groups: dict[Group, GroupTally] = {}
        self.stalls: Counter[str] = Counter()
        """Jobs that something stalls now, by the reason."""
        self.outcomes: Counter[tuple[str, str]] = Counter()
        """Attempts that ended, by offer and outcome, since the start; like what follows of those only that came last (KEPT)."""
        self.bound: dict[Group, Distribution] = {}
        """Seconds from when a job could be placed until it was bound."""
        self.running: dict[Group, Distribution] = {}
        """The same until it ran."""

    def changed(self, before: JobRecord | None, after: JobRecord | None) -> None:
        """Hear of a job: `before` is None for one that is new to this process, `after` for one that is gone."""
        self._recount(before, after)
        if before is not None and after is not None and before.status is not after.status:
            self._observe(before, after)

    def _recount(self, before: JobRecord | None, after: JobRecord | None) -> None:
        old = _NOTHING if before is None else (_group(before), _part(before))
        new = _NOTHING if after is None else (_group(after), _part(after))
        if old == new:
            return
        if before is not None and old[1].phase:
            self._add(*old, before, sign=-1)
        if after is not None and new[1].phase:
            self._add(*new, after, sign=1)
        left = self.groups.get(old[0])
        if left is not None and not any(left.phases.values()):
            del self.groups[old[0]]

    def _add(self, group: Group, part: _Part, record: JobRecord, *, sign: int) -> None:
        tally = self.groups.setdefault(group, GroupTally())
        tally.phases[part.phase] += sign
        tally.devices += sign * part.devices
        if part.waits and sign > 0:
            tally.begin(record.uid, record.created)
        elif part.waits:
            tally.waiting.pop(record.uid, None)
        if part.stall:
            self.stalls[part.stall] += sign
            self.stalls += Counter()  # what nothing is stalled by is no series

    def _observe(self, before: JobRecord, after: JobRecord) -> None:
        binding, newest, known = after.binding, after.status.last_attempt, before.status.last_attempt
        if newest is not None and newest.number > (known.number if known is not None else 0):
            ended = (str(newest.offer or ""), newest.outcome)
            _keep(self.outcomes, ended, self.outcomes[ended] + 1)
        if binding is None:
            return
        if before.binding is None or before.binding.attempt != binding.attempt:
            _note(self.bound, _group(after), binding.bound_at - _placeable(after))
        started = after.started_at
        if started is not None and before.started_at is None:
            _note(self.running, _group(after), started - _placeable(after))


def _note(where: dict[Group, Distribution], group: Group, millis: int) -> None:
    spread = where.get(group) or Distribution(SECONDS_OF_WAITS)
    spread.add(max(millis, 0) / 1000)
    _keep(where, group, spread)


def _keep(where: dict[_K, _V], key: _K, value: _V) -> None:
    """Set a value and forget the one that was set longest ago where there are too many: a mapping is in the order of setting."""
    where.pop(key, None)
    where[key] = value
    if len(where) > KEPT:
        del where[next(iter(where))]


def _placeable(record: JobRecord) -> int:
    """Return since when the attempt that is bound could be made: since the job was created, resumed, or its attempt before ended."""
    newest, suspended = record.status.last_attempt, record.status.condition(JobConditionType.SUSPENDED)
    ended = newest.ended_at or 0 if newest is not None else 0
    return max(record.created, ended, _since(suspended))


def _since(resumed: Condition | None) -> int:
    return resumed.since or 0 if resumed is not None else 0


def _group(record: JobRecord) -> Group:
    return Group(record.namespace, (record.spec.queue if record.spec is not None else None) or "")


def _part(record: JobRecord) -> _Part:
    if record.phase.ended:
        return _ENDED
    stall = record.status.stall
    return _Part(str(record.phase), record.waits, _devices(record), stall.reason if stall is not None else "")


def _devices(record: JobRecord) -> int:
    binding = record.binding
    if binding is None or not record.attempt_open or record.shape is None:
        return 0
    demand = demand_of(record.shape, binding.alternative)
    return demand.requirement.count * binding.replicas if demand is not None and demand.requirement is not None else 0
