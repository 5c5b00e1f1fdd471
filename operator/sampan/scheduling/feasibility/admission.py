"""What a member's API server would hold against a pod whatever is left there, resource by resource. Words are in `constraints`.

After kubernetes/kubernetes plugin/pkg/admission/limitranger, validation of container resources, and the quota evaluator's
Constraints. The pod has no amounts at pod level. Of its containers only the main one is looked at: what init containers and sidecars
name is the job's to fit in, and what holds for the pod is held against all of them together.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sampan.catalog.devices.share import companions
from sampan.model.job import Demand
from sampan.model.members.admission import LIMITS, REQUESTS, Amounts, LimitItem, LimitType
from sampan.model.members.cluster import Pool
from sampan.model.values.vector import CPU, MEMORY, STORAGE
from sampan.scheduling.capacity.pod_amounts import PodAmounts, admitted, sent


class Fault(StrEnum):
    """What is wrong with an amount."""

    BELOW_MIN = "min"
    ABOVE_MAX = "max"
    ABOVE_RATIO = "maxLimitRequestRatio"
    REQUEST_ABOVE_LIMIT = "default"
    """A limit that was filled in is below the request, or the other way round."""
    FILLED_IN_DEVICES = "device default"
    """Devices that the pod does not ask for are filled in."""
    NOT_NAMED = "must specify"


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One amount of a pod that is not admitted."""

    fault: Fault
    source: str
    """LimitRange or ResourceQuota with its name."""
    resource: str
    bound: int = 0
    """What the source says; a ratio in thousandths."""
    request: int | None = None
    """What the pod has after defaults; None: it names none."""
    limit: int | None = None


def violations(demand: Demand, pool: Pool) -> tuple[Violation, ...]:
    """Return everything about LimitRanges that keeps the pod of a demand out of the pool's namespace, for whichever of its forms."""
    if not pool.admission.limits:
        return ()
    items, main, found = pool.admission.limits, demand.main, dict[Violation, None]()
    plain, alone = sent(main, pool), main is demand
    for pod in admitted(main, pool):
        for each in (*_filled_in(plain, pod, items), *_bounds(pod, items if alone else _of_type(items, LimitType.CONTAINER))):
            found[each] = None
    for pod in () if alone else admitted(demand, pool):
        for each in _bounds(pod, _of_type(items, LimitType.POD)):
            found[each] = None
    return tuple(found)


def unnamed(demand: Demand, pool: Pool) -> tuple[Violation, ...]:
    """Return what quotas make the pod name and neither it nor a LimitRange does."""
    found: dict[Violation, None] = {}
    for pod in admitted(demand.main, pool) if pool.admission.compulsory else ():
        for quota in pool.admission.compulsory:
            if quota.counts(best_effort=pod.best_effort):
                for name in quota.names:
                    named = pod.limits if name.startswith(LIMITS) else pod.requests
                    if name.removeprefix(LIMITS).removeprefix(REQUESTS) not in named:
                        found[Violation(fault=Fault.NOT_NAMED, source=f"ResourceQuota {quota.quota}", resource=name)] = None
    return tuple(found)


def uncovered(demand: Demand, pool: Pool) -> tuple[str, ...]:
    """Return what the pod asks for and the member's queue does not hand out (`resource X unavailable in ClusterQueue`).

    What the provider's own recipe adds is not asked about: Kueue can be told to pass over resources, and the provider knows.
    """
    if pool.covers is None:
        return ()
    need = demand.requirement
    asked = [name for name in (CPU, MEMORY, STORAGE) if demand.per_replica[name]]
    if need is not None and pool.resource and pool.claim is None:
        asked += [pool.resource, *((companions(pool.resource, need.share) or {}) if need.share else {})]
    return tuple(name for name in asked if name not in pool.covers)


def _filled_in(plain: PodAmounts, pod: PodAmounts, items: Iterable[LimitItem]) -> Iterator[Violation]:
    """Yield what defaults make of a pod that was right before: a limit below the request, devices that nobody asked for."""
    for name, limit in pod.limits.items():
        request = pod.requests.get(name)
        whole = "/" in name or name.startswith("hugepages-")
        made = Violation(
            fault=Fault.FILLED_IN_DEVICES if name not in plain.limits and "/" in name else Fault.REQUEST_ABOVE_LIMIT,
            source=f"LimitRange {_source(items, name, limit)}",
            resource=name,
            bound=limit,
            request=request,
            limit=limit,
        )
        added = whole and name not in plain.limits and limit > 0
        if added or (request is not None and (request > limit or (whole and request != limit))):
            yield made
    for name, request in pod.requests.items():
        if name not in pod.limits and ("/" in name or name.startswith("hugepages-")) and name not in plain.requests:
            source = f"LimitRange {_source(items, name, request)}"
            yield Violation(fault=Fault.FILLED_IN_DEVICES, source=source, resource=name, bound=request, request=request)


def _of_type(items: Iterable[LimitItem], of: LimitType) -> list[LimitItem]:
    return [item for item in items if item.type is of]


def _source(items: Iterable[LimitItem], name: str, amount: int) -> str:
    """Return the LimitRange that filled an amount in."""
    filled = [item.range for item in items if (name, amount) in (*item.default, *item.default_request)]
    return filled[0] if filled else "of the namespace"


def _bounds(pod: PodAmounts, items: Iterable[LimitItem]) -> Iterator[Violation]:
    for item in items:
        yield from _checked(item, Fault.BELOW_MIN, pod=pod)
        yield from _checked(item, Fault.ABOVE_MAX, pod=pod)
        yield from _checked(item, Fault.ABOVE_RATIO, pod=pod)


def _checked(item: LimitItem, fault: Fault, *, pod: PodAmounts) -> Iterator[Violation]:
    bounds: Mapping[Fault, Amounts] = {Fault.BELOW_MIN: item.least, Fault.ABOVE_MAX: item.most, Fault.ABOVE_RATIO: item.ratios}
    for name, bound in bounds[fault]:
        request, limit = pod.requests.get(name), pod.limits.get(name)
        if not _admits(fault, bound, request=request, limit=limit):
            yield Violation(fault=fault, source=f"LimitRange {item.range}", resource=name, bound=bound, request=request, limit=limit)


def _admits(fault: Fault, bound: int, *, request: int | None, limit: int | None) -> bool:
    """Tell whether amounts are within a bound: a minimum asks for a request, a maximum for a limit, a ratio for both."""
    if fault is Fault.BELOW_MIN:
        return request is not None and request >= bound and (limit is None or limit >= bound)
    if fault is Fault.ABOVE_MAX:
        return limit is not None and limit <= bound and (request is None or request <= bound)
    return bool(request) and bool(limit) and limit * 1000 <= bound * request  # type: ignore[operator]
