"""Another world gives another answer, and what is not there is named."""

import pytest

from builders import H100, cluster, demand, job, node, nodes, offer, requirement, shape, snapshot, vector
from sampan.model.members.offer import OfferKey
from sampan.scheduling.answers.what_if import AddNodes, NoSuchPlaceError, WithoutOffer, what_if
from sampan.scheduling.cache import Memo

KEY = OfferKey("prov", "o1")
POOL = "h100-sxm-80gb-x8"
GANG = job(wanted=shape(demand(requirement(), replicas=3)))
WORLD = snapshot(offers=[offer()], clusters=[cluster(*nodes("n", 2, H100), used={"n-0": vector(gpu=1)})])


@pytest.mark.parametrize(("added", "fits"), [(1, False), (2, True)])
def test_nodes_are_added_empty(added: int, fits: bool) -> None:
    told, _ = what_if(WORLD, Memo(), GANG, change=AddNodes(offer=KEY, pool=POOL, nodes=added))
    assert told.before.starts_in is None
    assert (told.after.starts_in is not None) == fits


def test_without_its_only_offer_a_job_has_no_place() -> None:
    world = snapshot(offers=[offer()], clusters=[cluster(node("n", H100))])
    told, left = what_if(world, Memo(), job(), change=WithoutOffer(KEY))
    assert told.before.starts_in is not None
    assert told.after.starts_in is None
    assert told.after.cells == ()
    again, _ = what_if(world, left, job(), change=WithoutOffer(KEY))
    assert again == told


@pytest.mark.parametrize(
    ("change", "want"),
    [
        (WithoutOffer(OfferKey("prov", "x")), "no ClusterOffer prov/x"),
        (AddNodes(offer=KEY, pool="y", nodes=1), "no pool y of ClusterOffer prov/o1"),
    ],
    ids=["offer", "pool"],
)
def test_what_is_not_there_is_named(change: AddNodes | WithoutOffer, want: str) -> None:
    with pytest.raises(NoSuchPlaceError, match=want):
        what_if(WORLD, Memo(), job(), change=change)


@pytest.mark.parametrize("amount", [0, 5000])
def test_numbers_out_of_range_are_refused(amount: int) -> None:
    with pytest.raises(ValueError, match=f"{amount} nodes cannot be added: want 1 to 4096"):
        what_if(WORLD, Memo(), job(), change=AddNodes(offer=KEY, pool=POOL, nodes=amount))
