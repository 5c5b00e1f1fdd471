"""What tells that a node changed."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from builders import H100, cluster, node, nodes, vector
from sampan.model.members.cluster import CardUse, Cluster
from sampan.scheduling.capacity.node_versions import changed_nodes, version_of

MEMBER = cluster(*nodes("h", 3, H100), used={"h-0": vector(gpu=2)})


def test_of_an_unknown_cluster_all_nodes_are_new() -> None:
    assert list(changed_nodes(None, MEMBER)) == ["h-0", "h-1", "h-2"]


@pytest.mark.parametrize(
    ("change", "want"),
    [
        pytest.param(replace, [], id="nothing"),
        pytest.param(lambda m: replace(m, used={**m.used, "h-1": vector(gpu=1)}), ["h-1"], id="more is used"),
        pytest.param(lambda m: replace(m, used={}), ["h-0"], id="nothing is used any more"),
        pytest.param(lambda m: replace(m, nodes={**m.nodes, "h-2": node("h-2", H100, 4)}), ["h-2"], id="another node of the name"),
        pytest.param(lambda m: replace(m, nodes={n: m.nodes[n] for n in ("h-0", "h-1")}), ["h-2"], id="a node is gone"),
        pytest.param(lambda m: replace(m, rings={"h-1": (4, 4)}), ["h-1"], id="rings"),
        pytest.param(lambda m: replace(m, devices={**m.devices, "h-1": ()}), ["h-1"], id="devices"),
        pytest.param(lambda m: replace(m, cards={("h-0", "a"): CardUse(slots=1)}), ["h-0"], id="cards"),
    ],
)
def test_only_nodes_that_differ_are_named(change: Callable[[Cluster], Cluster], want: list[str]) -> None:
    assert list(changed_nodes(MEMBER, change(MEMBER))) == want


def test_a_sign_differs_where_the_node_does_and_nowhere_else() -> None:
    fuller = replace(MEMBER, used={**MEMBER.used, "h-1": vector(gpu=1)})
    differ = [name for name in MEMBER.nodes if version_of({"c1": MEMBER}, ("c1", name)) != version_of({"c1": fuller}, ("c1", name))]
    assert differ == ["h-1"]
    assert version_of({}, ("c1", "h-1")) == ()
