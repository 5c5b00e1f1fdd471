"""What limits a cell beyond its nodes: the offer's device caps, the quotas of the job namespace, the member's own queue.

Each limit is a group of columns that draw on one amount. What our own running jobs hold counts against device caps; quotas and
queues are told by the member as what is left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from sampan.model.job import Demand
from sampan.model.members.admission import JOBS, LIMITS, Quota
from sampan.model.members.cluster import Pool, Running
from sampan.model.reason import Reason
from sampan.model.snapshot import Snapshot
from sampan.model.values.vector import CPU, MEMORY
from sampan.scheduling.capacity.cells import CellIndex
from sampan.scheduling.capacity.limit_bounds import LimitBounds
from sampan.scheduling.capacity.node_selection import Flags
from sampan.scheduling.capacity.quota_usage import NOTHING, UNLIMITED, QuotaUse, use_of
from sampan.scheduling.capacity.topology import Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class _Amounts:
    """What a limit starts a cycle with."""

    left: Mapping[str, int]
    total: Mapping[str, int] = field(default_factory=dict)
    largest: Mapping[str, int] = field(default_factory=dict)
    quota: Quota | None = None


@dataclass(slots=True)
class Limit:
    """One amount that several columns draw on."""

    number: int
    reason: Reason
    columns: Numbers
    left: dict[str, int]
    """By name as in `QuotaUse`; the empty name stands for devices. A resource that is not named is not limited, one with 0 is used up."""
    total: dict[str, int]
    """What there would be if nothing of ours ran, as far as it is known: of device caps."""
    largest: Mapping[str, int] = field(default_factory=dict)
    """The most that one job may take."""
    quota: Quota | None = None
    """What the amount is of, where it is a quota's."""

    def counts(self, *, best_effort: bool) -> bool:
        """Tell whether pods of this quality of service draw on it."""
        return self.quota is None or self.quota.best_effort in (None, best_effort)

    def fits(self, use: QuotaUse, *, empty: bool = False) -> int:
        """Return how many replicas the amount allows; `empty`: if none of our jobs ran."""
        if not self.counts(best_effort=use.best_effort):
            return UNLIMITED
        return min(use.fits(self.total if empty else self.left), use.fits(self.largest) if self.largest else UNLIMITED)

    def amounts(self, use: QuotaUse, replicas: int) -> dict[str, int]:
        """Return what so many replicas of a job take of it."""
        return use.of(replicas) if self.counts(best_effort=use.best_effort) else {}

    def given_back(self, running: Running, pool: Pool) -> dict[str, int]:
        """Return what a job of ours gives back when it ends: no more than it took."""
        if not self.counts(best_effort=not (running.per_replica[CPU] or running.per_replica[MEMORY])):
            return {}
        replicas = sum(count for _, count in running.nodes)
        limits = {f"{LIMITS}{name}": amount * replicas for name, amount in running.limits}
        return {"": devices_of(running, pool), **dict(running.in_use.amounts), **limits}

    def state(self) -> tuple[object, ...]:
        """Return what is left and what there would be, as a value to compare."""
        scope = None if self.quota is None else self.quota.best_effort
        return (*self.left.items(), *self.total.items(), *self.largest.items(), scope)

    def take(self, use: QuotaUse, replicas: int) -> None:
        """Subtract what was assigned."""
        for name, amount in self.amounts(use, replicas).items():
            if name in self.left:
                self.left[name] -= amount


class Limits:
    """All limits of one cycle."""

    def __init__(self, snapshot: Snapshot, layout: CellIndex) -> None:
        self._cells, self._columns = layout, layout.columns
        self.limits: list[Limit] = []
        self._of: dict[int, list[Limit]] = {}
        self._state: tuple[object, ...] | None = None
        self._per_job = _per_job(snapshot, layout)
        self._uses: dict[tuple[int, int], tuple[Demand, QuotaUse]] = {}
        self._caps(snapshot)
        self._quotas(snapshot)
        self._bounds = LimitBounds(layout)
        for limit in self.limits:
            for column in limit.columns.tolist():
                self._of.setdefault(column, []).append(limit)
            self._bounds.lower(limit.columns, limit.left)
            self._bounds.lower(limit.columns, limit.largest)

    def state(self) -> tuple[object, ...]:
        """Return what is left of every limit, as a value to compare."""
        if self._state is None:
            self._state = tuple((limit.reason, *limit.state(), limit.columns.tobytes()) for limit in self.limits)
        return self._state

    def of(self, column: int) -> Sequence[Limit]:
        """Return what limits a column beyond its nodes."""
        return self._of.get(column, ())

    def use(self, column: int, demand: Demand) -> QuotaUse:
        """Return what a demand takes of the limits of a column; nothing where it has none."""
        if column not in self._of:
            return NOTHING
        known = self._uses.get((id(demand), column))
        if known is None:
            known = self._uses[id(demand), column] = demand, use_of(demand, self._columns[column].cell.pool)
        return known[1]

    def subtract(self, room: Numbers, demand: Demand) -> None:
        """Lower the rooms of the columns to what their limits allow."""
        devices = demand.requirement.count if demand.requirement else 0
        for at in self.among(np.flatnonzero((room > 0) & self._bounds.may_be_short(demand, room))):
            use = self.use(at, demand)
            room[at] = min(int(room[at]), *(limit.fits(use) for limit in self._of[at]))
        if devices and self._per_job is not None:
            np.minimum(room, self._per_job // devices, out=room)

    def among(self, columns: Numbers) -> list[int]:
        """Return those of the columns that have limits."""
        return [column for column in columns.tolist() if column in self._of] if self._of else []

    def short(self, open_: Flags, demand: Demand) -> list[int]:
        """Return those of the open columns whose limits may allow fewer than the least replicas; `why` tells for sure."""
        return self.among(np.flatnonzero(open_ & self._bounds.may_be_short(demand, demand.least_replicas))) if self._of else []

    def why(self, column: int, demand: Demand) -> Reason | None:
        """Return the reason of a limit that allows fewer than the least replicas, None where none does."""
        use = self.use(column, demand)
        short = [limit for limit in self._of.get(column, ()) if limit.fits(use) < demand.least_replicas]
        never = any(limit.fits(use, empty=True) < demand.least_replicas for limit in short if limit.total)
        return Reason.TOO_LARGE if never else min((limit.reason for limit in short), key=lambda r: r.severity, default=None)

    def take(self, column: int, demand: Demand, replicas: int) -> None:
        """Subtract an assignment from every limit of its column."""
        use = self.use(column, demand)
        self._state = None
        for limit in self._of.get(column, ()):
            limit.take(use, replicas)
            self._bounds.lower(limit.columns, limit.left)

    def _caps(self, snapshot: Snapshot) -> None:
        for members in self._cells.capped:
            pools = {self._columns[at].cell.pool.name: self._columns[at].cell.pool for at in members}
            cell = self._columns[members[0]].cell
            cap = cell.pool.max_devices or 0
            used = 0
            for running in snapshot.clusters[cell.pool.cluster_uid].running.values():
                pool = pools.get(running.pool) if running.offer == cell.offer else None
                if pool is not None:
                    used += devices_of(running, pool)
            self._add(Reason.INSUFFICIENT_CAPACITY, members, _Amounts(left={"": cap - used}, total={"": cap}))

    def _quotas(self, snapshot: Snapshot) -> None:
        within: dict[tuple[str, str], list[int]] = {}
        for uid, numbers in self._cells.by_cluster.items():
            if snapshot.clusters[uid].quotas:
                for number in numbers:
                    namespace = snapshot.offers[self._columns[number].cell.offer].namespace
                    if namespace in snapshot.clusters[uid].quotas:
                        within.setdefault((uid, namespace), []).append(number)
        for (uid, namespace), members in within.items():
            for quota in snapshot.clusters[uid].quotas[namespace]:
                self._add(Reason.QUOTA_EXHAUSTED, members, _Amounts(left=quota.left, quota=quota))
        self._queues(snapshot)

    def _queues(self, snapshot: Snapshot) -> None:
        """Every queue of one ClusterQueue draws on the same amount, and all of a cohort on what it has together."""
        drawn: dict[tuple[str, str], tuple[list[int], Mapping[str, int], Mapping[str, int]]] = {}
        for (uid, name), queued in self._cells.queued.items():
            queue = snapshot.clusters[uid].queues.get(name)
            if queue is None:
                continue
            drawn.setdefault((uid, queue.source or name), ([], queue.free, queue.largest))[0].extend(queued)
            if queue.cohort:
                drawn.setdefault((uid, f"cohort {queue.cohort}"), ([], queue.cohort_free, {}))[0].extend(queued)
        for columns, free, largest in drawn.values():
            self._add(Reason.MEMBER_QUEUE_FULL, sorted(columns), _Amounts(left=free, largest=largest))

    def _add(self, reason: Reason, columns: Sequence[int], amounts: _Amounts) -> None:
        number, quota = len(self.limits), amounts.quota
        left, total = dict(amounts.left), dict(amounts.total)
        self.limits.append(Limit(number, reason, np.array(columns), left, total, amounts.largest, quota))


def _per_job(snapshot: Snapshot, layout: CellIndex) -> Numbers | None:
    """Return by column the most devices that its offer gives to one job; None where no offer says."""
    caps = {key: offer.max_devices_per_job for key, offer in snapshot.offers.items() if offer.max_devices_per_job is not None}
    if not caps:
        return None
    return np.array([caps.get(column.cell.offer, UNLIMITED) for column in layout.columns], dtype=np.int64)


def devices_of(running: Running, pool: Pool) -> int:
    """Return the devices that a job of ours holds in a pool."""
    units = pool.accelerator.units_per_device if pool.accelerator else 1
    return running.in_use[pool.resource] // units if pool.resource else 0


def after_run(quota: Quota, running: Running, *, sign: int) -> Quota:
    """Return a quota with a job of ours more (1) or less (-1)."""
    if quota.best_effort not in (None, not (running.per_replica[CPU] or running.per_replica[MEMORY])):
        return quota
    replicas = sum(count for _, count in running.nodes)
    taken = {**dict(running.in_use.amounts), **{f"{LIMITS}{name}": amount * replicas for name, amount in running.limits}, JOBS: 1}
    return Quota(
        name=quota.name,
        left={name: amount - sign * taken.get(name, 0) for name, amount in quota.left.items()},
        hard=quota.hard,
        uncounted=quota.uncounted,
        best_effort=quota.best_effort,
    )
