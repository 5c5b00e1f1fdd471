"""The free amounts of one cycle: nodes own them, cells only look. What one job takes is gone for the next, whatever offer it came by.

Fits per (cell, need) are kept from cycle to cycle and computed anew only for nodes that changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sampan.model.cluster import Cell, Cluster, Node
from sampan.model.job import Demand
from sampan.model.offer import OfferKey
from sampan.model.reason import Reason
from sampan.model.snapshot import Snapshot
from sampan.model.vector import CPU, Vector
from sampan.scheduling.assign import Fit, Room, pick

CellId = tuple[OfferKey, str]
RowKey = tuple[CellId, Vector]


@dataclass(frozen=True, slots=True)
class BaseRow:
    """Replicas that fit per node of a cell before the cycle takes anything, and the picture they were computed from."""

    cluster: Cluster
    nodes: tuple[str, ...]
    fits: tuple[int, ...]


@dataclass(slots=True)
class Row:
    """A BaseRow inside one cycle."""

    fits: list[int]
    seen: int
    """How many takings of the cluster are already counted."""
    picks: dict[tuple[int, int], Fit | None]


def need_of(demand: Demand, cell: Cell) -> Vector:
    """Return what one replica takes on a node of the cell, device units included."""
    if demand.requirement is None:
        return demand.per_replica
    units = cell.pool.accelerator.units_per_device if cell.pool.accelerator else 1
    return demand.per_replica + Vector.of({cell.pool.resource: demand.requirement.count * units})


class Work:
    """What is free while one cycle runs. Grows only tighter."""

    def __init__(self, snapshot: Snapshot, fits: Mapping[RowKey, BaseRow]) -> None:
        self._cells = snapshot.cells  # only these very values may be asked about
        self._clusters = snapshot.clusters
        self._old = fits
        self.base: dict[RowKey, BaseRow] = {}
        """Rows of this cycle, for the next one."""
        self._needs: dict[tuple[int, str, int], tuple[Demand, Vector]] = {}  # holds the demand, so that its id stays its own
        self._same_need: dict[Vector, Vector] = {}
        self._rows: dict[tuple[int, int], Row] = {}  # by identity of cell and need, which live as long as the cycle
        self._full: dict[tuple[int, int, int], Reason] = {}
        self._free: dict[tuple[str, str], dict[str, int]] = {}
        self._taken: dict[str, list[str]] = {}
        self._capped = _by_rule(self._cells)

    def fit(self, cell: Cell, demand: Demand) -> Fit | None:
        """Return the nodes that the demand would take in the cell now, None if there is no room."""
        row = self._row(cell, self._need(cell, demand))
        wanted, least = min(demand.replicas, self._allowance(cell, demand)), demand.least_replicas
        if sum(row.fits) < least or wanted < least:
            return None
        key = (wanted, least)
        if key not in row.picks:
            row.picks[key] = self._pick(cell, demand, row, key=key)
        return row.picks[key]

    def take(self, cell: Cell, demand: Demand, fit: Fit) -> None:
        """Take what the demand needs on the nodes of the fit."""
        need, uid = self._need(cell, demand), cell.pool.cluster_uid
        for node, replicas in fit.nodes:
            free = self._free_on(uid, node)
            for name, amount in need:
                free[name] = free.get(name, 0) - amount * replicas
            self._taken.setdefault(uid, []).append(node)

    def room(self, cell: Cell, demand: Demand) -> int:
        """Return how many replicas fit into the cell now."""
        return min(sum(self._row(cell, self._need(cell, demand)).fits), self._allowance(cell, demand))

    def why_full(self, cell: Cell, demand: Demand) -> Reason:
        """Return whether the demand would fit if nothing ran there (`INSUFFICIENT_CAPACITY`) or never (`TOO_LARGE`)."""
        need = self._need(cell, demand)
        key = (id(cell), id(need), demand.least_replicas)
        if key not in self._full:
            self._full[key] = self._why_full(cell, demand, need)
        return self._full[key]

    def _why_full(self, cell: Cell, demand: Demand, need: Vector) -> Reason:
        cap, devices, left = cell.pool.max_devices, demand.requirement.count if demand.requirement else 0, demand.least_replicas
        if cap is not None and devices * left > cap:
            return Reason.TOO_LARGE
        cluster = self._clusters[cell.pool.cluster_uid]
        for name in cell.pool.nodes:
            if name in cluster.nodes:
                left -= _fits(dict(cluster.nodes[name].allocatable), need)
            if left <= 0:
                return Reason.INSUFFICIENT_CAPACITY
        return Reason.TOO_LARGE

    def _need(self, cell: Cell, demand: Demand) -> Vector:
        """Return the very same value for equal demands on like pools, so that rows are found by identity."""
        units = cell.pool.accelerator.units_per_device if cell.pool.accelerator else 1
        key = (id(demand), cell.pool.resource, units)
        if key not in self._needs:
            need = need_of(demand, cell)
            self._needs[key] = demand, self._same_need.setdefault(need, need)
        return self._needs[key][1]

    def _pick(self, cell: Cell, demand: Demand, row: Row, *, key: tuple[int, int]) -> Fit | None:
        measure = cell.pool.resource if demand.requirement else CPU
        cluster, rooms = self._clusters[cell.pool.cluster_uid], []
        for name, fits in zip(cell.pool.nodes, row.fits, strict=True):
            if fits:
                free = self._free_on(cluster.uid, name).get(measure, 0)
                rooms.append(Room(node=name, fits=fits, free=free, whole=free == cluster.nodes[name].allocatable[measure]))
        return pick(rooms, wanted=key[0], least=key[1], per_replica=self._need(cell, demand)[measure])

    def _row(self, cell: Cell, need: Vector) -> Row:
        """Return the row of a cell, with everything counted that was taken since it was last asked for."""
        key, taken = (id(cell), id(need)), self._taken.get(cell.pool.cluster_uid, ())
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = Row(list(self._base((cell.id, need), cell, need).fits), 0, {})
        if row.seen < len(taken):
            changed = set(taken[row.seen :])
            row.seen = len(taken)
            for index, name in enumerate(cell.pool.nodes):
                if name in changed:
                    row.fits[index] = _fits(self._free_on(cell.pool.cluster_uid, name), need)
                    row.picks.clear()
        if cell.pool.max_devices is not None:
            row.picks.clear()
        return row

    def _base(self, key: RowKey, cell: Cell, need: Vector) -> BaseRow:
        """Return what fits before this cycle: from the cycle before wherever a node is the very same value."""
        cluster, old = self._clusters[cell.pool.cluster_uid], self._old.get(key)
        if old is not None and old.cluster is cluster and old.nodes == cell.pool.nodes:
            base = old
        else:
            known = dict(zip(old.nodes, old.fits, strict=True)) if old else {}
            fits = []
            for name in cell.pool.nodes:
                same = old is not None and name in known and _same(old.cluster, cluster, name)
                fits.append(known[name] if same else _fits(_free(cluster, name), need))
            base = BaseRow(cluster, cell.pool.nodes, tuple(fits))
        self.base[key] = base
        return base

    def _free_on(self, uid: str, node: str) -> dict[str, int]:
        key = (uid, node)
        if key not in self._free:
            self._free[key] = _free(self._clusters[uid], node)
        return self._free[key]

    def _allowance(self, cell: Cell, demand: Demand) -> int:
        """Return how many replicas the offer's device cap still allows."""
        cap = cell.pool.max_devices
        if cap is None or demand.requirement is None:
            return demand.replicas
        used = sum(self._devices_used(other) for other in self._capped[cell.offer, cell.pool.rule])
        return min(demand.replicas, max(cap - used, 0) // demand.requirement.count)

    def _devices_used(self, cell: Cell) -> int:
        cluster, resource = self._clusters[cell.pool.cluster_uid], cell.pool.resource
        units = cell.pool.accelerator.units_per_device if cell.pool.accelerator else 1
        present = [name for name in cell.pool.nodes if name in cluster.nodes]
        used = sum(cluster.nodes[name].allocatable[resource] - self._free_on(cluster.uid, name).get(resource, 0) for name in present)
        return -(-used // units)


def _by_rule(cells: tuple[Cell, ...]) -> dict[tuple[OfferKey, int | None], list[Cell]]:
    grouped: dict[tuple[OfferKey, int | None], list[Cell]] = {}
    for cell in cells:
        if cell.pool.max_devices is not None:
            grouped.setdefault((cell.offer, cell.pool.rule), []).append(cell)
    return grouped


def _same(old: Cluster, new: Cluster, name: str) -> bool:
    """Tell, without comparing contents, whether nothing about a node has changed."""
    before: Node | None = old.nodes.get(name)
    return before is not None and before is new.nodes.get(name) and old.used.get(name) is new.used.get(name)


def _free(cluster: Cluster, name: str) -> dict[str, int]:
    """Return what is free on a node; nothing on a node that is gone."""
    node = cluster.nodes.get(name)
    if node is None:
        return {}
    free = dict(node.allocatable)
    for resource, amount in cluster.used.get(name, ()):
        free[resource] = free.get(resource, 0) - amount
    return free


def _fits(free: Mapping[str, int], need: Vector) -> int:
    """Return how often the need fits; a need of nothing fits nowhere, for it would fit without end."""
    counts = [max(free.get(name, 0), 0) // amount for name, amount in need if amount > 0]
    return min(counts, default=0)
