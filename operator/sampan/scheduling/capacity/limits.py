"""One limit beyond the nodes: an offer's cap on devices, a quota of the job namespace, a member's own queue.

Each limit is a group of columns that draw on one amount. What our own running jobs hold counts against device caps; quotas and
queues are told by the member as what is left.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sampan.model.members.admission import JOBS, LIMITS, Quota
from sampan.model.members.cluster import Pool, Running
from sampan.model.reason import Reason
from sampan.scheduling.capacity.quota_usage import UNLIMITED, QuotaUse
from sampan.scheduling.capacity.topology import Numbers

LimitKey = tuple[str, str, str, str]
"""UID of the cluster, sort of the limit, and what names it there."""


@dataclass(slots=True, kw_only=True, eq=False)
class Limit:
    """One amount that several columns draw on. Each is one of a kind: two are never equal."""

    key: LimitKey
    reason: Reason
    columns: Numbers
    left: dict[str, int]
    """By name as in `QuotaUse`; the empty name stands for devices. A resource that is not named is not limited, one with 0 is used up."""
    total: dict[str, int] = field(default_factory=dict)
    """What there would be if nothing of ours ran, as far as it is known: of device caps."""
    largest: Mapping[str, int] = field(default_factory=dict)
    """The most that one job may take."""
    tenant: str = ""
    """Whose jobs alone draw on it; empty: everybody's."""
    quota: Quota | None = None
    """What the amount is of, where it is a quota's."""
    number: int = -1
    """In the table of limits."""

    @property
    def cluster_uid(self) -> str:
        """Return the UID of the cluster that has it."""
        return self.key[0]

    def counts(self, *, best_effort: bool, tenant: str) -> bool:
        """Tell whether pods of this quality of service and of this tenant draw on it."""
        return self.tenant in ("", tenant) and (self.quota is None or self.quota.counts(best_effort=best_effort))

    def fits(self, use: QuotaUse, *, empty: bool = False) -> int:
        """Return how many replicas the amount allows; `empty`: if none of our jobs ran."""
        if not self.counts(best_effort=use.best_effort, tenant=use.tenant):
            return UNLIMITED
        return min(use.fits(self.total if empty else self.left), use.fits(self.largest) if self.largest else UNLIMITED)

    def taken(self, use: QuotaUse, replicas: int) -> dict[str, int]:
        """Return what so many replicas of a job take of it."""
        return use.of(replicas) if self.counts(best_effort=use.best_effort, tenant=use.tenant) else {}

    def given_back(self, running: Running, pool: Pool) -> dict[str, int]:
        """Return what a job of ours gives back when it ends: no more than it took."""
        if not self.counts(best_effort=running.best_effort, tenant=running.namespace):
            return {}
        limits = {f"{LIMITS}{name}": amount * running.replicas for name, amount in running.limits}
        amounts = {name: amount * running.replicas for name, amount in running.per_replica.amounts}
        return {"": _devices(amounts.get(pool.resource, 0) if pool.resource else 0, pool), **amounts, **limits}

    def amounts(self) -> tuple[object, ...]:
        """Return all that decides how much it allows, as a value to compare."""
        return dict(self.left), self.total, self.largest, None if self.quota is None else self.quota.best_effort

    def take(self, use: QuotaUse, replicas: int) -> None:
        """Subtract what was assigned."""
        for name, amount in self.taken(use, replicas).items():
            if name in self.left:
                self.left[name] -= amount


def devices_of(running: Running, pool: Pool) -> int:
    """Return the devices that a job of ours holds in a pool."""
    return _devices(running.in_use[pool.resource], pool) if pool.resource else 0


def _devices(amount: int, pool: Pool) -> int:
    return amount // (pool.accelerator.units_per_device if pool.accelerator else 1)


def after_run(quota: Quota, running: Running, *, sign: int) -> Quota:
    """Return a quota with a job of ours more (1) or less (-1)."""
    if not quota.counts(best_effort=running.best_effort):
        return quota
    limits = {f"{LIMITS}{name}": amount * running.replicas for name, amount in running.limits}
    taken = {**dict(running.in_use.amounts), **limits, JOBS: 1}
    return Quota(
        name=quota.name,
        left={name: amount - sign * taken.get(name, 0) for name, amount in quota.left.items()},
        hard=quota.hard,
        uncounted=quota.uncounted,
        best_effort=quota.best_effort,
    )
