"""What a tenant of a namespace may use, pool by pool, with why not. Pure: reads a frozen snapshot. Never here: who asks, HTTP.

Offers that are not for the namespace are not told of at all; members, their addresses and Secrets never.
"""

from collections.abc import Sequence
from typing import Any, Final

from sampan.controller.query.documents import API
from sampan.inventory.pools.summary import own_use, summarise
from sampan.model.job import Demand, Placement
from sampan.model.members.cluster import Cell, Pool
from sampan.model.members.offer import Offer, OfferKey
from sampan.model.snapshot import Snapshot
from sampan.model.values.quantity import format_micro
from sampan.model.values.vector import Vector
from sampan.scheduling.feasibility.constraints.context import FilterContext
from sampan.scheduling.feasibility.constraints.member import MEMBER_QUEUE
from sampan.scheduling.feasibility.constraints.offer import ACCEPTING, APPROVED, CONNECTED, PERMITTED, VALID

Labels = tuple[tuple[str, str], ...]
OF_ANY_JOB: Final = (APPROVED, ACCEPTING, VALID, CONNECTED, PERMITTED, MEMBER_QUEUE)
"""Constraints that read nothing of a job."""
_ANY: Final = Demand(alternative=None, requirement=None, per_replica=Vector(), replicas=1, least_replicas=1)


def pool_list(snapshot: Snapshot, namespace: str, tenant: Labels) -> dict[str, Any]:
    """Return a PoolAnswerList of what offers show to a namespace with these labels, by offer and pool."""
    labels = dict(tenant)
    whole = sorted((cell for cell in snapshot.cells if not cell.domain), key=lambda cell: cell.id)
    seen = [cell for cell in whole if (offer := snapshot.offers.get(cell.offer)) is not None and _shown(offer, labels, snapshot)]
    used = _used(seen, snapshot)
    items = [_item(snapshot, cell, namespace=namespace, tenant=tenant, used=used.get((cell.offer, cell.pool.rule), 0)) for cell in seen]
    return {"kind": "PoolAnswerList", "apiVersion": API, "metadata": {}, "items": items}


def _shown(offer: Offer, labels: dict[str, str], snapshot: Snapshot) -> bool:
    return offer.tenants.matches(labels) and offer.cluster_uid in snapshot.clusters


def _used(cells: Sequence[Cell], snapshot: Snapshot) -> dict[tuple[OfferKey, int | None], int]:
    """Return the devices that count against the cap of each rule of each offer."""
    pools: dict[OfferKey, list[Pool]] = {}
    for cell in cells:
        pools.setdefault(cell.offer, []).append(cell.pool)
    uses = ((key, own_use(key, known, snapshot.clusters[known[0].cluster_uid])) for key, known in pools.items())
    return {(key, rule): amount for key, use in uses for rule, amount in use.items()}


def _item(snapshot: Snapshot, cell: Cell, *, namespace: str, tenant: Labels, used: int) -> dict[str, Any]:
    offer = snapshot.offers[cell.offer]
    told = summarise(cell.pool, snapshot.clusters[offer.cluster_uid or ""], used=used)
    context = FilterContext(
        demand=_ANY,
        placement=Placement(),
        offer=offer,
        pool=cell.pool,
        now=snapshot.now,
        currency=snapshot.currency,
        tenant=tenant,
    )
    against = [(each.reason, *each.words(context)) for each in OF_ANY_JOB if each.violated(context)]
    return {
        "metadata": {"name": f"{cell.offer.namespace}.{cell.offer.name}.{told.name}", "namespace": namespace},
        "offer": _offer(offer),
        "pool": told.name,
        "acceleratorClass": told.accelerator_class,
        "vendor": told.vendor,
        "architecture": told.architecture,
        "nodes": told.nodes,
        "devices": told.devices,
        "free": told.free,
        "pricePerDeviceHour": None if context.price is None else format_micro(context.price),
        "currency": snapshot.currency,
        "usable": not against,
        "objections": [{"reason": str(reason), "needed": needed, "present": present} for reason, needed, present in against],
    }


def _offer(offer: Offer) -> dict[str, str]:
    return {
        "namespace": offer.key.namespace,
        "name": offer.key.name,
        "provider": offer.provider,
        "region": offer.region,
        "jurisdiction": offer.jurisdiction,
        "terms": str(offer.terms),
    }
