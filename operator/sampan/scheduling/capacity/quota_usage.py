"""What a job takes of the quotas of its namespace on a member: its pods, and the objects made with it. Amounts by `admission.quota_key`.

After kubernetes/kubernetes pkg/quota/v1/evaluator/core. Nothing of what is left.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

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
from sampan.model.values.vector import PODS, Vector
from sampan.scheduling.capacity.pod_amounts import PodAmounts, admitted
from sampan.scheduling.capacity.request import OF_COMPUTE

UNLIMITED: Final = 2**40


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaUse:
    """What a job takes in a pool. The empty name stands for devices, which caps of offers count."""

    each: Mapping[str, int] = field(default_factory=dict)
    """By one replica."""
    once: Mapping[str, int] = field(default_factory=dict)
    """By the job, whatever its width."""
    best_effort: bool = False

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
    return QuotaUse(each=each, once=once, best_effort=all(pod.best_effort for pod in pods))


def _of_pod(pod: PodAmounts, overhead: Vector) -> dict[str, int]:
    """Return what quotas count of a pod: a RuntimeClass's overhead joins the requests, and those limits that there are."""
    requests = {**pod.requests, **{name: pod.requests.get(name, 0) + amount for name, amount in overhead}}
    limits = {name: amount + (overhead[name] if amount else 0) for name, amount in pod.limits.items() if name in OF_COMPUTE}
    return {**requests, **{f"{LIMITS}{name}": amount for name, amount in limits.items()}}
