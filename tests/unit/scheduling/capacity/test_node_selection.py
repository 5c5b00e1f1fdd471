"""Which nodes are chosen: whole gangs or none, small holes first, untouched nodes last."""

import numpy as np
import pytest

from sampan.scheduling.capacity.node_selection import NodeFit, NodeRoom, select_nodes


def room(*nodes: tuple[int, int, bool], waste: tuple[int, ...] | None = None) -> NodeRoom:
    """Nodes as (fits, free, whole)."""
    fits, free, whole = (np.array(each) for each in zip(*nodes, strict=True)) if nodes else (np.zeros(0, dtype=np.int64),) * 3
    wasted = None if waste is None else np.array(waste)
    return NodeRoom(fits=fits, free=free, untouched=whole.astype(bool), fragmentation=wasted)


def chosen(fit: NodeFit | None) -> dict[int, int]:
    assert fit is not None
    return dict(fit.nodes)


@pytest.mark.parametrize(
    ("nodes", "wanted", "least", "want"),
    [
        pytest.param([(1, 8, True), (1, 3, False)], 1, 1, {1: 1}, id="the smallest hole that suffices"),
        pytest.param([(4, 8, True), (2, 8, False)], 2, 2, {1: 2}, id="an untouched node last"),
        pytest.param([(1, 4, False), (1, 4, False)], 1, 1, {0: 1}, id="the first by name where equal"),
        pytest.param([(2, 4, False), (4, 8, True)], 5, 5, {0: 2, 1: 3}, id="as many as fit on each"),
        pytest.param([(0, 0, False), (1, 8, True)], 3, 1, {1: 1}, id="a sweep takes what there is"),
    ],
)
def test_nodes_are_chosen(nodes: list[tuple[int, int, bool]], wanted: int, least: int, want: dict[int, int]) -> None:
    assert chosen(select_nodes(room(*nodes), wanted=wanted, least=least, per_replica=2)) == want


@pytest.mark.parametrize(("nodes", "least"), [([(1, 8, True)], 2), ([], 1), ([(0, 0, True)], 1), ([(0, 0, True)], 0)])
def test_what_does_not_fit_is_not_chosen(nodes: list[tuple[int, int, bool]], least: int) -> None:
    assert select_nodes(room(*nodes), wanted=2, least=least, per_replica=8) is None


def test_least_waste_comes_before_the_smallest_hole() -> None:
    fit = select_nodes(room((1, 2, False), (1, 6, False), waste=(5, 1)), wanted=1, least=1, per_replica=2)
    assert chosen(fit) == {1: 1}


def test_packing_is_the_share_that_is_used_times_the_share_that_runs() -> None:
    full = select_nodes(room((1, 8, True)), wanted=1, least=1, per_replica=8)
    half = select_nodes(room((1, 8, True)), wanted=1, least=1, per_replica=4)
    part = select_nodes(room((1, 8, True)), wanted=2, least=1, per_replica=8)
    assert [(fit.packing, fit.leftover) for fit in (full, half, part) if fit] == [(100, 0), (50, 4), (50, 0)]
