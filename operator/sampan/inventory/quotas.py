"""What queues, limits or claims devices on a member, beside its nodes and pods. Fed by optional watches; values out.

No I/O and no clock. What may be watched is in `controller/members/connection/access`; what follows for jobs is decided in `scheduling`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from sampan.inventory.kueue import KueueQueues
from sampan.inventory.namespace_rules import NamespaceRules
from sampan.kube.objects import quotas as kube

GROUPS: Final = {
    "kueue.x-k8s.io": "Kueue",
    "batch.volcano.sh": "Volcano",
    "scheduling.volcano.sh": "Volcano",
    "scheduling.koordinator.sh": "Koordinator",
    "slo.koordinator.sh": "Koordinator",
}
"""API groups that tell a layer."""

Device = tuple[str, str, str]
"""(driver, pool, device) of a claim's allocation."""


class MemberQuotas:
    """Queues, quotas and claims of one member; the mappings are values, replaced whole at every change."""

    def __init__(self, changed: Callable[[], None]) -> None:
        """Start with nothing. `changed` is told after each change; it must not block."""
        self._changed = changed
        self.queueing: tuple[str, ...] = ()
        self.kueue_version = ""
        """Group version in which the member serves Kueue's queues."""
        self.pod_security: Mapping[str, str] = {}
        """Pod Security level that each namespace of our jobs enforces, as far as we may look; `privileged` where none is set."""
        self.claimed: Mapping[Device, int] = {}
        """How many claims hold each device."""
        self.rules = NamespaceRules(changed)
        """Quotas and LimitRanges of the namespaces of our jobs."""
        self.kueue = KueueQueues(changed)
        self._claims: dict[str, tuple[Device, ...]] = {}

    def found(self, groups: Collection[str], *, kueue: str = "") -> None:
        """Take the API groups that the member serves, and the newest version of Kueue's queues."""
        self.kueue_version = kueue
        self.kueue.found(there=bool(kueue) or "kueue.x-k8s.io" in groups)
        fresh = tuple(sorted({GROUPS[group] for group in groups if group in GROUPS}))
        if fresh != self.queueing:
            self.queueing = fresh
            self._changed()

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
