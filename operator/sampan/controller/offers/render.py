"""What an offer on the hub needs next: its finalizer on or off, or a new status. Decides what to write; `writer.py` writes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sampan.api.convert.offers import DeclaredOffer
from sampan.controller.offers.assessment import MESSAGE_LIMIT, draining, expiring, overcommitted, schedulable
from sampan.controller.offers.pools import OfferPools
from sampan.controller.offers.registry import OfferRegistry
from sampan.controller.offers.runtime_classes import runtime_class_problem
from sampan.controller.offers.status import OfferView, difference, is_urgent, status_of
from sampan.controller.offers.writer import Write
from sampan.inventory.cluster import InFlightSource
from sampan.inventory.pools.summary import PoolSummary, own_use, summarise
from sampan.kube.transport.client import PatchType
from sampan.model.members.cluster import Cluster, Pool, Running
from sampan.model.members.offer import NO_ENERGY, OfferKey
from sampan.model.members.offer_reasons import OfferConditionType, OfferReason
from sampan.model.status.condition import Fact
from sampan.model.values.names import FINALIZER

HIDE_POOLS_FOR: Final = 600_000
"""Milliseconds for which pools are left out of a status after the API server refused it."""
_REFUSED: Final = "the hub's API server refuses the status with the pools, so they are not shown"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferUsage:
    """What jobs have of offers."""

    in_use: Callable[[OfferKey], bool]
    """Whether a job's copy may still be there because of this offer: then the offer cannot go."""
    waits_for: Callable[[OfferKey], str] = lambda _: ""
    """How many jobs still use an offer, and what stalls them, in words."""
    running: Callable[[str], Mapping[str, Running]] = lambda _: {}
    """What of ours holds the nodes of a cluster: it counts against the offers' caps."""
    in_flight: InFlightSource = lambda _: ()
    """Our assignments to a cluster whose pods may not all be seen yet."""
    reserved: Callable[[OfferKey], Mapping[str, int]] = lambda _: {}
    """Devices that reservations keep for waiting jobs, by pool of the offer."""


class OfferPatchPlanner:
    """Reads the registry and the pools; keeps only which statuses were refused."""

    def __init__(
        self,
        registry: OfferRegistry,
        pools: OfferPools,
        *,
        usage: OfferUsage,
        clock: Callable[[], int],
    ) -> None:
        """`clock` gives milliseconds since the epoch."""
        self._registry, self._pools, self._usage, self._clock = registry, pools, usage, clock
        self._pools_hidden_until: dict[str, int] = {}
        self._nothing_urgent: dict[str, tuple[object, ...]] = {}
        """What the conditions of an offer rested on when they were last as its status shows them."""

    def forget(self, uid: str) -> None:
        """The offer is gone."""
        self._pools_hidden_until.pop(uid, None)
        self._nothing_urgent.pop(uid, None)

    def on_refused(self, uid: str) -> None:
        """Hear that the API server will never take what `write` gave: for a while the status comes without pools, and says so."""
        self._pools_hidden_until[uid] = self._clock() + HIDE_POOLS_FOR

    def next_write(self, uid: str, counts: bool) -> Write | None:
        """Return the next patch of an offer, None where it is as it should be; without `counts`, where nothing differs but counts."""
        declared = self._registry.declared.get(uid)
        if declared is None or uid not in self._registry.assessed:
            return None
        held = FINALIZER in declared.finalizers
        if declared.deleting and held and not self._usage.in_use(declared.key):
            return _remove_finalizer(declared)
        if not declared.deleting and not held and (declared.accepting or self._usage.in_use(declared.key)):
            return _add_finalizer(declared)  # an offer that takes nothing and holds nothing may go as it likes: an uninstall lets it
        if self._is_joining(declared):
            return None
        if not counts and not self._has_urgent_news(declared):
            return None
        patch = self._status_patch(declared, counts=True)
        if not patch:
            return None
        return Write(key=declared.key, body={"metadata": {"uid": uid}, "status": patch}, subresource="status")

    def due(self) -> list[str]:
        """Return the UIDs of offers that time alone may have changed: those that drain, and those whose Schedulable is out of date."""
        now = self._clock()
        found = []
        for uid in sorted(self._registry.timed() & self._registry.assessed.keys()):
            declared = self._registry.declared[uid]
            conditions = self._registry.statuses[uid].get("conditions") or ()
            shown = next((c.get("status") for c in conditions if c.get("type") == OfferConditionType.SCHEDULABLE), None)
            if declared.deleting or shown != self._schedulable(declared, now=now).status:
                found.append(uid)
        return found

    def _is_joining(self, declared: DeclaredOffer) -> bool:
        """Tell whether the link is still on its first way in: after a restart, what the status says stays until more is known."""
        way_in = declared.secret is not None and self._registry.facts(declared).joining
        return way_in and bool(self._registry.statuses[declared.uid].get("conditions"))

    def _has_urgent_news(self, declared: DeclaredOffer) -> bool:
        """Tell whether the status lacks more than counts. Asked at each change of a job, so looked at once for what it rests on."""
        basis = self._basis_of_conditions(declared)
        if basis is not None and self._nothing_urgent.get(declared.uid) == basis:
            return False
        if is_urgent(self._status_patch(declared, counts=False)):
            return True
        if basis is not None:
            self._nothing_urgent[declared.uid] = basis
        return False

    def _basis_of_conditions(self, declared: DeclaredOffer) -> tuple[object, ...] | None:
        """Return all that an offer's conditions and identity rest on; None where time or what jobs use is part of it."""
        known, assessed = self._registry.statuses[declared.uid], self._registry.assessed[declared.uid]
        pools, cluster = self._pools.pools(declared.key), self._pools.nodes(assessed.offer.cluster_uid)
        timed = declared.valid_from is not None or declared.valid_until is not None or declared.energy != NO_ENERGY
        hidden = self._clock() < self._pools_hidden_until.get(declared.uid, 0)
        if declared.deleting or timed or hidden or _limited(pools):
            return None
        runtimes = self._pools.sees_runtime_classes(declared.key)
        queueing = cluster.queueing if cluster is not None else None
        return known, declared, assessed, self._registry.facts(declared), pools, runtimes, queueing

    def _status_patch(self, declared: DeclaredOffer, *, counts: bool) -> dict[str, Any]:
        """Return what differs from the status that is shown; without `counts` no pool is counted, and what is said of pools is void."""
        known, now = self._registry.statuses[declared.uid], self._clock()
        assessed, facts = self._registry.assessed[declared.uid], self._registry.facts(declared)
        pools, member = self._pools.pools(declared.key), assessed.offer.cluster_uid
        counted = counts or _limited(pools)
        cluster = self._pools.cluster(member, self._usage.in_flight) if counted else self._pools.nodes(member)
        used: Mapping[int, int] = {}
        if cluster is not None and counted:
            cluster = replace(cluster, running=self._usage.running(cluster.uid))
            used = own_use(declared.key, pools, cluster)
        hidden = now < self._pools_hidden_until.get(declared.uid, 0)
        summary = self._schedulable(declared, now=now)
        verdicts: list[Fact | None] = [*assessed.conditions, _with_hidden_pools(summary) if hidden else summary]
        if cluster is not None:
            verdicts.append(overcommitted(_over(pools, used)))
        verdicts.append(expiring(declared, facts))
        in_use = declared.deleting and self._usage.in_use(declared.key)
        verdicts.append(draining(declared, in_use=in_use, waits_for=self._usage.waits_for(declared.key) if in_use else ""))
        view = OfferView(
            generation=declared.generation,
            assessed=assessed,
            facts=facts,
            conditions=tuple(verdict for verdict in verdicts if verdict is not None),
            pools=self._summaries(declared.key, cluster, used) if counts and cluster is not None and not hidden else (),
            excluded_nodes=self._pools.excluded_nodes(declared.key) if counts and cluster is not None and not hidden else (),
            queueing=cluster.queueing if cluster is not None else (),
        )
        return difference(known, status_of(view, known, now=now))

    def _summaries(self, key: OfferKey, cluster: Cluster, used: Mapping[int, int]) -> tuple[PoolSummary, ...]:
        kept = self._usage.reserved(key)
        return tuple(
            summarise(pool, cluster, used=0 if pool.rule is None else used.get(pool.rule, 0), kept=kept.get(pool.name, 0))
            for pool in self._pools.pools(key)
        )

    def _schedulable(self, declared: DeclaredOffer, *, now: int) -> Fact:
        pools = self._pools.pools(declared.key)
        runtime = runtime_class_problem(pools, looked=self._pools.sees_runtime_classes(declared.key))
        return schedulable(declared, self._registry.assessed[declared.uid], has_pools=bool(pools), now=now, runtime=runtime)


def _with_hidden_pools(summary: Fact) -> Fact:
    """Return the summary with why no pools are shown."""
    reason = OfferReason.STATUS_REFUSED if summary.is_true else summary.reason
    return replace(summary, reason=reason, message="; ".join(part for part in (summary.message, _REFUSED) if part)[:MESSAGE_LIMIT])


def _limited(pools: tuple[Pool, ...]) -> bool:
    """Tell whether what jobs use of the pools is held against a limit, which a condition may say is exceeded."""
    return any(pool.max_devices is not None for pool in pools)


def _over(pools: tuple[Pool, ...], used: Mapping[int, int]) -> dict[int, tuple[int, int]]:
    """Return for each rule with a limit the devices that jobs of the offer use on its nodes, and the limit."""
    caps = {pool.rule: pool.max_devices for pool in pools if pool.rule is not None and pool.max_devices is not None}
    return {rule: (used.get(rule, 0), cap) for rule, cap in caps.items()}


def _add_finalizer(declared: DeclaredOffer) -> Write:
    """Put the finalizer on, where the admission policy did not."""
    body = {"metadata": {"resourceVersion": declared.resource_version, "finalizers": [*declared.finalizers, FINALIZER]}}
    return Write(key=declared.key, body=body)


def _remove_finalizer(declared: DeclaredOffer) -> Write:
    """Take the finalizer off the very object that was looked at."""
    body = [
        {"op": "test", "path": "/metadata/resourceVersion", "value": declared.resource_version},
        {"op": "replace", "path": "/metadata/finalizers", "value": [each for each in declared.finalizers if each != FINALIZER]},
    ]
    return Write(key=declared.key, body=body, content_type=PatchType.JSON)
