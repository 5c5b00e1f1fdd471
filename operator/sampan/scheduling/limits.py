"""What limits a cell beyond its nodes: the offer's device caps, the quota of the job namespace, the member's own queue.

Each limit is a group of columns that draw on one amount. What our own running jobs hold counts against device caps; quotas and
queues are told by the member as what is left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sampan.model.cluster import Pool, Running
from sampan.model.job import Demand
from sampan.model.reason import Reason
from sampan.model.snapshot import Snapshot
from sampan.model.vector import PODS, Vector
from sampan.scheduling.assign import Flags
from sampan.scheduling.groups import Numbers
from sampan.scheduling.layout import Layout
from sampan.scheduling.need import need_of

UNLIMITED: Final = 2**40
Amounts = Mapping[str, int]
"""By resource; the empty name stands for devices."""
_AMPLE: Final = 2**62
_PREFIX: Final = "requests."


@dataclass(slots=True)
class Limit:
    """One amount that several columns draw on."""

    number: int
    reason: Reason
    columns: Numbers
    left: dict[str, int]
    """By resource; the empty name stands for devices. A resource that is not named is not limited."""
    total: dict[str, int]
    """What there would be if nothing of ours ran, as far as it is known: of device caps."""

    def fits(self, devices: int, need: Vector, *, empty: bool = False) -> int:
        """Return how many replicas the amount allows; `empty`: if none of our jobs ran."""
        have = self.total if empty else self.left
        counts = [max(have[""], 0) // devices] if "" in have and devices else []
        counts += [max(have[name], 0) // amount for name, amount in need if name in have and amount > 0]
        return min(counts, default=UNLIMITED)

    def state(self) -> tuple[object, ...]:
        """Return what is left and what there would be, as a value to compare."""
        return (*self.left.items(), *self.total.items())

    def take(self, devices: int, need: Vector) -> None:
        """Subtract what was assigned."""
        for name, amount in (("", devices), *need):
            if name in self.left:
                self.left[name] -= amount


class Limits:
    """All limits of one cycle."""

    def __init__(self, snapshot: Snapshot, layout: Layout) -> None:
        self._layout, self._columns = layout, layout.columns
        self.limits: list[Limit] = []
        self._of: dict[int, list[Limit]] = {}
        self._state: tuple[object, ...] | None = None
        self._per_job = _per_job(snapshot, layout)
        self._rules(snapshot)
        self._told(snapshot)
        self._least: dict[str, Numbers] = {}
        """By resource: the least that any limit of a column leaves."""
        for limit in self.limits:
            for column in limit.columns.tolist():
                self._of.setdefault(column, []).append(limit)
            for name in limit.left:
                self._lower(limit, name)
        kinds = layout.kinds
        self._more = {
            name: (max((k.extra[name] for k in kinds), default=0), max((k.units for k in kinds if k.resource == name), default=0))
            for name in self._least
        }
        """By resource: the most that a kind of column adds to a pod, and the most units that a device is."""

    def state(self) -> tuple[object, ...]:
        """Return what is left of every limit, as a value to compare."""
        if self._state is None:
            self._state = tuple((limit.reason, *limit.state(), limit.columns.tobytes()) for limit in self.limits)
        return self._state

    def of(self, column: int) -> Sequence[Limit]:
        """Return what limits a column beyond its nodes."""
        return self._of.get(column, ())

    def narrow(self, room: Numbers, demand: Demand) -> None:
        """Lower the rooms of the columns to what their limits allow."""
        devices = demand.requirement.count if demand.requirement else 0
        for at in self.among(np.flatnonzero((room > 0) & self._doubtful(demand, room))):
            need = need_of(demand, self._columns[at].cell.pool)
            room[at] = min(int(room[at]), *(limit.fits(devices, need) for limit in self._of[at]))
        if devices and self._per_job is not None:
            np.minimum(room, self._per_job // devices, out=room)

    def among(self, columns: Numbers) -> list[int]:
        """Return those of the columns that have limits."""
        return [column for column in columns.tolist() if column in self._of] if self._of else []

    def short(self, open_: Flags, demand: Demand) -> list[int]:
        """Return those of the open columns whose limits may allow fewer than the least replicas; `why` tells for sure."""
        return self.among(np.flatnonzero(open_ & self._doubtful(demand, demand.least_replicas))) if self._of else []

    def _doubtful(self, demand: Demand, wanted: Numbers | int) -> Flags:
        """Return the columns where a limit may allow fewer replicas than wanted: all such, and some others."""
        found: Flags = np.zeros(len(self._columns), dtype=bool)
        devices = demand.requirement.count if demand.requirement else 0
        for name, least in self._least.items():
            extra, units = self._more[name]
            most = devices if not name else demand.per_replica[name] + extra + devices * units
            if most > 0:
                found |= least // min(most, _AMPLE) < wanted
        return found

    def _lower(self, limit: Limit, name: str) -> None:
        """Take over what is left of a limit: less than before."""
        least = self._least.setdefault(name, np.full(len(self._columns), _AMPLE, dtype=np.int64))
        least[limit.columns] = np.minimum(least[limit.columns], max(min(limit.left[name], _AMPLE), -_AMPLE))

    def why(self, column: int, demand: Demand) -> Reason | None:
        """Return the reason of a limit that allows fewer than the least replicas, None where none does."""
        devices, need = demand.requirement.count if demand.requirement else 0, need_of(demand, self._columns[column].cell.pool)
        short = [limit for limit in self._of.get(column, ()) if limit.fits(devices, need) < demand.least_replicas]
        never = any(limit.fits(devices, need, empty=True) < demand.least_replicas for limit in short)
        return Reason.TOO_LARGE if never else min((limit.reason for limit in short), key=lambda r: r.severity, default=None)

    def take(self, column: int, demand: Demand, replicas: int) -> None:
        """Subtract an assignment from every limit of its column."""
        devices, need = demand.requirement.count if demand.requirement else 0, need_of(demand, self._columns[column].cell.pool)
        self._state = None
        for limit in self._of.get(column, ()):
            limit.take(devices * replicas, need.times(replicas))
            for name in limit.left:
                self._lower(limit, name)

    def _rules(self, snapshot: Snapshot) -> None:
        for members in self._layout.capped:
            pools = {self._columns[at].cell.pool.name: self._columns[at].cell.pool for at in members}
            cell = self._columns[members[0]].cell
            cap = cell.pool.max_devices or 0
            used = 0
            for running in snapshot.clusters[cell.pool.cluster_uid].running.values():
                pool = pools.get(running.pool) if running.offer == cell.offer else None
                if pool is not None:
                    used += devices_of(running, pool)
            self._add(Reason.INSUFFICIENT_CAPACITY, members, left={"": cap - used}, total={"": cap})

    def _told(self, snapshot: Snapshot) -> None:
        quotas: dict[tuple[str, str], list[int]] = {}
        for uid, numbers in self._layout.by_cluster.items():
            if snapshot.clusters[uid].quotas:
                for number in numbers:
                    namespace = snapshot.offers[self._columns[number].cell.offer].namespace
                    if namespace in snapshot.clusters[uid].quotas:
                        quotas.setdefault((uid, namespace), []).append(number)
        for (uid, namespace), members in quotas.items():
            self._add(Reason.QUOTA_EXHAUSTED, members, left=_amounts(snapshot.clusters[uid].quotas[namespace]), total={})
        for (uid, name), queued in self._layout.queued.items():
            if name in snapshot.clusters[uid].queues:
                self._add(Reason.MEMBER_QUEUE_FULL, queued, left=_amounts(snapshot.clusters[uid].queues[name].free), total={})

    def _add(self, reason: Reason, columns: Sequence[int], *, left: dict[str, int], total: dict[str, int]) -> None:
        self.limits.append(Limit(len(self.limits), reason, np.array(columns), left, total))


def _per_job(snapshot: Snapshot, layout: Layout) -> Numbers | None:
    """Return by column the most devices that its offer gives to one job; None where no offer says."""
    caps = {key: offer.max_devices_per_job for key, offer in snapshot.offers.items() if offer.max_devices_per_job is not None}
    if not caps:
        return None
    return np.array([caps.get(column.cell.offer, UNLIMITED) for column in layout.columns], dtype=np.int64)


def amounts_of(demand: Demand, pool: Pool, replicas: int) -> Amounts:
    """Return what so many replicas take of limits in a pool."""
    devices = demand.requirement.count if demand.requirement else 0
    return {"": devices * replicas, **dict(need_of(demand, pool).times(replicas).amounts)}


def devices_of(running: Running, pool: Pool) -> int:
    """Return the devices that a job of ours holds in a pool."""
    units = pool.accelerator.units_per_device if pool.accelerator else 1
    return running.held[pool.resource] // units if pool.resource else 0


def plain_name(name: str) -> str:
    """Return the resource that a quota's entry limits: `requests.cpu` limits what `cpu` does."""
    return PODS if name == "count/pods" else name.removeprefix(_PREFIX)


def _amounts(told: Mapping[str, int]) -> dict[str, int]:
    """Return amounts by resource: `requests.cpu` limits what `cpu` does, the lesser counts; limits on other things than requests do not."""
    left: dict[str, int] = {}
    for name, amount in told.items():
        plain = plain_name(name)
        left[plain] = min(left.get(plain, amount), amount)
    return left
