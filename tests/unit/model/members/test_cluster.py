"""Clusters and cells: what is free, and what names a cell."""

from builders import cluster, node, pool, vector
from sampan.model.members.cluster import Cell
from sampan.model.members.offer import OfferKey
from sampan.model.values.vector import CPU


def test_free_is_allocatable_minus_used() -> None:
    member = cluster(node("a", cpu=8), node("b", cpu=8), used={"a": vector(cpu=3)})
    assert member.free("a")[CPU] == 5000
    assert member.free("b")[CPU] == 8000


def test_an_overcommitted_node_shows_it() -> None:
    assert cluster(node("a", cpu=2), used={"a": vector(cpu=3)}).free("a")[CPU] == -1000


def test_a_cell_is_named_by_offer_and_pool() -> None:
    key = OfferKey("prov", "o1")
    assert Cell(offer=key, pool=pool("gpus")).id == (key, "gpus")
