"""What is used on each node: by every pod seen there and by our own assignments in flight, each replica once.

What kube-scheduler calls an assumed pod: used from the moment of the decision, though nobody sees it yet.

A job that was just assigned has no pods yet; later its pods are seen one by one. Counting plan and pods both would halve the
cluster, counting pods only would fill it twice: per attempt the greater of the two counts, never the sum.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from sampan.model.job import Demand, Share
from sampan.model.members.cluster import CardUse, Pool
from sampan.model.values.vector import Vector
from sampan.scheduling.capacity.quota_usage import NOTHING, QuotaUse, use_of
from sampan.scheduling.capacity.request import replica_request


@dataclass(frozen=True, slots=True, kw_only=True)
class PodUse:
    """A pod that uses resources of a node: bound to it, and neither Succeeded nor Failed (terminating ones still do)."""

    uid: str
    node: str
    request: Vector
    namespace: str = ""
    job_uid: str | None = None
    """UID of our job, from the label that we put on; None for everybody else's pods."""
    cards: tuple[tuple[str, CardUse], ...] = ()
    """What it uses of cards that are handed out in shares, by card id."""
    devices: tuple[str, ...] = ()
    """Which devices it has, where the node's device plugin tells, such as `Ascend910-5`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """What of an attempt is there on the member, as its Job says: by then quotas have counted it, for they count before they admit."""

    job: bool = False
    dependents: bool = False
    """Services, ConfigMaps, Secrets and claim templates: all there once the Job is started or enters a queue."""
    admitted: bool = False
    """The Job is not suspended: a queue of the member's admitted it."""
    active: int = 0
    """Pods that have not ended."""
    ended: int = 0
    """Pods that have: quotas of all pods still count them."""


NOT_CREATED: Final = Created()


@dataclass(frozen=True, slots=True, kw_only=True)
class InFlight:
    """An attempt under way: what was planned for it."""

    job_uid: str
    nodes: tuple[tuple[str, int], ...]
    """(node, replicas)."""
    per_replica: Vector
    """What a replica takes, device units and its pod slot included."""
    share: Share | None = None
    """What a replica takes of one card, where it takes a part."""
    finished: int = 0
    """Replicas that ended for good and will not be replaced."""
    replicas: int = 0
    """Pods at once."""
    namespace: str = ""
    """Of its objects on the member."""
    queue: str = ""
    """`namespace/name` of the member's queue that it enters."""
    use: QuotaUse = NOTHING
    """What it takes of quotas and queues there."""
    created: Created = NOT_CREATED


class Amounts(NamedTuple):
    """What follows from a demand and a pool, both by identity: another value is another matter."""

    demand: Demand | None
    pool: Pool | None
    per_replica: Vector
    """What one replica takes from its node; without its devices where the pool is not known any more."""
    use: QuotaUse
    """What the job takes of quotas and queues."""


def amounts_of(demand: Demand | None, pool: Pool | None, known: Amounts | None = None) -> Amounts:
    """Return the amounts; `known` where they are of this demand and pool."""
    if known is not None and known.demand is demand and known.pool is pool:
        return known
    if demand is None or pool is None:
        return Amounts(demand, pool, Vector() if demand is None else demand.per_replica, NOTHING)
    return Amounts(demand, pool, replica_request(demand, pool), use_of(demand, pool))


def unseen_replicas(attempt: InFlight, seen: Mapping[str, int]) -> dict[str, int]:
    """Return how many planned replicas have no pod yet, by planned node. `seen`: the job's pods by node, wherever they are.

    A pod elsewhere than planned stands for one of the planned replicas too. Nodes with as many pods as planned come out first.
    """
    left = sum(replicas for _, replicas in attempt.nodes) - attempt.finished - sum(seen.values())
    waiting: dict[str, int] = {}
    for node, replicas in attempt.nodes:
        missing = min(max(replicas - seen.get(node, 0), 0), max(left, 0))
        if missing:
            waiting[node] = missing
            left -= missing
    return waiting


def unseen_use(attempt: InFlight, pods: Iterable[PodUse]) -> dict[str, Vector]:
    """Return what the planned but unseen replicas of one attempt take; `pods` are those of its job. For upkeep node by node."""
    return {node: attempt.per_replica.times(replicas) for node, replicas in unseen_replicas(attempt, seen_of(attempt, pods)).items()}


def seen_of(attempt: InFlight, pods: Iterable[PodUse]) -> dict[str, int]:
    """Return how many pods of its job there are on each node, in its own namespace: elsewhere anybody can make pods with its labels.

    Of an attempt whose pool is gone the namespace is not known: there each counts.
    """
    seen: dict[str, int] = {}
    for pod in pods:
        if attempt.namespace in ("", pod.namespace):
            seen[pod.node] = seen.get(pod.node, 0) + 1
    return seen


def usage_of(pods: Iterable[PodUse], attempts: Iterable[InFlight]) -> dict[str, Vector]:
    """Return what is taken on each node; nodes where nothing is taken are not named."""
    sums: dict[str, dict[str, int]] = {}
    by_job: dict[str, list[PodUse]] = {}
    for pod in pods:
        _add(sums, pod.node, pod.request)
        if pod.job_uid is not None:
            by_job.setdefault(pod.job_uid, []).append(pod)
    for attempt in attempts:
        for node, vector in unseen_use(attempt, by_job.get(attempt.job_uid, ())).items():
            _add(sums, node, vector)
    return {node: Vector.of(amounts) for node, amounts in sums.items()}


def _add(sums: dict[str, dict[str, int]], node: str, vector: Vector) -> None:
    amounts = sums.setdefault(node, {})
    for name, amount in vector:
        amounts[name] = amounts.get(name, 0) + amount
