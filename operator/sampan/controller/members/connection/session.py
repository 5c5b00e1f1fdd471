"""One connection of a member link: who is there, what may we do, watch, stay sure of it, take new credentials.

Ends by an exception only; `link.py` begins the next one. Tells nobody outside its link.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

from sampan.controller.members.connection.access import identity, optional_resources, pod_security_levels
from sampan.controller.members.connection.probe import NEVER, IdentityProbe, now
from sampan.controller.members.connection.renewal import TokenRenewal
from sampan.controller.members.connection.reviews import AccessReviews
from sampan.controller.members.connection.rotation import CredentialRotation, wait
from sampan.controller.members.connection.tenants import TenantReviews
from sampan.controller.members.memory import LinkMemory
from sampan.controller.members.published import choose_source
from sampan.controller.members.terms import LinkSettings
from sampan.controller.members.watching.watches import MemberWatches
from sampan.kube.objects.meta import Version
from sampan.kube.transport.client import Client
from sampan.kube.transport.paths import VERSION
from sampan.model.members.offer_reasons import ConditionText, OfferReason


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCallbacks:
    """Whom a session tells."""

    changed: Callable[[], None]
    """Something that the link's facts depend on may have changed."""
    refused: Callable[[], None]
    """401."""


class Session:
    """A connection."""

    def __init__(self, client: Client, memory: LinkMemory, *, settings: LinkSettings, callbacks: SessionCallbacks) -> None:
        """Use an open client."""
        self.client = client
        self._memory, self._settings, self._callbacks = memory, settings, callbacks
        self._probe = IdentityProbe(client, memory, settings)
        self._reviews = AccessReviews(client, memory, settings)
        self._rotation = CredentialRotation(client, memory, self._probe, settings=settings)
        self._renewal = TokenRenewal(client, memory.credentials, settings)
        self._watches: MemberWatches | None = None
        self._wake = asyncio.Event()
        self._tenants = TenantReviews(client, memory, settings, wake=self._wake.set)

    # --- what the link reads and says -----------------------------------------------------------------------------

    @property
    def verified(self) -> bool:
        """Tell whether the member is known to be the one it was."""
        return self._probe.verified

    @property
    def problem(self) -> ConditionText | None:
        """Return why the last probe failed; None where it was answered."""
        return self._probe.problem

    @property
    def rotation_problem(self) -> ConditionText | None:
        """Return why newer credentials could not be taken."""
        return self._rotation.problem

    @property
    def synced(self) -> bool:
        """Tell whether every watch has completed a list."""
        return self._watches is not None and self._watches.synced

    @property
    def alive(self) -> bool:
        """Tell whether the member was heard lately and did not turn us away."""
        return self._probe.alive(self._last_heard)

    @property
    def fresh(self) -> bool:
        """Tell whether it is alive, at this moment known to be the one it was, and followed in all: then it may be acted upon."""
        return self.verified and self.alive and self.stalled is None

    @property
    def stalled(self) -> ConditionText | None:
        """Return what is wrong with a watch that all jobs need and that does not work any more; None where they do."""
        wrong = self._watches.stalled(now() - self._settings.refused_after) if self._watches else ""
        return (OfferReason.UNREACHABLE, wrong) if wrong else None

    @property
    def behind(self) -> dict[str, ConditionText]:
        """Return the namespaces in which our objects are not followed, each with what is wrong there."""
        found = self._watches.behind(self._memory.namespaces, now() - self._settings.refused_after) if self._watches else {}
        return {
            name: (OfferReason.NOT_FOLLOWED, wrong) if wrong else (OfferReason.SYNCING, f"reading {name}") for name, wrong in found.items()
        }

    def follows(self, namespace: str) -> bool:
        """Tell whether it is fresh, and what is known of our objects in a namespace is current."""
        if self._watches is None or namespace not in self._memory.namespaces or not (self.verified and self.alive and self.synced):
            return False
        all_well = self._watches.follow_all(self._memory.namespaces)  # asked for each job at each of its steps
        return all_well or (self.stalled is None and namespace not in self.behind)

    @property
    def silent_for(self) -> float:
        """Return for how many seconds nothing was heard; 0 where the member was never met."""
        return now() - self._last_heard if self._probe.identified else 0.0

    def new_credentials(self) -> None:
        """There are newer credentials."""
        self._rotation.offer()

    def follow(self) -> None:
        """There are other namespaces to watch."""
        self._tenants.wanted = True
        self.request_review()

    def request_review(self) -> None:
        """Look at the member and at our rights there now."""
        self._reviews.wanted = True
        self._mark_unverified()

    # --- life -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Connect and watch. Raises KubeError, WrongClusterError or ReconnectError, the latter ones perhaps in groups."""
        memory = self._memory
        # 1. Is somebody there, and what may we do?
        memory.version = (await self.client.get(VERSION, into=Version)).git_version[:63]
        await self._reviews.first()
        looked = memory.access.published if memory.access is not None else ""
        memory.published = choose_source(looked, memory.published, inventory=memory.inventory, hub_id=memory.copies.hub_id, clock=now)
        memory.update_namespaces()
        self._callbacks.changed()
        # 2. Is it the cluster it was?
        self._probe.accept(await identity(self.client))
        self._callbacks.changed()
        # 3. What more does it serve that we may look at, and which namespaces are whose?
        await _look_around(self.client, memory)
        await self._tenants.first()
        self._callbacks.changed()
        # 4. Watch.
        async with asyncio.TaskGroup() as group:
            self._watches = MemberWatches(self.client, memory.inventory, memory.copies, on_list=self._on_list, tuning=self._settings.tuning)
            self._watches.start(group, memory.namespaces, optional=memory.optional.resources, published=memory.published)
            self._watches.follow_lists(group, memory.tenants, memory.offers.per_tenant)
            group.create_task(self._supervise(group, self._watches), name="supervise")
            group.create_task(self._rotation.run(self._callbacks.changed, self._rotated), name="rotate")
            group.create_task(self._renewal.run(self._rotation.offer), name="renew")

    async def _supervise(self, group: asyncio.TaskGroup, watches: MemberWatches) -> None:
        """Keep the health, the watched namespaces and the rights current."""
        while True:
            if self.verified and self.alive and self._tenants.due:
                await self._tenants.run()
            watches.follow(group, self._memory.namespaces)
            watches.follow_lists(group, self._memory.tenants, self._memory.offers.per_tenant)
            if self._probe.due(watches.restarts) and await self._probe.ask():
                self._callbacks.refused()
            if self.verified and self.alive and self._reviews.due(forbidden=watches.forbidden):
                await self._reviews.again()
            self._callbacks.changed()
            jitter = random.uniform(0.8, 1.2)  # noqa: S311  without it, members that a stall made late together stay together for ever
            await wait(self._wake, self._settings.tick * jitter)

    def _rotated(self) -> None:
        self._reviews.wanted = True

    @property
    def _last_heard(self) -> float:
        return max(self._watches.last_activity if self._watches else NEVER, self._probe.answered_at)

    def _on_list(self, again: bool) -> None:
        """A full list is about to be taken: the first of its watch, or one after a gap, perhaps of another server."""
        if again:
            self._mark_unverified()
        else:
            asyncio.get_running_loop().call_soon(self._wake.set)  # after it was taken

    def _mark_unverified(self) -> None:
        """A watch began anew, or a call failed: tell and do nothing before the member has said who it is."""
        self._probe.doubt()
        self._wake.set()
        self._callbacks.changed()


async def _look_around(client: Client, memory: LinkMemory) -> None:
    """Look which optional resources there are, and what the namespaces that offers name enforce. Raises KubeError."""
    memory.optional = await optional_resources(client, memory.offers.named)
    more = memory.optional.resources
    memory.inventory.quotas.found(memory.optional.groups, kueue=memory.optional.kueue)
    if "runtimeclasses" not in more and memory.published is None:
        memory.inventory.runtime_classes.forget()
    memory.inventory.quotas.pod_security = await pod_security_levels(client, memory.offers.named if "namespaces" in more else ())
