"""The same question asked of another world: with more nodes in a pool, or without an offer. The picture itself is never changed."""

from dataclasses import dataclass, replace
from typing import Final

from sampan.model.job import Job
from sampan.model.members.cluster import Cell, Cluster, Pool
from sampan.model.members.offer import OfferKey
from sampan.model.snapshot import Snapshot
from sampan.scheduling.answers.forecast import HORIZON
from sampan.scheduling.answers.quote import quote
from sampan.scheduling.answers.values import WhatIf
from sampan.scheduling.cache import Memo

MOST_ADDED: Final = 4096
"""Nodes that one question may add."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddNodes:
    """So many empty nodes like the first one of a pool."""

    offer: OfferKey
    pool: str
    nodes: int


@dataclass(frozen=True, slots=True)
class WithoutOffer:
    """The offer is gone; what runs there is left out of the question."""

    offer: OfferKey


class NoSuchPlaceError(LookupError):
    """The change names an offer or a pool that is not there; the message says which."""


def what_if(snapshot: Snapshot, memo: Memo, job: Job, *, change: AddNodes | WithoutOffer, horizon: int = HORIZON) -> tuple[WhatIf, Memo]:
    """Return the quote before and after a change, and the memo for the next question: this one is used up.

    Raises `NoSuchPlaceError` where the change names what is not there, ValueError for a number of nodes that makes no sense.
    """
    changed = _added(snapshot, change) if isinstance(change, AddNodes) else _without(snapshot, change.offer)
    before, left = quote(snapshot, memo, job, horizon=horizon)
    after, left = quote(changed, left, job, horizon=horizon)
    return WhatIf(before=before, after=after), left


def _without(snapshot: Snapshot, offer: OfferKey) -> Snapshot:
    if offer not in snapshot.offers:
        raise NoSuchPlaceError(f"there is no ClusterOffer {offer}: name one that `sampan pools --why -f FILE` lists")
    offers = {key: each for key, each in snapshot.offers.items() if key != offer}
    kept = tuple(each for each in snapshot.reservations if each.cell[0] != offer)
    return replace(snapshot, offers=offers, cells=tuple(cell for cell in snapshot.cells if cell.offer != offer), reservations=kept)


def _added(snapshot: Snapshot, change: AddNodes) -> Snapshot:
    """Return the picture with nodes added to one pool and its cell, not to its fabric domains: which they would join is not known."""
    if not 1 <= change.nodes <= MOST_ADDED:
        raise ValueError(f"{change.nodes} nodes cannot be added: want 1 to {MOST_ADDED}")
    found = next((c.pool for c in snapshot.cells if c.offer == change.offer and c.pool.name == change.pool), None)
    if found is None or found.cluster_uid not in snapshot.clusters:
        raise NoSuchPlaceError(
            f"there is no pool {change.pool} of ClusterOffer {change.offer}: name one that `sampan pools --why -f FILE` lists"
        )
    names = tuple(f"{found.nodes[0]}-what-if-{number}" for number in range(change.nodes))
    cluster = _grown(snapshot.clusters[found.cluster_uid], found, names)
    wider = replace(found, nodes=tuple(sorted((*found.nodes, *names))))

    def cell(each: Cell) -> Cell:
        mine = each.offer == change.offer and each.pool.name == found.name
        return replace(each, pool=wider) if mine else each

    clusters = {**snapshot.clusters, cluster.uid: cluster}
    return replace(snapshot, cells=tuple(cell(each) for each in snapshot.cells), clusters=clusters)


def _grown(cluster: Cluster, pool: Pool, names: tuple[str, ...]) -> Cluster:
    """Return the cluster with empty copies of the pool's first node."""
    like = cluster.nodes[pool.nodes[0]]
    devices = cluster.devices.get(like.name)
    nodes = {**cluster.nodes, **{name: replace(like, name=name) for name in names}}
    told = {**cluster.devices, **(dict.fromkeys(names, devices) if devices is not None else {})}
    return replace(cluster, nodes=nodes, devices=told)
