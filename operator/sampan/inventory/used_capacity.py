"""What is taken of a member's nodes, cards and rings: counted node by node where pods changed, and for what of ours is in flight."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from sampan.catalog import Catalog
from sampan.inventory.device_usage import card_uses, claims_taken, doubles_taken, rings_free, with_planned
from sampan.inventory.in_flight import InFlight, seen_of, unseen_replicas, unseen_use
from sampan.inventory.member import Inventory
from sampan.inventory.quotas import Device
from sampan.model.members.cluster import CardUse, Node
from sampan.model.members.device import DeviceGroup
from sampan.model.values.vector import Vector

_Value = TypeVar("_Value")


class UsedCapacity:
    """Counts of one member, by node."""

    def __init__(self, inventory: Inventory) -> None:
        """Start with nothing counted."""
        self._inventory = inventory
        self.rings: dict[str, tuple[int, ...]] = {}
        """Free devices of each interconnect ring, by node; another object once it changed."""
        self._card_uses: dict[str, dict[str, CardUse]] = {}
        self._claimed: Mapping[Device, int] = {}
        self._by_pods: dict[str, Vector] = {}
        self._on: dict[str, frozenset[str]] = {}
        """Per node, the jobs of ours whose pods were there at the last look."""
        self._moved: set[str] = set()
        """Jobs of ours whose pods changed since the last count."""
        self._counted: dict[str, tuple[InFlight, Mapping[str, Vector]]] = {}
        """Of each attempt that is in flight, what is planned for it and not seen yet, by node."""
        self._planned: dict[str, dict[str, Vector]] = {}
        """The same by node and job."""
        self._used: Mapping[str, Vector] = {}
        self._stale: set[str] = set()
        """Nodes of which `_used` may say something else by now."""

    def claims_changed(self) -> bool:
        """Take over which devices are had by claim; tell whether that changed."""
        before, self._claimed = self._claimed, self._inventory.quotas.claimed
        return self._claimed is not before

    def count(self, name: str, node: Node | None, *, groups: Sequence[DeviceGroup], catalog: Catalog) -> None:
        """Count anew what is taken on a node by what is seen there; None: it is gone, but pods may still name it."""
        pods = tuple(self._inventory.pods_on(name))
        ours = frozenset(use.job_uid for use in pods if use.job_uid is not None)
        self._moved |= ours | self._on.get(name, frozenset())
        self._on[name] = ours
        claims = claims_taken(node, groups, claimed=self._claimed, catalog=catalog) if node is not None else Vector()
        asked = Vector.total(use.request for use in pods)
        taken = Vector.total((asked, claims, doubles_taken(groups, asked, catalog=catalog)))
        _put(self._by_pods, name, taken if taken.amounts else None)
        self._stale.add(name)
        _put(self._card_uses, name, card_uses(pods) or None)
        free = next((rings_free(group, pods) for group in groups if group.rings is not None), None)
        self.rings = {each: rings for each, rings in self.rings.items() if each != name} | ({name: free} if free else {})

    def by_node(self, attempts: Iterable[InFlight]) -> Mapping[str, Vector]:
        """Return what is taken of each node: by pods that are seen, and by replicas that are planned or about to be seen.

        Summed anew only where something changed: the same attempt counts as it did unless its pods changed.
        """
        under_way = {attempt.job_uid: attempt for attempt in attempts}
        for uid in self._counted.keys() - under_way.keys():
            self._plan(uid, self._counted.pop(uid)[1], {})
        moved, self._moved = self._moved, set()
        for uid, attempt in under_way.items():
            last = self._counted.get(uid)
            if last is None or last[0] is not attempt or uid in moved:
                fresh = unseen_use(attempt, self._inventory.pods_of(uid))
                self._plan(uid, last[1] if last is not None else {}, fresh)
                self._counted[uid] = attempt, fresh
        if self._stale:
            used = dict(self._used)
            for name in self._stale:
                _put(used, name, self._taken_of(name))
            self._used, self._stale = used, set()
        return self._used

    def _plan(self, job_uid: str, before: Mapping[str, Vector], now: Mapping[str, Vector]) -> None:
        """Note what is planned for a job now, in place of what was before."""
        if before == now:
            return
        self._stale |= before.keys() | now.keys()
        for name in before.keys() - now.keys():
            del self._planned[name][job_uid]
            if not self._planned[name]:
                del self._planned[name]
        for name, vector in now.items():
            self._planned.setdefault(name, {})[job_uid] = vector

    def _taken_of(self, name: str) -> Vector | None:
        seen, planned = self._by_pods.get(name), self._planned.get(name)
        if not planned:
            return seen
        return Vector.total((*planned.values(), *(() if seen is None else (seen,))))

    def cards(self, attempts: Iterable[InFlight], devices: Mapping[str, Sequence[DeviceGroup]]) -> Mapping[tuple[str, str], CardUse]:
        """Return what is taken of every card: by pods that are seen, and by replicas that are planned."""
        uses = dict(self._card_uses)
        for attempt in attempts:
            if attempt.share is None:
                continue
            for name, replicas in unseen_replicas(attempt, seen_of(attempt, self._inventory.pods_of(attempt.job_uid))).items():
                cards = [card for group in devices.get(name, ()) for card in group.cards]
                uses[name] = with_planned(uses.get(name, {}), cards, share=attempt.share, replicas=replicas)
        return {(name, card): use for name, cards in uses.items() for card, use in cards.items()}


def _put(by_node: dict[str, _Value], name: str, value: _Value | None) -> None:
    if value is None:
        by_node.pop(name, None)
    else:
        by_node[name] = value
