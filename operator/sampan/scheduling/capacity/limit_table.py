"""All limits of a picture, by number, kept up from cycle to cycle: whose columns draw on which, and what of each is left.

A limit keeps its number while it is there, so that what follows from its amounts is worked out anew only where they changed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from sampan.model.job import Demand
from sampan.model.members.cluster import Cluster
from sampan.model.members.offer import Offer, OfferKey
from sampan.model.reason import REASONS, Reason
from sampan.model.snapshot import Snapshot
from sampan.scheduling.capacity.cells import CellIndex
from sampan.scheduling.capacity.limit_matrix import NOT_SHORT, LimitMatrix
from sampan.scheduling.capacity.limits import Limit, LimitKey, devices_of
from sampan.scheduling.capacity.quota_usage import NOTHING, UNLIMITED, QuotaUse, use_of

OfferFacts = dict[OfferKey, tuple[str, Mapping[str, str] | None, int | None]]
"""Job namespace of an offer, those of its tenants, and the most devices that it gives to one job."""


class LimitTable:
    """Owned by one cache; changed in place."""

    def __init__(self) -> None:
        """Nothing is limited yet."""
        self.matrix = LimitMatrix()
        self._cells: CellIndex | None = None
        self._offers: tuple[Mapping[OfferKey, Offer], OfferFacts] = ({}, {})
        self._clusters: dict[str, Cluster] = {}
        self._of_cluster: dict[str, list[Limit]] = {}
        self._of_column: dict[int, list[Limit]] = {}
        self._free: list[int] = []
        """Numbers that no limit has any more."""
        self._taken: set[str] = set()
        """Clusters of which a cycle took something: their limits say something else than the picture."""
        self._uses: dict[tuple[int, int], tuple[Demand, QuotaUse]] = {}

    def sync(self, snapshot: Snapshot, cells: CellIndex) -> bool:
        """Take over a picture at the cost of the clusters that are other values than before; of all where columns or offers are.

        Tells whether limits came or went, or columns draw on others.
        """
        same = self._same_offers(snapshot.offers) and self._cells is cells
        before, self._clusters = self._clusters, dict(snapshot.clusters)
        uids = [uid for uid in cells.by_cluster if not same or before.get(uid) is not snapshot.clusters[uid] or uid in self._taken]
        self._uses.clear()
        self._taken.clear()
        moved = not same
        for uid in uids:
            moved |= self._replace(uid, _limits_of(uid, snapshot, cells))
        if not same:
            for uid in self._of_cluster.keys() - cells.by_cluster.keys():
                self._replace(uid, [])
            self._cells = cells
        if moved:
            self._of_column = {}
            for uid in cells.by_cluster:
                for limit in self._of_cluster.get(uid, ()):
                    for column in limit.columns.tolist():
                        self._of_column.setdefault(column, []).append(limit)
            self.matrix.connect(cells.columns, self._of_column)
        return moved

    def keys(self) -> set[LimitKey]:
        """Return what names the limits that there are."""
        return {limit.key for limits in self._of_cluster.values() for limit in limits}

    def _same_offers(self, offers: Mapping[OfferKey, Offer]) -> bool:
        """Take over the offers; tells whether they say of limits what they said before."""
        if self._offers[0] is offers:
            return True
        facts = {key: (offer.namespace, offer.tenant_namespaces, offer.max_devices_per_job) for key, offer in offers.items()}
        same = facts == self._offers[1]
        self._offers = offers, facts
        return same

    def of(self, column: int) -> Sequence[Limit]:
        """Return what limits a column beyond its nodes."""
        return self._of_column.get(column, ())

    def use(self, column: int, demand: Demand) -> QuotaUse:
        """Return what a demand takes of the limits of a column; nothing where it has none."""
        if column not in self._of_column:
            return NOTHING
        known = self._uses.get((id(demand), column))
        if known is None:
            assert self._cells is not None
            known = self._uses[id(demand), column] = demand, use_of(demand, self._cells.columns[column].cell.pool)
        return known[1]

    def room(self, column: int, demand: Demand) -> int:
        """Return how many replicas of any demand the limits of a column allow."""
        use = self.use(column, demand)
        return min((limit.fits(use) for limit in self.of(column)), default=UNLIMITED)

    def why(self, column: int, demand: Demand) -> Reason | None:
        """Return the reason of a limit that allows fewer than the least replicas, None where none does."""
        if column not in self._of_column:
            return None
        assert self._cells is not None
        severity = self.matrix.amounts.why(demand, self._cells.columns[column].cell.pool, self._of_column[column])
        return None if severity == NOT_SHORT else REASONS[severity]

    def take(self, column: int, demand: Demand, replicas: int) -> None:
        """Subtract an assignment from every limit of its column."""
        use = self.use(column, demand)
        for limit in self.of(column):
            limit.take(use, replicas)
            self._taken.add(limit.cluster_uid)
            self.matrix.write(limit, only_left=True)

    def _replace(self, uid: str, fresh: Iterable[Limit]) -> bool:
        """Have these limits, which have no number yet, in a cluster; tells whether columns draw on others than before."""
        known = {limit.key: limit for limit in self._of_cluster.pop(uid, ())}
        limits, moved = list[Limit](), False
        for limit in fresh:
            old = known.pop(limit.key, None)
            if old is not None and np.array_equal(old.columns, limit.columns):
                if old.amounts() != limit.amounts():
                    only_left = old.amounts()[1:] == limit.amounts()[1:]
                    old.left, old.total, old.largest, old.quota = limit.left, limit.total, limit.largest, limit.quota
                    self.matrix.write(old, only_left=only_left)
                old.quota = limit.quota
                limits.append(old)
                continue
            moved = True
            limit.number = old.number if old is not None else self._free.pop() if self._free else self.matrix.new_limit()
            self.matrix.write(limit)
            limits.append(limit)
        self._free += [gone.number for gone in known.values()]
        if limits:
            self._of_cluster[uid] = limits
        return moved or bool(known)


def _limits_of(uid: str, snapshot: Snapshot, cells: CellIndex) -> Iterator[Limit]:
    """Yield the limits of a cluster: the caps of offers on devices, quotas of job namespaces, the member's own queues."""
    cluster = snapshot.clusters[uid]
    yield from _caps(uid, cluster, cells)
    yield from _per_job(uid, snapshot, cells)
    if cluster.quotas:
        within: dict[tuple[str, str], list[int]] = {}
        for column in cells.by_cluster[uid]:
            for place in _places(snapshot.offers[cells.columns[column].cell.offer]):
                if place[0] in cluster.quotas:
                    within.setdefault(place, []).append(column)
        for (namespace, tenant), columns in within.items():
            for number, quota in enumerate(cluster.quotas[namespace]):
                key, drawing, left = (uid, "quota", namespace, f"{tenant} {number} {quota.name}"), np.array(columns), dict(quota.left)
                yield Limit(key=key, reason=Reason.QUOTA_EXHAUSTED, columns=drawing, left=left, quota=quota, tenant=tenant)
    yield from _queues(uid, cluster, cells)


def _places(offer: Offer) -> Iterable[tuple[str, str]]:
    """Return the namespaces where jobs of an offer run, each with the one tenant whose it is; empty: it is everybody's."""
    tenants = offer.tenant_namespaces
    return [(offer.namespace, "")] if tenants is None else sorted((namespace, tenant) for tenant, namespace in tenants.items())


def _caps(uid: str, cluster: Cluster, cells: CellIndex) -> Iterator[Limit]:
    for columns in cells.capped.get(uid, ()):
        pools = {cells.columns[at].cell.pool.name: cells.columns[at].cell.pool for at in columns}
        cell = cells.columns[columns[0]].cell
        cap = cell.pool.max_devices or 0
        mine = (run for run in cluster.running.values() if run.offer == cell.offer and run.pool in pools)
        used = sum(devices_of(run, pools[run.pool]) for run in mine)
        key = (uid, "cap", str(cell.offer), str(cell.pool.rule))
        yield Limit(key=key, reason=Reason.INSUFFICIENT_CAPACITY, columns=np.array(columns), left={"": cap - used}, total={"": cap})


def _per_job(uid: str, snapshot: Snapshot, cells: CellIndex) -> Iterator[Limit]:
    """Of nothing in common: the most devices that an offer gives to one job."""
    of_offer: dict[OfferKey, list[int]] = {}
    for column in cells.by_cluster[uid]:
        of_offer.setdefault(cells.columns[column].cell.offer, []).append(column)
    for offer, columns in of_offer.items():
        most = snapshot.offers[offer].max_devices_per_job
        if most is not None:
            key = (uid, "job", str(offer), "")
            yield Limit(key=key, reason=Reason.DEVICES_PER_JOB_EXCEEDED, columns=np.array(columns), left={}, largest={"": most})


def _queues(uid: str, cluster: Cluster, cells: CellIndex) -> Iterable[Limit]:
    """Every queue of one ClusterQueue draws on the same amount, and all of a cohort on what it has together."""
    drawn: dict[LimitKey, tuple[list[int], Mapping[str, int], Mapping[str, int]]] = {}
    for name, queued in cells.queued.get(uid, {}).items():
        queue = cluster.queues.get(name)
        if queue is None:
            continue
        drawn.setdefault((uid, "queue", "", queue.source or name), ([], queue.free, queue.largest))[0].extend(queued)
        if queue.cohort:
            drawn.setdefault((uid, "cohort", "", queue.cohort), ([], queue.cohort_free, {}))[0].extend(queued)
    for key, (columns, free, largest) in drawn.items():
        yield Limit(key=key, reason=Reason.MEMBER_QUEUE_FULL, columns=np.array(sorted(columns)), left=dict(free), largest=largest)
