"""The pod that a demand would be in a pool, as the member's API server sees it after LimitRanges filled in what it does not name.

After kubernetes/kubernetes plugin/pkg/admission/limitranger: container items fill in what a container does not name, the last item
of a LimitRange that names a resource counts, and of several LimitRanges the first that the server happens to look at. Our pods are
one container without amounts of their own at pod level. Nothing is judged here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Final

from sampan.catalog.devices.share import companions
from sampan.model.job import Demand
from sampan.model.members.admission import LimitItem, LimitType
from sampan.model.members.cluster import Pool
from sampan.model.values.vector import CPU, MEMORY, PODS

MOST_ORDERS: Final = 3
"""LimitRanges of which every order is tried; of more only two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodAmounts:
    """Requests and limits of the one container, by resource; one that is named with 0 is there."""

    requests: Mapping[str, int]
    limits: Mapping[str, int]

    @property
    def best_effort(self) -> bool:
        """Tell whether its quality of service is BestEffort: it asks for no CPU and no memory (kubernetes.io, Pod QoS)."""
        return not any(amounts.get(name, 0) > 0 for amounts in (self.requests, self.limits) for name in (CPU, MEMORY))


def sent(demand: Demand, pool: Pool) -> PodAmounts:
    """Return what the pod names when it is sent: requests that it does not name follow its limits, as the server has it."""
    fixed = dict(devices_of(demand, pool))
    for name, amount in pool.launch.extra_resources:
        fixed[name] = fixed.get(name, 0) + amount
    named = {name: amount for name, amount in demand.per_replica if name != PODS}
    return PodAmounts(
        requests={**dict.fromkeys(demand.zeros, 0), **named, **fixed},
        limits={**dict(demand.limits), **fixed},
    )


def devices_of(demand: Demand, pool: Pool) -> Iterable[tuple[str, int]]:
    """Yield the extended resources of a replica's devices: none where they are had by claim."""
    need = demand.requirement
    if need is None or not pool.resource or pool.claim is not None:
        return
    units = pool.units_per_device
    yield pool.resource, need.count * units
    if need.share is not None:
        yield from (companions(pool.resource, need.share) or {}).items()


def admitted(demand: Demand, pool: Pool) -> tuple[PodAmounts, ...]:
    """Return the pods that it can become: more than one only where LimitRanges disagree about what to fill in."""
    plain = sent(demand, pool)
    return tuple({repr(made): made for made in (_filled(plain, order) for order in _orders(pool.admission.limits))}.values())


def _orders(items: Sequence[LimitItem]) -> Iterable[Sequence[LimitItem]]:
    """Yield the container items in the orders that make a difference, those of one LimitRange together."""
    groups: dict[str, list[LimitItem]] = {}
    for item in items:
        if item.type is LimitType.CONTAINER and (item.default or item.default_request):
            groups.setdefault(item.range, []).append(item)
    names = sorted(groups)
    orders = permutations(names) if len(names) <= MOST_ORDERS else (names, names[::-1])
    return [[item for name in order for item in _last_first(groups[name])] for order in orders]


def _last_first(items: Sequence[LimitItem]) -> Sequence[LimitItem]:
    """Return the items of one LimitRange with the last first: it wins there."""
    return items[::-1]


def _filled(pod: PodAmounts, items: Iterable[LimitItem]) -> PodAmounts:
    """Return the pod with what the items fill in, the first that names a resource first."""
    requests, limits = dict(pod.requests), dict(pod.limits)
    for item in items:
        for name, amount in item.default:
            limits.setdefault(name, amount)
        for name, amount in item.default_request:
            requests.setdefault(name, amount)
    return PodAmounts(requests=requests, limits=limits)
