"""What a job takes of the quotas of its namespace on a member: its pods, and the objects made with it. Amounts by `admission.quota_key`.

After kubernetes/kubernetes pkg/quota/v1/evaluator/core. Nothing of what is left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from sampan.model.job import Demand
from sampan.model.members.admission import (
    ALL_PODS,
    CLAIM_TEMPLATES,
    CLAIMS,
    IMPLICIT_CLASS,
    JOBS,
    LIMITS,
    PER_CLASS,
    SERVICES,
)
from sampan.model.members.cluster import Pool
from sampan.model.values.quantity import INFINITE
from sampan.model.values.vector import PODS, Vector
from sampan.scheduling.capacity.node_selection import Flags
from sampan.scheduling.capacity.pod_amounts import PodAmounts, admitted
from sampan.scheduling.capacity.request import OF_COMPUTE
from sampan.scheduling.capacity.topology import Numbers

UNLIMITED: Final = 2**40
Texts = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaUse:
    """What a job takes in a pool. The empty name stands for devices, which caps of offers count."""

    each: Mapping[str, int] = field(default_factory=dict)
    """By one replica."""
    once: Mapping[str, int] = field(default_factory=dict)
    """By the job, whatever its width."""
    best_effort: bool = False
    tenant: str = ""
    """Whose it is, where an offer keeps tenants apart."""

    def fits(self, have: Mapping[str, int]) -> int:
        """Return how many replicas these amounts allow; what is not named is not limited, what is named may be 0 or less."""
        if any(amount > max(have[name], 0) for name, amount in self.once.items() if name in have):
            return 0
        counts = [max(have[name], 0) // amount for name, amount in self.each.items() if amount > 0 and name in have]
        return min(counts, default=UNLIMITED)

    def of(self, replicas: int) -> dict[str, int]:
        """Return what so many replicas of one job take together."""
        taken = {name: amount * replicas for name, amount in self.each.items()}
        for name, amount in self.once.items():
            taken[name] = taken.get(name, 0) + amount
        return taken


NOTHING: Final = QuotaUse()


def use_of(demand: Demand, pool: Pool) -> QuotaUse:
    """Return what a job takes of quotas, caps and queues in a pool; the most where LimitRanges disagree."""
    pods = admitted(demand, pool)
    devices = demand.requirement.count if demand.requirement else 0
    each = {"": devices, PODS: 1}
    for pod in pods:
        for name, amount in _of_pod(pod, pool.overhead).items():
            each[name] = max(each.get(name, 0), amount)
    once = {JOBS: 1, **dict(demand.objects)}
    if ALL_PODS not in once:
        each[ALL_PODS] = 1
    if demand.least_replicas > 1:
        once[SERVICES] = 1
    if devices and pool.claim is not None:
        name = pool.claim.device_class
        each |= {CLAIMS: 1, f"{name}{PER_CLASS}": devices, f"{IMPLICIT_CLASS}{name}": devices}
        once[CLAIM_TEMPLATES] = 1
    return QuotaUse(each=each, once=once, best_effort=all(pod.best_effort for pod in pods), tenant=demand.tenant)


def _of_pod(pod: PodAmounts, overhead: Vector) -> dict[str, int]:
    """Return what quotas count of a pod: a RuntimeClass's overhead joins the requests, and those limits that there are."""
    requests = {**pod.requests, **{name: pod.requests.get(name, 0) + amount for name, amount in overhead}}
    limits = {name: amount + (overhead[name] if amount else 0) for name, amount in pod.limits.items() if name in OF_COMPUTE}
    return {**requests, **{f"{LIMITS}{name}": amount for name, amount in limits.items()}}


@dataclass(slots=True)
class UseTable:
    """What a replica, and a job as a whole, takes in pools of one kind: by resource and row."""

    pool: Pool
    each: Numbers
    once: Numbers
    best_effort: Flags
    tenants: Texts
    divisors: Numbers = field(init=False)
    """`each`, 1 where nothing is taken."""
    unasked: Numbers = field(init=False)
    """`INFINITE` where a replica takes nothing, else 0."""
    taken: Flags = field(init=False)
    """By resource: whether any replica, and whether any job as a whole, takes of it."""

    def __post_init__(self) -> None:
        """Work out what follows from the amounts."""
        self.divisors, self.unasked = np.maximum(self.each, 1), np.where(self.each > 0, 0, INFINITE)
        self.taken = np.array([(table > 0).any(axis=1) for table in (self.each, self.once)])

    @classmethod
    def of(cls, pool: Pool) -> "UseTable":
        """Return an empty table."""
        return cls(pool, full_table(0, 0, 0), full_table(0, 0, 0), np.zeros(0, dtype=bool), np.zeros(0, dtype=object))

    def extend(self, demands: Sequence[Demand], names: dict[str, int]) -> None:
        """Add the rows of demands that it does not have yet."""
        have = len(self.best_effort)
        if have == len(demands):
            return
        uses = [use_of(demand, self.pool) for demand in demands[have:]]
        for use in uses:
            for name in (*use.each, *use.once):
                names.setdefault(name, len(names))
        self.each, self.once = (sized_table(table, len(names), len(demands), fill=0) for table in (self.each, self.once))
        for row, use in enumerate(uses, have):
            for table, amounts in ((self.each, use.each), (self.once, use.once)):
                for name, amount in amounts.items():
                    table[names[name], row] = min(amount, INFINITE)
        self.best_effort = np.concatenate((self.best_effort, np.array([use.best_effort for use in uses], dtype=bool)))
        self.tenants = np.concatenate((self.tenants, np.array([use.tenant for use in uses], dtype=object)))
        self.__post_init__()

    def kept(self, rows: Sequence[int]) -> "UseTable":
        """Return the table with some of its rows."""
        return UseTable(self.pool, self.each[:, rows], self.once[:, rows], self.best_effort[rows], self.tenants[rows])


def full_table(rows: int, columns: int, fill: int) -> Numbers:
    """Return a table of one number."""
    return np.full((rows, columns), fill, dtype=np.int64)


def sized_table(table: Numbers, rows: int, columns: int, *, fill: int) -> Numbers:
    """Return the table with room for so many rows and columns."""
    have = table.shape
    if have[0] >= rows and have[1] >= columns:
        return table
    grown = full_table(max(have[0], rows * 5 // 4 + 8), max(have[1], columns * 5 // 4 + 8), fill)
    grown[: have[0], : have[1]] = table
    return grown
