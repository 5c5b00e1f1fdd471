"""What a replica makes unusable: worked out by hand, on whole devices and on cards, and kept up as nodes change."""

from dataclasses import replace

import numpy as np
import pytest

from builders import A100, GIB, H100, cluster, demand, job, nodes, offer, requirement, shape, snapshot, vector
from sampan.catalog import load
from sampan.model.job import Demand, Requirement, Share
from sampan.model.members.accelerator import Sharing
from sampan.model.members.cluster import CardUse, Cell
from sampan.model.members.device import Card, DeviceGroup
from sampan.model.snapshot import Snapshot
from sampan.scheduling.cache import Memo
from sampan.scheduling.capacity.fragmentation import DemandMix, unusable
from sampan.scheduling.cycle import schedule

UNITS = 1


def mixture(*wanted: tuple[int, int, int], share: tuple[int, int] = (0, 0)) -> DemandMix:
    """Demands as (weight, devices, milli-CPU); with a share, devices are cards."""
    amounts = [[cpu, count if share == (0, 0) else 0] for _, count, cpu in wanted]
    return DemandMix(
        weights=np.array([weight for weight, _, _ in wanted]),
        counts=np.array([count for _, count, _ in wanted]),
        shares=np.array([share for _ in wanted]),
        amounts=np.array(amounts),
    )


@pytest.mark.parametrize(
    ("cpu", "free", "wanted", "want"),
    [
        pytest.param(64, 8, (1, 4, 1), 0, id="two fours fit into eight"),
        pytest.param(64, 7, (1, 4, 1), 3, id="a remainder of three"),
        pytest.param(64, 3, (1, 4, 1), 3, id="all of it where none fits"),
        pytest.param(5, 8, (1, 4, 3), 4, id="the CPU allows one only"),
        pytest.param(64, 7, (10, 4, 1), 30, id="weighted"),
        pytest.param(64, -2, (1, 4, 1), 0, id="an overcommitted node wastes nothing"),
    ],
)
def test_the_remainder_of_whole_devices(cpu: int, free: int, wanted: tuple[int, int, int], want: int) -> None:
    assert unusable(mixture(wanted), np.array([[cpu, free]]), units=UNITS, cards=None).tolist() == [want]


@pytest.mark.parametrize(
    ("cards", "share", "count", "want"),
    [
        pytest.param([(10, 100, 9), (10, 100, 9)], (4, 0), 1, 4, id="two on each card leave two of each"),
        pytest.param([(10, 100, 1), (10, 100, 9)], (4, 0), 1, 8, id="slots count"),
        pytest.param([(10, 100, 9), (3, 100, 9)], (4, 0), 2, 13, id="two cards at once"),
        pytest.param([(10, 60, 9)], (4, 50), 1, 6, id="compute counts"),
    ],
)
def test_the_remainder_of_cards(cards: list[tuple[int, int, int]], share: tuple[int, int], count: int, want: int) -> None:
    found = unusable(mixture((1, count, 1), share=share), np.array([[1000, 0]]), units=UNITS, cards=np.array([cards]))
    assert found.tolist() == [want]


def test_great_amounts_do_not_overflow() -> None:
    big = np.full((1, 2), 2**62)
    assert unusable(mixture((2**12, 1, 1)), big, units=UNITS, cards=None)[0] >= 0
    cards = np.full((1, 64, 3), 2**62)
    assert unusable(mixture((2**12, 1, 1), share=(2**62, 0)), big, units=UNITS, cards=cards)[0] >= 0


def world(*free: int, mix: tuple[tuple[Demand, int], ...] = ()) -> Snapshot:
    used = {f"h-{at}": vector(gpu=8 - left) for at, left in enumerate(free)}
    ask = job(wanted=shape(demand(requirement(H100, 1))))
    return replace(snapshot([ask], [offer()], [cluster(*nodes("h", len(free), H100), used=used)]), mix=mix)


def chosen(picture: Snapshot, memo: Memo | None = None) -> str:
    ((name, _),) = schedule(picture, memo or Memo())[0].assignments[0].nodes
    return name


@pytest.mark.parametrize(
    ("mix", "want"),
    [
        pytest.param((), "h-0", id="no mix: the smallest hole"),
        pytest.param(((demand(requirement(H100, 4)), 1),), "h-1", id="fours are wanted: not the one that fits a four"),
        pytest.param(((demand(requirement(A100, 4)), 9),), "h-0", id="a mix for other devices says nothing"),
        pytest.param(((demand(), 9),), "h-0", id="a mix without devices says nothing"),
    ],
)
def test_the_mix_decides_between_holes(mix: tuple[tuple[Demand, int], ...], want: str) -> None:
    assert chosen(world(4, 7, mix=mix)) == want


def test_what_is_known_is_worked_out_anew_once_a_node_or_the_mix_changes() -> None:
    mix, memo = ((demand(requirement(H100, 4)), 1),), Memo()
    for picture in (world(4, 7, mix=mix), world(5, 8, mix=mix), world(4, 7), world(6, 8, mix=((demand(requirement(H100, 3)), 1),))):
        plan, memo = schedule(picture, memo)
        assert plan.assignments == schedule(picture, Memo())[0].assignments


def test_cards_are_judged_by_the_shares_that_are_wanted() -> None:
    """One node has 30 GiB left of a card, one 40: a share of 10 goes where 40 is left, for 30 is what others ask for."""
    have = load().get(H100)
    assert have is not None
    group = DeviceGroup(
        resource="nvidia.com/gpu",
        devices=10,
        vendor=have.vendor,
        accelerator_class=have.name,
        sharing=Sharing.VIRTUAL,
        cards=(Card(id="0", memory=80 * GIB, slots=10),),
    )
    member = cluster(*nodes("h", 2, H100, 10))
    taken = {("h-0", "0"): CardUse(memory=50 * GIB, slots=1), ("h-1", "0"): CardUse(memory=40 * GIB, slots=1)}
    shared = replace(member, devices={"h-0": (group,), "h-1": (group,)}, cards=taken)
    ask, other = (demand(Requirement(count=1, accelerator_class=H100, share=Share(memory=size * GIB)), cpu=1, gib=1) for size in (10, 30))
    picture = snapshot([job(wanted=shape(ask))], [offer()], [shared])
    assert [cell.pool.sharing for cell in picture.cells if isinstance(cell, Cell)] == [Sharing.VIRTUAL]
    assert chosen(replace(picture, mix=((other, 1),))) == "h-1"
