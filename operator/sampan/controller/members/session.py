"""One connection of a member link: who is there, what may we do, watch, stay sure of it, take new credentials.

Ends by an exception only; `links.py` begins the next one. Tells nobody outside its link.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sampan.api.conditions import OfferReason as Why
from sampan.controller.members.access import extras, identity, levels, review
from sampan.controller.members.memory import Known
from sampan.controller.members.published import through
from sampan.controller.members.terms import DEFINITE, BeginAgainError, LinkSettings, Shown, StrangerError, is_silence, shown
from sampan.controller.members.watches import Feeds
from sampan.controller.observation.liveness import Liveness
from sampan.kube.backoff import Backoff
from sampan.kube.client import Client
from sampan.kube.credentials import Credentials
from sampan.kube.errors import KubeError, TLSFailure, Unauthorized
from sampan.kube.meta import Version
from sampan.kube.paths import VERSION

log = logging.getLogger(__name__)

_NEVER: Final = float("-inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Whom a session tells."""

    changed: Callable[[], None]
    """Something that the link's facts depend on may have changed."""
    refused: Callable[[], None]
    """401."""


class Session:
    """A connection. `verified`: the member is known to be the one it was."""

    def __init__(self, client: Client, known: Known, *, settings: LinkSettings, listener: Listener) -> None:
        """Use an open client."""
        self.client = client
        self.verified = False
        self.trouble: Shown | None = None
        self.rotation: Shown | None = None
        """Why newer credentials could not be taken."""
        self._known, self._settings, self._listener = known, settings, listener
        self._feeds: Feeds | None = None
        self._news, self._nudge, self._moved = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._met, self._refused = False, False
        self._attempted, self._reviewed = _NEVER, _NEVER
        self._live = Liveness(refused_after=settings.refused_after, mute_after=settings.mute_after)
        self._review_wanted = False
        self._restarts = 0

    # --- what the link reads and says -----------------------------------------------------------------------------

    @property
    def synced(self) -> bool:
        """Tell whether every picture stems from a completed list."""
        return self._feeds is not None and self._feeds.synced

    @property
    def alive(self) -> bool:
        """Tell whether the member was heard lately and did not turn us away."""
        return self._met and not self._refused and self._live.alive(_now(), self._heard)

    @property
    def fresh(self) -> bool:
        """Tell whether it is alive, at this moment known to be the one it was, and followed in all: then it may be acted upon."""
        return self.verified and self.alive and self.stalled is None

    @property
    def stalled(self) -> Shown | None:
        """Return what is wrong with a watch that all jobs need and that does not work any more; None where they do."""
        wrong = self._feeds.stalled(_now() - self._settings.refused_after) if self._feeds else ""
        return (Why.UNREACHABLE, wrong) if wrong else None

    @property
    def behind(self) -> dict[str, Shown]:
        """Return the namespaces in which our objects are not followed, each with what is wrong there."""
        found = self._feeds.behind(self._known.namespaces, _now() - self._settings.refused_after) if self._feeds else {}
        return {name: (Why.NOT_FOLLOWED, wrong) if wrong else (Why.SYNCING, f"reading {name}") for name, wrong in found.items()}

    @property
    def silent_for(self) -> float:
        """Return for how many seconds nothing was heard; 0 where the member was never met."""
        return _now() - self._heard if self._met else 0.0

    def rotate(self) -> None:
        """There are newer credentials."""
        self._news.set()

    def follow(self) -> None:
        """There are other namespaces to watch."""
        self._moved.set()
        self.doubt()

    def doubt(self) -> None:
        """Look at the member and at our rights there now."""
        self._review_wanted = True
        self._suspect()

    # --- life -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Connect and watch. Raises KubeError, StrangerError or BeginAgainError, the latter ones perhaps in groups."""
        known = self._known
        # 1. Is somebody there, and what may we do?
        known.version = (await self.client.get(VERSION, into=Version)).git_version[:63]
        known.rights = await review(self.client, known.namespaces)
        self._reviewed = _now()
        looked = known.rights.published
        known.published = through(looked, known.published, inventory=known.inventory, hub_id=known.own.hub_id, clock=_now)
        self._listener.changed()
        # 2. Is it the cluster it was?
        self._meet(await identity(self.client))
        # 3. What more does it serve that we may look at?
        known.extras = await extras(self.client, known.namespaces)
        more = known.extras.more
        known.inventory.layers.found(known.extras.groups, kueue=known.extras.kueue)
        if "runtimeclasses" not in more and known.published is None:
            known.inventory.runtime_classes.forget()
        known.inventory.layers.levels = await levels(self.client, known.namespaces if "namespaces" in more else ())
        self._listener.changed()
        # 4. Watch.
        async with asyncio.TaskGroup() as group:
            self._feeds = Feeds(self.client, known.inventory, known.own, listed=self._listed, tuning=self._settings.tuning)
            self._feeds.start(group, known.namespaces, more=more, published=known.published)
            group.create_task(self._attend(group, self._feeds), name="attend")
            group.create_task(self._take_news(), name="rotate")

    def _meet(self, uid: str) -> None:
        """Raise `StrangerError` where this is not the cluster we know, or is the hub."""
        known = self._known
        self._recognise(uid)
        known.cluster_uid, known.good = uid, self.client.credentials
        self.verified, self._met, self._refused = True, True, False
        self._live.answered(_now())
        self.trouble = None
        self._listener.changed()

    def _recognise(self, uid: str) -> None:
        if uid == self._settings.hub_cluster_uid:
            raise StrangerError(Why.HUB_AS_MEMBER, "the kubeconfig leads to the hub itself; a member must be another cluster")
        if self._known.cluster_uid not in (None, uid):
            message = "another cluster answers than the one that was joined; nothing is done there: make a new offer for it"
            raise StrangerError(Why.IDENTITY_CHANGED, message)

    async def _attend(self, group: asyncio.TaskGroup, feeds: Feeds) -> None:
        """Keep the health, the watched namespaces and the rights current."""
        while True:
            if self._moved.is_set():
                self._moved.clear()
                feeds.follow(group, self._known.namespaces)
            if self._probe_due(feeds):
                await self._probe()
            if self.verified and self.alive and self._review_due():
                await self._review()
            self._listener.changed()
            await _wait(self._nudge, self._settings.tick)

    # --- is it still there, and still the same --------------------------------------------------------------------

    @property
    def _heard(self) -> float:
        return max(self._feeds.last_activity if self._feeds else _NEVER, self._live.answered_at)

    def _listed(self, again: bool) -> None:
        """A full list is about to be taken: the first of its watch, or one after a gap, perhaps of another server."""
        if again:
            self._suspect()
        else:
            asyncio.get_running_loop().call_soon(self._nudge.set)  # after it was taken

    def _suspect(self) -> None:
        """A watch began anew, or a call failed: tell and do nothing before the member has said who it is."""
        if self.verified:
            self.verified, self._attempted = False, _NEVER
        self._nudge.set()
        self._listener.changed()

    def _probe_due(self, feeds: Feeds) -> bool:
        restarted = feeds.restarts != self._restarts
        self._restarts = feeds.restarts
        if _now() - self._attempted < (self._settings.probe_after if self._refused else self._settings.tick):
            return False  # no hot loop against one that said no
        troubled = not self.verified or self.trouble is not None
        return restarted or troubled or _now() - self._live.answered_at >= self._settings.probe_after  # watches may speak from memory

    async def _probe(self) -> None:
        """Ask the member who it is. Silence is not believed at once, a definite no is."""
        self._attempted = began = _now()
        failed_before = self.trouble is not None
        try:
            async with asyncio.timeout(self._settings.probe_timeout):
                uid = await identity(self.client)
        except TimeoutError:
            self.trouble = Why.UNREACHABLE, "the member does not answer"
            self._live.failed(began, silent=True)
        except KubeError as error:
            self.trouble = shown(error)
            self._live.failed(began, silent=is_silence(error))
            if isinstance(error, DEFINITE):
                self._refused = True
            if isinstance(error, (*DEFINITE, TLSFailure)):
                self.verified = False  # whoever answers there, it is not to be acted upon
            if isinstance(error, Unauthorized):
                self._listener.refused()
        else:
            self._meet(uid)
            if failed_before:
                self.client.rouse()  # watches that were turned away while the member came up wait for up to a minute

    def _review_due(self) -> bool:
        settings, since = self._settings, _now() - self._reviewed
        rights = self._known.rights
        missing = (rights is not None and (rights.missing or rights.absent)) or (self._feeds is not None and self._feeds.forbidden)
        return since >= (settings.review_missing if missing else settings.review_every) or (
            self._review_wanted and since >= settings.probe_timeout
        )

    async def _review(self) -> None:
        before = self._known.rights
        try:
            async with asyncio.timeout(self._settings.probe_timeout):  # a mute member must not keep us from noticing
                self._known.rights = await review(self.client, self._known.namespaces)
        except (KubeError, TimeoutError) as error:
            log.info("link.review_failed", extra={"error": type(error).__name__})
        self._reviewed, self._review_wanted = _now(), False
        after = self._known.rights
        if before is None or after is None:
            return
        if before.lifted(after) or before.published != after.published:
            raise BeginAgainError  # watches that were refused wait for a minute: a new connection does not
        if not after.missing:
            await self._review_extras()

    async def _review_extras(self) -> None:
        """Begin again where there is more or less to follow than before; where the member does not say in time, later."""
        try:
            async with asyncio.timeout(self._settings.probe_timeout):
                more = await extras(self.client, self._known.namespaces)
        except (KubeError, TimeoutError) as error:
            log.info("link.review_failed", extra={"error": type(error).__name__})
            return
        if more != self._known.extras:
            raise BeginAgainError

    # --- new credentials ------------------------------------------------------------------------------------------

    async def _take_news(self) -> None:
        """Take newer credentials into use once they proved to lead to the same cluster; until then the old ones stay."""
        backoff = Backoff(random.uniform, base=1)
        while True:
            wanted = self._known.wanted
            if wanted is not None and wanted.fingerprint != self.client.credentials.fingerprint:
                await self._replace(wanted)
            else:
                self.rotation = None
            self._listener.changed()
            if self.rotation is None:
                backoff.reset()
            await _wait(self._news, None if self.rotation is None else backoff.next())

    async def _replace(self, new: Credentials) -> None:
        try:
            async with Client(new, limits=self._settings.limits, observe=self._settings.observe) as probe:
                uid = await identity(probe)
            self._recognise(uid)
            await self.client.replace_credentials(new)
        except (KubeError, StrangerError) as error:
            reason, message = shown(error)
            self.rotation = reason, f"the new kubeconfig is not used: {message}"
            self._known.note_failure(new, error)
            return
        self._meet(uid)
        log.info("link.rotated", extra={"cluster": uid})
        self.rotation = None
        self._review_wanted = True


async def _wait(event: asyncio.Event, seconds: float | None) -> None:
    """Wait for an event and take it; give up after so many seconds."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
            event.clear()


def _now() -> float:
    return asyncio.get_running_loop().time()
