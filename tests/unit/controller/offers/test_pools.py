"""Pools are recomputed where their nodes changed, and equal pools stay the same values."""

from dataclasses import replace

import pytest

from member_objects import HUB, MEMBER, as_node, as_pod, node_body, pod_body
from sampan.catalog import load
from sampan.controller.offers.pools import OfferPools
from sampan.inventory.cluster import ClusterView
from sampan.inventory.member import Inventory
from sampan.model.members.cluster import Cluster
from sampan.model.members.offer import Offer, OfferKey, PoolRule, Terms
from sampan.model.values.selector import Expression, Operator, Selector

KEY = OfferKey("prov-a", "one")
OFFER = Offer(key=KEY, uid="u", provider="alpha", region="r", jurisdiction="CN", terms=Terms.ON_DEMAND, cluster_uid=MEMBER)


@pytest.fixture
def inventory() -> Inventory:
    made = Inventory(HUB, lambda nodes: None)
    made.put_node(as_node(node_body()))
    return made


@pytest.fixture
def pools(inventory: Inventory) -> OfferPools:
    made = OfferPools(load(), frozenset({"CN"}))
    made.set_offer(OFFER, trust_overrides=False)
    made.attach_member(MEMBER, inventory)
    return made


def test_cells_are_the_same_value_while_only_pods_change(pools: OfferPools, inventory: Inventory) -> None:
    cells = pools.cells()
    assert [cell.pool.devices_per_node for cell in cells] == [8]
    inventory.put_pod(as_pod(pod_body()))
    assert pools.mark_changed(MEMBER, inventory, {"n1"})
    assert pools.cells() is cells
    assert pools.clusters(lambda _: ())[MEMBER].free("n1")["nvidia.com/gpu"] == 7
    pools.set_offer(replace(OFFER, accepting=False), trust_overrides=False)
    assert pools.cells() is cells


def test_nodes_that_come_and_rules_that_change_are_taken_up(pools: OfferPools, inventory: Inventory) -> None:
    pools.cells()
    inventory.put_node(as_node(node_body("n2")))
    pools.mark_changed(MEMBER, inventory, {"n2"})
    assert pools.pools(KEY)[0].nodes == ("n1", "n2")
    rule = PoolRule(selector=Selector((Expression("kubernetes.io/hostname", Operator.IN, ("n2",)),)))
    pools.set_offer(replace(OFFER, rules=(rule,)), trust_overrides=False)
    assert pools.pools(KEY)[0].nodes == ("n2",)


def test_an_offer_without_a_member_has_no_pools(pools: OfferPools) -> None:
    pools.set_offer(replace(OFFER, cluster_uid=None), trust_overrides=False)
    assert pools.cells() == ()
    pools.set_offer(OFFER, trust_overrides=False)
    pools.attach_member(MEMBER, None)
    assert pools.cells() == ()
    assert pools.clusters(lambda _: ()) == {}
    assert pools.cluster(MEMBER, lambda _: ()) is None


def test_another_link_of_the_same_cluster_does_not_count_twice(pools: OfferPools, inventory: Inventory) -> None:
    other = Inventory(HUB, lambda nodes: None)
    assert not pools.mark_changed(MEMBER, other, {"n1"})
    pools.attach_member(MEMBER, other)
    assert pools.cells() == ()
    assert pools.mark_changed(MEMBER, other, {"n1"})
    assert not pools.mark_changed(MEMBER, inventory, {"n1"})


def test_a_forgotten_offer_has_no_cells(pools: OfferPools) -> None:
    pools.remove_offer(KEY)
    assert pools.cells() == ()
    assert pools.pools(KEY) == ()


def test_cells_are_looked_for_only_on_members_that_were_heard_of(
    pools: OfferPools, inventory: Inventory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(100):
        pools.attach_member(f"member-{number}", Inventory(HUB, lambda nodes: None))
    cells, looked = pools.cells(), list[str]()
    usual = ClusterView.nodes

    def nodes(view: ClusterView) -> Cluster:
        looked.append(view.uid)
        return usual(view)

    monkeypatch.setattr(ClusterView, "nodes", nodes)
    for _ in range(5):
        assert pools.cells() is cells
    assert looked == []
    inventory.put_pod(as_pod(pod_body()))
    pools.mark_changed(MEMBER, inventory, {"n1"})
    assert pools.cells() is cells
    assert looked == [MEMBER]


def test_only_the_cells_of_offers_that_changed_are_made_anew_and_all_keep_their_order(pools: OfferPools, inventory: Inventory) -> None:
    keys = [OfferKey("prov-a", name) for name in ("two", "both", "three")]
    for key in keys:
        pools.set_offer(replace(OFFER, key=key), trust_overrides=False)
    before = {cell.offer: cell for cell in pools.cells()}
    assert list(before) == sorted([KEY, *keys])
    rule = PoolRule(selector=Selector((Expression("kubernetes.io/hostname", Operator.IN, ("n1",)),)))
    pools.set_offer(replace(OFFER, key=keys[0], rules=(rule,)), trust_overrides=False)
    pools.remove_offer(keys[2])
    after = {cell.offer: cell for cell in pools.cells()}
    assert list(after) == sorted([KEY, *keys[:2]])
    assert [key for key in after if after[key] is not before[key]] == [keys[0]]
    inventory.put_node(as_node(node_body("n2")))
    pools.mark_changed(MEMBER, inventory, {"n2"})
    assert [key for key, cell in after.items() if cell not in pools.cells()] == [keys[1], KEY], "the rule picks n1 alone"
