"""One connection of a member link: who is there, what may we do, watch, stay sure of it, take new credentials.

Ends by an exception only; `link.py` begins the next one. Tells nobody outside its link.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sampan.controller.members.access import identity, optional_resources, pod_security_levels, review
from sampan.controller.members.memory import LinkMemory
from sampan.controller.members.published import choose_source
from sampan.controller.members.terms import DEFINITE, ConditionText, LinkSettings, ReconnectError, WrongClusterError, describe, is_silence
from sampan.controller.members.watches import MemberWatches
from sampan.controller.observation.liveness import Liveness
from sampan.kube.credentials.credential import Credentials
from sampan.kube.errors import KubeError, TLSFailure, Unauthorized
from sampan.kube.objects.meta import Version
from sampan.kube.transport.client import Client
from sampan.kube.transport.paths import VERSION
from sampan.kube.watch.backoff import Backoff
from sampan.model.members.offer_reasons import OfferReason

log = logging.getLogger(__name__)

_NEVER: Final = float("-inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCallbacks:
    """Whom a session tells."""

    changed: Callable[[], None]
    """Something that the link's facts depend on may have changed."""
    refused: Callable[[], None]
    """401."""


class Session:
    """A connection. `verified`: the member is known to be the one it was."""

    def __init__(self, client: Client, memory: LinkMemory, *, settings: LinkSettings, callbacks: SessionCallbacks) -> None:
        """Use an open client."""
        self.client = client
        self.verified = False
        self.problem: ConditionText | None = None
        self.rotation_problem: ConditionText | None = None
        """Why newer credentials could not be taken."""
        self._memory, self._settings, self._callbacks = memory, settings, callbacks
        self._watches: MemberWatches | None = None
        self._new_credentials, self._wake, self._namespaces_changed = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._identified, self._refused = False, False
        self._attempted, self._reviewed = _NEVER, _NEVER
        self._liveness = Liveness(refused_after=settings.refused_after, mute_after=settings.mute_after)
        self._review_wanted = False
        self._restarts = 0

    # --- what the link reads and says -----------------------------------------------------------------------------

    @property
    def synced(self) -> bool:
        """Tell whether every watch has completed a list."""
        return self._watches is not None and self._watches.synced

    @property
    def alive(self) -> bool:
        """Tell whether the member was heard lately and did not turn us away."""
        return self._identified and not self._refused and self._liveness.alive(_now(), self._last_heard)

    @property
    def fresh(self) -> bool:
        """Tell whether it is alive, at this moment known to be the one it was, and followed in all: then it may be acted upon."""
        return self.verified and self.alive and self.stalled is None

    @property
    def stalled(self) -> ConditionText | None:
        """Return what is wrong with a watch that all jobs need and that does not work any more; None where they do."""
        wrong = self._watches.stalled(_now() - self._settings.refused_after) if self._watches else ""
        return (OfferReason.UNREACHABLE, wrong) if wrong else None

    @property
    def behind(self) -> dict[str, ConditionText]:
        """Return the namespaces in which our objects are not followed, each with what is wrong there."""
        found = self._watches.behind(self._memory.namespaces, _now() - self._settings.refused_after) if self._watches else {}
        return {
            name: (OfferReason.NOT_FOLLOWED, wrong) if wrong else (OfferReason.SYNCING, f"reading {name}") for name, wrong in found.items()
        }

    @property
    def silent_for(self) -> float:
        """Return for how many seconds nothing was heard; 0 where the member was never met."""
        return _now() - self._last_heard if self._identified else 0.0

    def new_credentials(self) -> None:
        """There are newer credentials."""
        self._new_credentials.set()

    def follow(self) -> None:
        """There are other namespaces to watch."""
        self._namespaces_changed.set()
        self.request_review()

    def request_review(self) -> None:
        """Look at the member and at our rights there now."""
        self._review_wanted = True
        self._mark_unverified()

    # --- life -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Connect and watch. Raises KubeError, WrongClusterError or ReconnectError, the latter ones perhaps in groups."""
        memory = self._memory
        # 1. Is somebody there, and what may we do?
        memory.version = (await self.client.get(VERSION, into=Version)).git_version[:63]
        memory.access = await review(self.client, memory.namespaces)
        self._reviewed = _now()
        looked = memory.access.published
        memory.published = choose_source(looked, memory.published, inventory=memory.inventory, hub_id=memory.copies.hub_id, clock=_now)
        self._callbacks.changed()
        # 2. Is it the cluster it was?
        self._accept_identity(await identity(self.client))
        # 3. What more does it serve that we may look at?
        memory.optional = await optional_resources(self.client, memory.namespaces)
        more = memory.optional.resources
        memory.inventory.quotas.found(memory.optional.groups, kueue=memory.optional.kueue)
        if "runtimeclasses" not in more and memory.published is None:
            memory.inventory.runtime_classes.forget()
        memory.inventory.quotas.pod_security = await pod_security_levels(self.client, memory.namespaces if "namespaces" in more else ())
        self._callbacks.changed()
        # 4. Watch.
        async with asyncio.TaskGroup() as group:
            self._watches = MemberWatches(self.client, memory.inventory, memory.copies, on_list=self._on_list, tuning=self._settings.tuning)
            self._watches.start(group, memory.namespaces, optional=more, published=memory.published)
            group.create_task(self._supervise(group, self._watches), name="supervise")
            group.create_task(self._rotate_credentials(), name="rotate")

    def _accept_identity(self, uid: str) -> None:
        """Raise `WrongClusterError` where this is not the cluster we know, or is the hub."""
        memory = self._memory
        self._check_identity(uid)
        memory.cluster_uid, memory.working = uid, self.client.credentials
        self.verified, self._identified, self._refused = True, True, False
        self._liveness.answered(_now())
        self.problem = None
        self._callbacks.changed()

    def _check_identity(self, uid: str) -> None:
        if uid == self._settings.hub_cluster_uid:
            raise WrongClusterError(OfferReason.HUB_AS_MEMBER, "the kubeconfig leads to the hub itself; a member must be another cluster")
        if self._memory.cluster_uid not in (None, uid):
            message = "another cluster answers than the one that was joined; nothing is done there: make a new offer for it"
            raise WrongClusterError(OfferReason.IDENTITY_CHANGED, message)

    async def _supervise(self, group: asyncio.TaskGroup, watches: MemberWatches) -> None:
        """Keep the health, the watched namespaces and the rights current."""
        while True:
            if self._namespaces_changed.is_set():
                self._namespaces_changed.clear()
                watches.follow(group, self._memory.namespaces)
            if self._probe_due(watches):
                await self._probe()
            if self.verified and self.alive and self._review_due():
                await self._review()
            self._callbacks.changed()
            await _wait(self._wake, self._settings.tick)

    # --- is it still there, and still the same --------------------------------------------------------------------

    @property
    def _last_heard(self) -> float:
        return max(self._watches.last_activity if self._watches else _NEVER, self._liveness.answered_at)

    def _on_list(self, again: bool) -> None:
        """A full list is about to be taken: the first of its watch, or one after a gap, perhaps of another server."""
        if again:
            self._mark_unverified()
        else:
            asyncio.get_running_loop().call_soon(self._wake.set)  # after it was taken

    def _mark_unverified(self) -> None:
        """A watch began anew, or a call failed: tell and do nothing before the member has said who it is."""
        if self.verified:
            self.verified, self._attempted = False, _NEVER
        self._wake.set()
        self._callbacks.changed()

    def _probe_due(self, watches: MemberWatches) -> bool:
        restarted = watches.restarts != self._restarts
        self._restarts = watches.restarts
        if _now() - self._attempted < (self._settings.probe_after if self._refused else self._settings.tick):
            return False  # no hot loop against one that said no
        troubled = not self.verified or self.problem is not None
        return restarted or troubled or _now() - self._liveness.answered_at >= self._settings.probe_after  # watches may speak from memory

    async def _probe(self) -> None:
        """Ask the member who it is. Silence is not believed at once, a definite no is."""
        self._attempted = began = _now()
        failed_before = self.problem is not None
        try:
            async with asyncio.timeout(self._settings.probe_timeout):
                uid = await identity(self.client)
        except TimeoutError:
            self.problem = OfferReason.UNREACHABLE, "the member does not answer"
            self._liveness.failed(began, silent=True)
        except KubeError as error:
            self.problem = describe(error)
            self._liveness.failed(began, silent=is_silence(error))
            if isinstance(error, DEFINITE):
                self._refused = True
            if isinstance(error, (*DEFINITE, TLSFailure)):
                self.verified = False  # whoever answers there, it is not to be acted upon
            if isinstance(error, Unauthorized):
                self._callbacks.refused()
        else:
            self._accept_identity(uid)
            if failed_before:
                self.client.wake()  # watches that were turned away while the member came up wait for up to a minute

    def _review_due(self) -> bool:
        settings, since = self._settings, _now() - self._reviewed
        rights = self._memory.access
        missing = (rights is not None and (rights.missing or rights.absent)) or (self._watches is not None and self._watches.forbidden)
        return since >= (settings.review_missing if missing else settings.review_every) or (
            self._review_wanted and since >= settings.probe_timeout
        )

    async def _review(self) -> None:
        before = self._memory.access
        try:
            async with asyncio.timeout(self._settings.probe_timeout):  # a mute member must not keep us from noticing
                self._memory.access = await review(self.client, self._memory.namespaces)
        except (KubeError, TimeoutError) as error:
            log.info("link.review_failed", extra={"error": type(error).__name__})
        self._reviewed, self._review_wanted = _now(), False
        after = self._memory.access
        if before is None or after is None:
            return
        if before.is_unblocked_by(after) or before.published != after.published:
            raise ReconnectError  # watches that were refused wait for a minute: a new connection does not
        if not after.missing:
            await self._review_optional()

    async def _review_optional(self) -> None:
        """Begin again where there is more or less to follow than before; where the member does not say in time, later."""
        try:
            async with asyncio.timeout(self._settings.probe_timeout):
                more = await optional_resources(self.client, self._memory.namespaces)
        except (KubeError, TimeoutError) as error:
            log.info("link.review_failed", extra={"error": type(error).__name__})
            return
        if more != self._memory.optional:
            raise ReconnectError

    # --- new credentials ------------------------------------------------------------------------------------------

    async def _rotate_credentials(self) -> None:
        """Take newer credentials into use once they proved to lead to the same cluster; until then the old ones stay."""
        backoff = Backoff(random.uniform, base=1)
        while True:
            wanted = self._memory.newest
            if wanted is not None and wanted.fingerprint != self.client.credentials.fingerprint:
                await self._replace(wanted)
            else:
                self.rotation_problem = None
            self._callbacks.changed()
            if self.rotation_problem is None:
                backoff.reset()
            await _wait(self._new_credentials, None if self.rotation_problem is None else backoff.next())

    async def _replace(self, new: Credentials) -> None:
        try:
            async with Client(new, limits=self._settings.limits, observe=self._settings.observe) as probe:
                uid = await identity(probe)
            self._check_identity(uid)
            await self.client.replace_credentials(new)
        except (KubeError, WrongClusterError) as error:
            reason, message = describe(error)
            self.rotation_problem = reason, f"the new kubeconfig is not used: {message}"
            self._memory.note_failure(new, error)
            return
        self._accept_identity(uid)
        log.info("link.rotated", extra={"cluster": uid})
        self.rotation_problem = None
        self._review_wanted = True


async def _wait(event: asyncio.Event, seconds: float | None) -> None:
    """Wait for an event and take it; give up after so many seconds."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
            event.clear()


def _now() -> float:
    return asyncio.get_running_loop().time()
