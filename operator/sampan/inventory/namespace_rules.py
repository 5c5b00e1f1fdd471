"""ResourceQuotas, LimitRanges and priority classes of a member, read as its API server reads them. Fed by optional watches; values out.

After kubernetes/kubernetes: which pods a quota counts is pkg/quota/v1/evaluator/core/pods.go, what it lets through is
apiserver pkg/admission/plugin/resourcequota. No I/O and no clock; what follows for jobs is decided in `scheduling`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sampan.inventory.in_flight import InFlight
from sampan.inventory.uncounted import QuotaTally
from sampan.kube.objects import quotas as kube
from sampan.model.members.admission import (
    ALL_PODS,
    CLAIMS,
    PER_CLASS,
    Admission,
    Amounts,
    Compulsory,
    EffortScope,
    LimitItem,
    LimitType,
    Quota,
    quota_key,
)
from sampan.model.values.quantity import QuantityError, parse_quantity
from sampan.model.values.vector import CPU

_COMPULSORY: Final = ("cpu", "limits.cpu", "limits.memory", "memory", "requests.cpu", "requests.memory")
"""What pods must name where a quota limits it; a mistake that Kubernetes keeps for these alone (pods.go, validationSet)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _CountedQuota(EffortScope):
    """A quota that counts pods of ours, by the names that it has itself."""

    name: str
    hard: Mapping[str, int]
    used: Mapping[str, int]
    uncounted: frozenset[str]
    """Limited by the API server although the quota controller has not said what is used."""


class NamespaceRules:
    """The rules of the namespaces of our jobs on one member."""

    def __init__(self, changed: Callable[[], None]) -> None:
        """Start with nothing. `changed` is told after each change; it must not block."""
        self._changed = changed
        self._quotas: dict[str, dict[str, kube.ResourceQuota]] = {}
        self._ranges: dict[str, dict[str, kube.LimitRange]] = {}
        self._classes: dict[str, kube.PriorityClass] = {}
        self._counted: dict[str, tuple[_CountedQuota, ...]] = {}
        self._under_way = QuotaTally()
        self.admission: Mapping[str, Admission] = {}
        """By namespace; replaced whole at every change, the same value while nothing changes."""

    def put_quota(self, quota: kube.ResourceQuota) -> None:
        """Take one ResourceQuota."""
        self._quotas.setdefault(quota.metadata.namespace, {})[quota.metadata.name] = quota
        self._read()

    def drop_quota(self, quota: kube.ResourceQuota) -> None:
        """Forget one ResourceQuota."""
        self._quotas.get(quota.metadata.namespace, {}).pop(quota.metadata.name, None)
        self._read()

    def replace_quotas(self, namespace: str, quotas: Iterable[kube.ResourceQuota]) -> None:
        """Take the full list of a namespace."""
        self._quotas[namespace] = {quota.metadata.name: quota for quota in quotas}
        self._read()

    def put_range(self, limits: kube.LimitRange) -> None:
        """Take one LimitRange."""
        self._ranges.setdefault(limits.metadata.namespace, {})[limits.metadata.name] = limits
        self._read()

    def drop_range(self, limits: kube.LimitRange) -> None:
        """Forget one LimitRange."""
        self._ranges.get(limits.metadata.namespace, {}).pop(limits.metadata.name, None)
        self._read()

    def replace_ranges(self, namespace: str, ranges: Iterable[kube.LimitRange]) -> None:
        """Take the full list of a namespace."""
        self._ranges[namespace] = {limits.metadata.name: limits for limits in ranges}
        self._read()

    def put_class(self, priority: kube.PriorityClass) -> None:
        """Take one PriorityClass."""
        self._classes[priority.metadata.name] = priority
        self._read()

    def drop_class(self, priority: kube.PriorityClass) -> None:
        """Forget one PriorityClass."""
        self._classes.pop(priority.metadata.name, None)
        self._read()

    def replace_classes(self, classes: Iterable[kube.PriorityClass]) -> None:
        """Take the full list of PriorityClasses."""
        self._classes = {priority.metadata.name: priority for priority in classes}
        self._read()

    @property
    def default_class(self) -> str:
        """Return the priority class that pods without one are given: of several defaults the lowest (plugin/pkg/admission/priority)."""
        defaults = [each for each in self._classes.values() if each.global_default]
        return min(defaults, key=lambda each: (each.value, each.metadata.name)).metadata.name if defaults else ""

    def quotas(self, attempts: Iterable[InFlight]) -> Mapping[str, tuple[Quota, ...]]:
        """Return what the quotas of each namespace leave to jobs that are not bound yet; `flights` are those that are."""
        self._under_way.take(attempts if self._counted else ())
        return {space: tuple(_left(each, *self._under_way.of(space, each)) for each in told) for space, told in self._counted.items()}

    def _read(self) -> None:
        told, admission = dict[str, tuple[_CountedQuota, ...]](), dict[str, Admission]()
        for namespace in sorted({*self._quotas, *self._ranges}):
            quotas = [self._quotas.get(namespace, {})[name] for name in sorted(self._quotas.get(namespace, {}))]
            ours = tuple(each for quota in quotas if (each := _counted_quota(quota, self.default_class)) is not None)
            if ours:
                told[namespace] = ours
            items = [item for _, limits in sorted(self._ranges.get(namespace, {}).items()) for item in limit_items(limits)]
            required = [Compulsory(quota=each.name, names=_compulsory(each), best_effort=each.best_effort) for each in ours]
            asked = Admission(limits=tuple(items), compulsory=tuple(each for each in required if each.names))
            if asked != Admission():
                admission[namespace] = asked
        self._counted = told
        if admission != self.admission:
            self.admission = admission
        self._changed()


def limit_items(limits: kube.LimitRange) -> tuple[LimitItem, ...]:
    """Return what a LimitRange says of containers and pods; of claims on storage it says nothing to us."""
    return tuple(
        LimitItem(
            range=limits.metadata.name,
            type=LimitType(item.type),
            least=_amounts(item.min),
            most=_amounts(item.max),
            default=_amounts(item.default) if item.type == LimitType.CONTAINER else (),
            default_request=_amounts(item.default_request) if item.type == LimitType.CONTAINER else (),
            ratios=tuple(sorted(_named(item.max_limit_request_ratio, milli=True))),
        )
        for item in limits.spec.limits
        if item.type in tuple(LimitType)
    )


def _counted_quota(quota: kube.ResourceQuota, default_class: str) -> _CountedQuota | None:
    """Return a quota as it bears on pods of ours, None where it counts none of them."""
    terms = [kube.ScopeTerm(scope_name=scope, operator="Exists") for scope in quota.spec.scopes]
    terms += quota.spec.scope_selector.match_expressions
    efforts = {term.scope_name == "BestEffort" for term in terms if term.scope_name in ("BestEffort", "NotBestEffort")}
    if len(efforts) > 1 or not all(_holds(term, default_class) for term in terms):
        return None
    wanted, now = dict(_named(quota.spec.hard)), dict(_named(quota.status.hard))
    used = dict(_named(quota.status.used, up=True))
    names = {name for name in (*wanted, *now) if _counts(name, scoped=bool(terms))}
    hard = {name: min(each[name] for each in (wanted, now) if name in each) for name in sorted(names)}
    return _CountedQuota(
        name=quota.metadata.name,
        hard=hard,
        used=used,
        uncounted=frozenset(name for name in names if name in now and name not in used),
        best_effort=next(iter(efforts), None),
    )


def _counts(name: str, *, scoped: bool) -> bool:
    """Tell whether a quota's entry counts anything of ours; with a scope a quota counts pods and no other objects."""
    key = quota_key(name)
    pods_only = key == ALL_PODS or (key is not None and not key.startswith("count/") and not key.endswith(PER_CLASS) and key != CLAIMS)
    return key is not None and (not scoped or pods_only)


def _holds(term: kube.ScopeTerm, default_class: str) -> bool:
    """Tell whether a scope holds for the pods of our Jobs: none has a deadline of its own, an affinity to pods or a class that we give."""
    match term.scope_name, term.operator:
        case "NotTerminating" | "BestEffort" | "NotBestEffort", _:
            return True
        case "PriorityClass", "Exists":
            return bool(default_class)
        case "PriorityClass", "DoesNotExist":
            return not default_class
        case "PriorityClass", "In":
            return default_class in term.values if default_class else False
        case "PriorityClass", "NotIn":
            return default_class not in term.values
    return False


def _left(told: _CountedQuota, seen: Mapping[str, int], due: Mapping[str, int]) -> Quota:
    """Return what a quota leaves beside what it counts (of attempts under way: `seen`) and what it will count for those (`due`)."""
    left, hard, unknown = dict[str, int](), dict[str, int](), set[str]()
    for name, amount in told.hard.items():
        key = quota_key(name)
        assert key is not None  # others are left out when the quota is read
        rest = amount - max(told.used.get(name, 0), seen.get(key, 0)) - due.get(key, 0)
        if name in told.uncounted:
            rest = min(rest, 0)
            unknown.add(key)
        left[key], hard[key] = min(left.get(key, rest), rest), min(hard.get(key, amount), amount)
    return Quota(name=told.name, left=left, hard=hard, uncounted=frozenset(unknown), best_effort=told.best_effort)


def _compulsory(told: _CountedQuota) -> tuple[str, ...]:
    return tuple(name for name in _COMPULSORY if name in told.hard)


def _amounts(told: Mapping[str, str | int]) -> Amounts:
    return tuple(sorted(_named(told, up=True)))


def _named(told: Mapping[str, str | int], *, up: bool = False, milli: bool = False) -> Iterable[tuple[str, int]]:
    """Yield amounts by name, zeros too: down where it is what there is, up where it is what is taken; `milli`: all in thousandths."""
    for name, text in told.items():
        cpu = name.rpartition(".")[2] == CPU and "/" not in name
        try:
            yield name, parse_quantity(text, milli=milli or cpu, down=not up)
        except QuantityError:
            continue  # an API server stores no such amount
