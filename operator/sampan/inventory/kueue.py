"""Kueue's queues of a member: what each may still admit, as Kueue itself reckons. Fed by optional watches; values out.

After kubernetes-sigs/kueue pkg/cache/scheduler/resource_node.go, for cohorts of one level. Cohort objects with quotas of their own
or with parents are not read: what they add is not counted. No I/O and no clock.
"""

from collections.abc import Callable, Iterable, Mapping

from sampan.inventory.in_flight import InFlight
from sampan.inventory.uncounted import total, unreserved
from sampan.kube.objects import quotas as kube
from sampan.kube.objects.workloads import Condition
from sampan.model.members.cluster import MemberQueue
from sampan.model.values.quantity import INFINITE, QuantityError, parse_quantity
from sampan.model.values.vector import CPU

FlavorResource = tuple[str, str]
"""(flavour, resource)."""


class KueueQueues:
    """LocalQueues of our namespaces, and all ClusterQueues."""

    def __init__(self, changed: Callable[[], None]) -> None:
        """Start with nothing. `changed` is told after each change; it must not block."""
        self._changed = changed
        self._local: dict[str, dict[str, kube.LocalQueue]] = {}
        self._cluster: dict[str, kube.ClusterQueue] = {}
        self.covered: Mapping[str, frozenset[str]] = {}
        """Resources that the ClusterQueue of each LocalQueue covers; the same value while nothing of that changes."""
        self.open: Mapping[str, frozenset[str]] = {}
        """LocalQueues that are there and admit jobs, as `Cluster.open_queues`; the same value while nothing of that changes."""
        self._there = True
        """Whether the member serves Kueue."""

    def found(self, *, there: bool) -> None:
        """Take whether the member serves Kueue."""
        if there != self._there:
            self._there = there
            self._read()

    def replace_local(self, namespace: str, queues: Iterable[kube.LocalQueue]) -> None:
        """Take the full list of LocalQueues of a namespace."""
        self._local[namespace] = {queue.metadata.name: queue for queue in queues}
        self._read()

    def put_local(self, queue: kube.LocalQueue) -> None:
        """Take one LocalQueue."""
        self._local.setdefault(queue.metadata.namespace, {})[queue.metadata.name] = queue
        self._read()

    def drop_local(self, queue: kube.LocalQueue) -> None:
        """Forget one LocalQueue."""
        self._local.get(queue.metadata.namespace, {}).pop(queue.metadata.name, None)
        self._read()

    def replace_cluster(self, queues: Iterable[kube.ClusterQueue]) -> None:
        """Take the full list of ClusterQueues."""
        self._cluster = {queue.metadata.name: queue for queue in queues}
        self._read()

    def put_cluster(self, queue: kube.ClusterQueue) -> None:
        """Take one ClusterQueue."""
        self._cluster[queue.metadata.name] = queue
        self._read()

    def drop_cluster(self, queue: kube.ClusterQueue) -> None:
        """Forget one ClusterQueue."""
        self._cluster.pop(queue.metadata.name, None)
        self._read()

    def _read(self) -> None:
        covered: dict[str, frozenset[str]] = {}
        for key, queue in self._by_key().items():
            serving = self._cluster.get(queue.spec.cluster_queue)
            if serving is not None:
                covered[key] = frozenset(name for _, name in _limits(serving))
        if covered != self.covered:
            self.covered = covered
        admitting = self._admitting() if self._there else {"": frozenset()}
        if admitting != self.open:
            self.open = admitting
        self._changed()

    def _admitting(self) -> dict[str, frozenset[str]]:
        known = self._local.items()
        return {space: frozenset(name for name, queue in queues.items() if self._admits(queue)) for space, queues in known}

    def _admits(self, queue: kube.LocalQueue) -> bool:
        """Tell whether a LocalQueue admits jobs: by its own word, and by its ClusterQueue's where any of those is seen."""
        serving = self._cluster.get(queue.spec.cluster_queue)
        by_cluster = not self._cluster if serving is None else _is_active(serving)
        return by_cluster and queue.spec.stop_policy == "None" and _active(queue.status.conditions)

    def _by_key(self) -> dict[str, kube.LocalQueue]:
        return {f"{space}/{name}": queue for space, known in self._local.items() for name, queue in known.items()}

    def queues(self, attempts: Iterable[InFlight]) -> Mapping[str, MemberQueue]:
        """Return the LocalQueues with what they may still admit beside our attempts for which nothing is reserved yet."""
        local = self._by_key()
        if not local:
            return {}
        entered: dict[str, list[InFlight]] = {}
        for attempt in attempts:
            if attempt.queue in local:
                entered.setdefault(attempt.queue, []).append(attempt)
        due = {key: unreserved(entered[key], _reserved(local[key]), _admitted(local[key])) for key in entered}
        return {key: self._queue(key, local, due) for key in sorted(local)}

    def _queue(self, key: str, local: Mapping[str, kube.LocalQueue], due: Mapping[str, Mapping[str, int]]) -> MemberQueue:
        queue = local[key]
        serving = self._cluster.get(queue.spec.cluster_queue)
        if serving is None:
            return MemberQueue(name=key)
        peers = self._peers(serving)
        free = {flavored: _available(serving, flavored, peers) for flavored in _nominal(serving)}
        summed = _by_resource(free) if self._admits(queue) else dict.fromkeys(_by_resource(free), 0)
        names = {each.metadata.name for each in peers}
        taken = total(due[each] for each in due if local[each].spec.cluster_queue == queue.spec.cluster_queue)
        lent = total(due[each] for each in due if local[each].spec.cluster_queue in names)
        return MemberQueue(
            name=key,
            free=_less(summed, taken),
            source=serving.metadata.name,
            cohort=_cohort(serving),
            cohort_free=_less(_by_resource(_together(peers)), lent) if _cohort(serving) else {},
            largest=_greatest(free),
        )

    def _peers(self, queue: kube.ClusterQueue) -> list[kube.ClusterQueue]:
        """Return all ClusterQueues of the cohort of one, itself included."""
        cohort = _cohort(queue)
        return [each for each in self._cluster.values() if _cohort(each) == cohort] if cohort else [queue]


def _reserved(queue: kube.LocalQueue) -> dict[str, int] | None:
    told = queue.status.flavors_reservation
    return None if told is None else _by_resource(_used(told))


def _admitted(queue: kube.LocalQueue) -> dict[str, int]:
    return _by_resource(_used(queue.status.flavors_usage or queue.status.flavor_usage))


def _available(queue: kube.ClusterQueue, flavored: FlavorResource, peers: Iterable[kube.ClusterQueue]) -> int:
    """Return how much of a flavour's resource a ClusterQueue may admit: its own, and what its cohort lends it."""
    nominal, used = _nominal(queue)[flavored], _usage(queue).get(flavored, 0)
    if not _cohort(queue):
        return nominal - used
    own = _kept(queue, flavored)
    lent = _lent(peers, flavored)
    limit = _limits(queue)[flavored].borrowing_limit
    if limit is not None:
        lent = min(nominal - own - max(used - own, 0) + _amount(flavored[1], limit), lent)
    return max(own - used, 0) + lent


def _together(peers: Iterable[kube.ClusterQueue]) -> dict[FlavorResource, int]:
    """Return what the ClusterQueues of a cohort may admit together."""
    queues = list(peers)
    names = {flavored for queue in queues for flavored in _nominal(queue)}
    kept = {name: sum(max(_kept(queue, name) - _usage(queue).get(name, 0), 0) for queue in queues) for name in names}
    return {name: kept[name] + _lent(queues, name) for name in names}


def _lent(peers: Iterable[kube.ClusterQueue], flavored: FlavorResource) -> int:
    """Return what a cohort has left to lend: all but what its queues keep for themselves, less what they use of it."""
    lendable = 0
    for queue in peers:
        own = _kept(queue, flavored)
        lendable += _nominal(queue).get(flavored, 0) - own - max(_usage(queue).get(flavored, 0) - own, 0)
    return lendable


def _kept(queue: kube.ClusterQueue, flavored: FlavorResource) -> int:
    """Return what a ClusterQueue never lends."""
    told = _limits(queue).get(flavored)
    if told is None or told.lending_limit is None:
        return 0
    return max(_amount(flavored[1], told.nominal_quota) - _amount(flavored[1], told.lending_limit), 0)


def _limits(queue: kube.ClusterQueue) -> dict[FlavorResource, kube.QueueResource]:
    groups = queue.spec.resource_groups
    return {(flavor.name, each.name): each for group in groups for flavor in group.flavors for each in flavor.resources}


def _nominal(queue: kube.ClusterQueue) -> dict[FlavorResource, int]:
    return {key: _amount(key[1], each.nominal_quota) for key, each in _limits(queue).items()}


def _usage(queue: kube.ClusterQueue) -> dict[FlavorResource, int]:
    return _used(queue.status.flavors_reservation)


def _used(told: Iterable[kube.UsedFlavor]) -> dict[FlavorResource, int]:
    return {(flavor.name, each.name): _amount(each.name, each.total) for flavor in told for each in flavor.resources}


def _by_resource(amounts: Mapping[FlavorResource, int]) -> dict[str, int]:
    """Return the sum over flavours; one that is overdrawn lends nothing to another."""
    summed: dict[str, int] = {}
    for (_, name), amount in sorted(amounts.items()):
        summed[name] = summed.get(name, 0) + max(amount, 0)
    return summed


def _greatest(amounts: Mapping[FlavorResource, int]) -> dict[str, int]:
    """Return the most that any flavour has: all pods of a job enter one."""
    greatest: dict[str, int] = {}
    for (_, name), amount in sorted(amounts.items()):
        greatest[name] = max(greatest.get(name, 0), amount)
    return greatest


def _less(left: Mapping[str, int], taken: Mapping[str, int]) -> dict[str, int]:
    return {name: amount - taken.get(name, 0) for name, amount in left.items()}


def _cohort(queue: kube.ClusterQueue) -> str:
    return queue.spec.cohort_name or queue.spec.cohort


def _is_active(queue: kube.ClusterQueue) -> bool:
    stopped = queue.spec.stop_policy != "None"
    return not stopped and _active(queue.status.conditions)


def _active(conditions: Iterable[Condition]) -> bool:
    return all(condition.status == "True" for condition in conditions if condition.type == "Active")


def _amount(name: str, text: str | int) -> int:
    """Return a quantity in base units, CPU in thousandths of a core; nothing where it is none."""
    try:
        return min(parse_quantity(text, milli=name == CPU), INFINITE)
    except QuantityError:
        return 0
