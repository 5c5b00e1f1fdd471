"""What an offer on the hub needs next: its finalizer on or off, or a new status. Decides what to write; `offer_writer.py` writes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sampan.api import conditions as types
from sampan.api.conditions import OfferReason
from sampan.api.convert_offer import Claim
from sampan.controller.offers.assessment import MESSAGE_LIMIT, Verdict, draining, overcommitted, schedulable
from sampan.controller.offers.pools import OfferPools
from sampan.controller.offers.registry import OfferBook
from sampan.controller.offers.runtime_classes import runtime_trouble
from sampan.controller.offers.status import OfferView, difference, is_urgent, status_of
from sampan.controller.offers.writer import Write
from sampan.inventory.pools.summary import PoolSummary, describe, own_use
from sampan.kube.client import PatchType
from sampan.model.cluster import Cluster, Pool, Running
from sampan.model.names import FINALIZER
from sampan.model.offer import OfferKey

UNSHOWN_FOR: Final = 600_000
"""Milliseconds for which pools are left out of a status after the API server refused it."""
_REFUSED: Final = "the hub's API server refuses the status with the pools, so they are not shown"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferUse:
    """What jobs have of offers."""

    in_use: Callable[[OfferKey], bool]
    """Whether a job's copy may still be there because of this offer: then the offer cannot go."""
    waits_for: Callable[[OfferKey], str] = lambda _: ""
    """How many jobs still use an offer, and what holds them up, in words."""
    running: Callable[[str], Mapping[str, Running]] = lambda _: {}
    """What of ours holds the nodes of a cluster: it counts against the offers' caps."""
    reserved: Callable[[OfferKey], Mapping[str, int]] = lambda _: {}
    """Devices that reservations keep for waiting jobs, by pool of the offer."""


class Renderer:
    """Reads the book and the pools; keeps only which statuses were refused."""

    def __init__(
        self,
        book: OfferBook,
        pools: OfferPools,
        *,
        use: OfferUse,
        clock: Callable[[], int],
    ) -> None:
        """`clock` gives milliseconds since the epoch."""
        self._book, self._pools, self._use, self._clock = book, pools, use, clock
        self._unshown: dict[str, int] = {}

    def refused(self, uid: str) -> None:
        """Hear that the API server will never take what `write` gave: for a while the status comes without pools, and says so."""
        self._unshown = {known: until for known, until in self._unshown.items() if known in self._book.claims}
        self._unshown[uid] = self._clock() + UNSHOWN_FOR

    def write(self, uid: str) -> Write | None:
        """Return the next patch of an offer, None where it is as it should be."""
        claim = self._book.claims.get(uid)
        if claim is None or uid not in self._book.judged:
            return None
        held = FINALIZER in claim.finalizers
        if claim.deleting and held and not self._use.in_use(claim.key):
            return _release(claim)
        if not claim.deleting and not held and (claim.accepting or self._use.in_use(claim.key)):
            return _hold(claim)  # an offer that takes nothing and holds nothing may go as it likes: an uninstall lets it
        if self._unsettled(claim):
            return None
        patch = self._status_patch(claim)
        if not patch:
            return None
        body = {"metadata": {"uid": uid}, "status": patch}
        return Write(key=claim.key, body=body, subresource="status", urgent=is_urgent(patch))

    def due(self) -> list[str]:
        """Return the UIDs of offers that time alone may have changed: those that drain, and those whose Schedulable is out of date."""
        now = self._clock()
        found = []
        for uid, claim in self._book.claims.items():
            joined = self._book.judged.get(uid)
            if joined is None:
                continue
            conditions = self._book.statuses[uid].get("conditions") or ()
            shown = next((c.get("status") for c in conditions if c.get("type") == types.SCHEDULABLE), None)
            edge = claim.valid_from is not None or claim.valid_until is not None
            if claim.deleting or (edge and shown != self._schedulable(claim, now=now).status):
                found.append(uid)
        return found

    def _unsettled(self, claim: Claim) -> bool:
        """Tell whether the link is still on its first way in: after a restart, what the status says stays until more is known."""
        way_in = claim.secret is not None and self._book.facts(claim).reason in (OfferReason.CONNECTING, OfferReason.SYNCING)
        return way_in and bool(self._book.statuses[claim.uid].get("conditions"))

    def _status_patch(self, claim: Claim) -> dict[str, Any]:
        known, now = self._book.statuses[claim.uid], self._clock()
        joined, facts = self._book.judged[claim.uid], self._book.facts(claim)
        pools = self._pools.pools(claim.key)
        cluster = self._pools.cluster(joined.offer.cluster_uid) if joined.offer.cluster_uid else None
        used: Mapping[int, int] = {}
        if cluster is not None:
            cluster = replace(cluster, running=self._use.running(cluster.uid))
            used = own_use(claim.key, pools, cluster)
        hidden = now < self._unshown.get(claim.uid, 0)
        summary = self._schedulable(claim, now=now)
        verdicts: list[Verdict | None] = [*joined.verdicts, _hiding(summary) if hidden else summary]
        if cluster is not None:
            verdicts.append(overcommitted(_over(pools, used)))
        in_use = claim.deleting and self._use.in_use(claim.key)
        verdicts.append(draining(claim, in_use=in_use, waits_for=self._use.waits_for(claim.key) if in_use else ""))
        view = OfferView(
            generation=claim.generation,
            joined=joined,
            facts=facts,
            verdicts=tuple(verdict for verdict in verdicts if verdict is not None),
            pools=self._summaries(claim.key, cluster, used) if cluster is not None and not hidden else (),
            left_out=self._pools.left_out(claim.key) if cluster is not None and not hidden else (),
            queueing=cluster.queueing if cluster is not None else (),
        )
        return difference(known, status_of(view, known, now=now))

    def _summaries(self, key: OfferKey, cluster: Cluster, used: Mapping[int, int]) -> tuple[PoolSummary, ...]:
        kept = self._use.reserved(key)
        return tuple(
            describe(pool, cluster, used=0 if pool.rule is None else used.get(pool.rule, 0), kept=kept.get(pool.name, 0))
            for pool in self._pools.pools(key)
        )

    def _schedulable(self, claim: Claim, *, now: int) -> Verdict:
        pools = self._pools.pools(claim.key)
        runtime = runtime_trouble(pools, looked=self._pools.looks_at_runtimes(claim.key))
        return schedulable(claim, self._book.judged[claim.uid], has_pools=bool(pools), now=now, runtime=runtime)


def _hiding(summary: Verdict) -> Verdict:
    """Return the summary with why no pools are shown."""
    reason = OfferReason.STATUS_REFUSED if summary.holds else summary.reason
    return replace(summary, reason=str(reason), message="; ".join(part for part in (summary.message, _REFUSED) if part)[:MESSAGE_LIMIT])


def _over(pools: tuple[Pool, ...], used: Mapping[int, int]) -> dict[int, tuple[int, int]]:
    """Return for each rule with a limit the devices that jobs of the offer use on its nodes, and the limit."""
    caps = {pool.rule: pool.max_devices for pool in pools if pool.rule is not None and pool.max_devices is not None}
    return {rule: (used.get(rule, 0), cap) for rule, cap in caps.items()}


def _hold(claim: Claim) -> Write:
    """Put the finalizer on, where the admission policy did not."""
    body = {"metadata": {"resourceVersion": claim.resource_version, "finalizers": [*claim.finalizers, FINALIZER]}}
    return Write(key=claim.key, body=body)


def _release(claim: Claim) -> Write:
    """Take the finalizer off the very object that was looked at."""
    body = [
        {"op": "test", "path": "/metadata/resourceVersion", "value": claim.resource_version},
        {"op": "replace", "path": "/metadata/finalizers", "value": [each for each in claim.finalizers if each != FINALIZER]},
    ]
    return Write(key=claim.key, body=body, content_type=PatchType.JSON)
