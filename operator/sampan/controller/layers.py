"""What queues, limits or claims devices on a member, beside its nodes and pods. Fed by optional watches; values out.

No I/O and no clock. Who may be asked for what is in `rights`; what follows for jobs is decided in `scheduling`.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from sampan.kube import layers as kube
from sampan.kube.amounts import to_vector
from sampan.model.cluster import MemberQueue
from sampan.model.vector import CPU, Vector

GROUPS: Final = {
    "kueue.x-k8s.io": "Kueue",
    "batch.volcano.sh": "Volcano",
    "scheduling.volcano.sh": "Volcano",
    "scheduling.koordinator.sh": "Koordinator",
    "slo.koordinator.sh": "Koordinator",
}
"""API groups that tell a layer."""
_REQUESTS: Final = "requests."

Device = tuple[str, str, str]
"""(driver, pool, device) of a claim's allocation."""


class Layers:
    """The layers of one member; the mappings are values, replaced whole at every change."""

    def __init__(self, changed: Callable[[], None]) -> None:
        """Start with nothing. `changed` is told after each change; it must not block."""
        self._changed = changed
        self.queueing: tuple[str, ...] = ()
        self.levels: Mapping[str, str] = {}
        """Pod Security level that each namespace of our jobs enforces, as far as we may look; `privileged` where none is set."""
        self.claimed: Mapping[Device, int] = {}
        """How many claims hold each device."""
        self._quotas: dict[str, dict[str, kube.ResourceQuota]] = {}
        self._local: dict[str, kube.LocalQueue] = {}
        self._cluster: dict[str, kube.ClusterQueue] = {}
        self._claims: dict[str, tuple[Device, ...]] = {}

    def found(self, groups: Iterable[str]) -> None:
        """Take the API groups that the member serves."""
        fresh = tuple(sorted({GROUPS[group] for group in groups if group in GROUPS}))
        if fresh != self.queueing:
            self.queueing = fresh
            self._changed()

    # --- quotas ---------------------------------------------------------------------------------------------------

    def put_quota(self, quota: kube.ResourceQuota) -> None:
        """Take one ResourceQuota."""
        self._quotas.setdefault(quota.metadata.namespace, {})[quota.metadata.name] = quota
        self._changed()

    def drop_quota(self, quota: kube.ResourceQuota) -> None:
        """Forget one ResourceQuota."""
        self._quotas.get(quota.metadata.namespace, {}).pop(quota.metadata.name, None)
        self._changed()

    def replace_quotas(self, namespace: str, quotas: Iterable[kube.ResourceQuota]) -> None:
        """Take the full list of a namespace."""
        self._quotas[namespace] = {quota.metadata.name: quota for quota in quotas}
        self._changed()

    @property
    def quotas(self) -> Mapping[str, Mapping[str, int]]:
        """Return what the quotas leave, by namespace and resource: the least of all quotas that name it; never below zero."""
        left: dict[str, dict[str, int]] = {}
        for namespace, quotas in sorted(self._quotas.items()):
            amounts: dict[str, int] = {}
            for quota in quotas.values():
                if quota.spec.scopes:
                    continue  # counts some pods only: what it leaves for ours cannot be told
                hard, used = _told(quota.status.hard), _told(quota.status.used)
                for name, amount in hard:
                    amounts[name] = min(amounts.get(name, amount), max(amount - used[name], 0))
            if amounts:
                left[namespace] = amounts
        return left

    # --- Kueue ----------------------------------------------------------------------------------------------------

    def replace_local(self, queues: Iterable[kube.LocalQueue]) -> None:
        """Take the full list of LocalQueues."""
        self._local = {f"{queue.metadata.namespace}/{queue.metadata.name}": queue for queue in queues}
        self._changed()

    def put_local(self, queue: kube.LocalQueue) -> None:
        """Take one LocalQueue."""
        self._local[f"{queue.metadata.namespace}/{queue.metadata.name}"] = queue
        self._changed()

    def drop_local(self, queue: kube.LocalQueue) -> None:
        """Forget one LocalQueue."""
        self._local.pop(f"{queue.metadata.namespace}/{queue.metadata.name}", None)
        self._changed()

    def replace_cluster(self, queues: Iterable[kube.ClusterQueue]) -> None:
        """Take the full list of ClusterQueues."""
        self._cluster = {queue.metadata.name: queue for queue in queues}
        self._changed()

    def put_cluster(self, queue: kube.ClusterQueue) -> None:
        """Take one ClusterQueue."""
        self._cluster[queue.metadata.name] = queue
        self._changed()

    def drop_cluster(self, queue: kube.ClusterQueue) -> None:
        """Forget one ClusterQueue."""
        self._cluster.pop(queue.metadata.name, None)
        self._changed()

    @property
    def queues(self) -> Mapping[str, MemberQueue]:
        """Return Kueue's LocalQueues with what their ClusterQueues may still admit, borrowing included."""
        found: dict[str, MemberQueue] = {}
        for key, queue in sorted(self._local.items()):
            serving = self._cluster.get(queue.spec.cluster_queue)
            active = serving is not None and queue.spec.stop_policy == "None" and _is_active(serving)
            free = self._free(serving) if serving is not None else {}
            found[key] = MemberQueue(name=key, free=free if active else dict.fromkeys(free, 0), active=active)
        return found

    def _free(self, queue: kube.ClusterQueue) -> Mapping[str, int]:
        """Return nominal minus reserved, plus what others of the cohort leave, up to the borrowing limit."""
        own, cohort = _left(queue), _cohort(queue)
        lenders = [each for each in self._cluster.values() if cohort and _cohort(each) == cohort and each is not queue]
        free: dict[str, int] = {}
        for name in sorted(own):
            spare = sum(max(_left(each).get(name, 0), 0) for each in lenders)
            limit = _borrowing(queue, name)
            used_beyond = max(-own[name], 0)
            free[name] = max(own[name], 0) + (spare if limit is None else min(spare, max(limit - used_beyond, 0)))
        return free

    # --- claims ---------------------------------------------------------------------------------------------------

    def replace_claims(self, claims: Iterable[kube.ResourceClaim]) -> None:
        """Take the full list of ResourceClaims."""
        self._claims = {claim.metadata.uid: _devices(claim) for claim in claims}
        self._count_claims()

    def put_claim(self, claim: kube.ResourceClaim) -> None:
        """Take one ResourceClaim."""
        fresh = _devices(claim)
        if self._claims.get(claim.metadata.uid, ()) != fresh:
            self._claims[claim.metadata.uid] = fresh
            self._count_claims()

    def drop_claim(self, claim: kube.ResourceClaim) -> None:
        """Forget one ResourceClaim."""
        if self._claims.pop(claim.metadata.uid, ()):
            self._count_claims()

    def _count_claims(self) -> None:
        counted: dict[Device, int] = {}
        for devices in self._claims.values():
            for device in devices:
                counted[device] = counted.get(device, 0) + 1
        if counted != self.claimed:
            self.claimed = counted
            self._changed()


def _devices(claim: kube.ResourceClaim) -> tuple[Device, ...]:
    allocation = claim.status.allocation
    held = () if allocation is None else (each for each in allocation.devices.results if not each.admin_access)
    return tuple((each.driver, each.pool, each.device) for each in held)


def _told(amounts: Mapping[str, str]) -> Vector:
    """Return a quota's amounts by the resource they limit: `requests.cpu` and `cpu` are one; limits are left out."""
    plain = {name.removeprefix(_REQUESTS): text for name, text in amounts.items() if not name.startswith("limits.")}
    return to_vector(plain)


def _cohort(queue: kube.ClusterQueue) -> str:
    return queue.spec.cohort_name or queue.spec.cohort


def _is_active(queue: kube.ClusterQueue) -> bool:
    stopped = queue.spec.stop_policy != "None"
    return not stopped and all(condition.status == "True" for condition in queue.status.conditions if condition.type == "Active")


def _left(queue: kube.ClusterQueue) -> dict[str, int]:
    """Return nominal quota minus reservations by resource over all flavours; negative where it borrows now."""
    nominal: dict[str, int] = {}
    for group in queue.spec.resource_groups:
        for flavor in group.flavors:
            for each in flavor.resources:
                nominal[each.name] = nominal.get(each.name, 0) + _amount(each.name, each.nominal_quota)
    for used in queue.status.flavors_reservation:
        for taken in used.resources:
            if taken.name in nominal:
                nominal[taken.name] -= _amount(taken.name, taken.total)
    return nominal


def _borrowing(queue: kube.ClusterQueue, name: str) -> int | None:
    """Return how much of a resource may be borrowed over all flavours; None: as much as there is."""
    resources = [r for group in queue.spec.resource_groups for flavor in group.flavors for r in flavor.resources if r.name == name]
    limits = [resource.borrowing_limit for resource in resources]
    if any(limit is None for limit in limits):
        return None
    return sum(_amount(name, limit) for limit in limits if limit is not None)


def _amount(name: str, text: str | int) -> int:
    """Return a quantity in base units, CPU in thousandths of a core."""
    key = CPU if name == CPU else name
    return to_vector({key: str(text)})[key]
