"""What is free while a cycle runs, and what the next cycle may keep of it."""

from dataclasses import replace

from builders import H100, cells, cluster, demand, nodes, offer, requirement, selector, snapshot, vector
from sampan.model.offer import PoolRule
from sampan.model.reason import Reason
from sampan.model.snapshot import Snapshot
from sampan.scheduling.work import Work, need_of

WHOLE, HALF = demand(requirement()), demand(requirement(count=4))


def world(*rules: PoolRule, **used: int) -> Snapshot:
    member = cluster(*nodes("h", 2, H100), used={name.replace("_", "-"): vector(gpu=count) for name, count in used.items()})
    return snapshot(offers=[offer(rules=rules)], clusters=[member])


def test_a_replica_needs_its_devices_too() -> None:
    (cell,) = world().cells
    assert need_of(HALF, cell) == vector(cpu=4, gib=16, pods=1, gpu=4)


def test_what_one_takes_is_gone_for_the_next() -> None:
    picture = world()
    (cell,), work = picture.cells, Work(picture, {})
    for want in ("h-0", "h-1"):
        fit = work.fit(cell, WHOLE)
        assert fit is not None
        assert fit.nodes == ((want, 1),)
        work.take(cell, WHOLE, fit)
    assert work.fit(cell, WHOLE) is None
    assert work.room(cell, HALF) == 0
    assert work.why_full(cell, WHOLE) is Reason.INSUFFICIENT_CAPACITY


def test_two_offers_of_one_cluster_share_its_nodes() -> None:
    member = cluster(*nodes("h", 1, H100))
    picture = snapshot(offers=[offer("o1"), offer("o2")], clusters=[member])
    first, second = picture.cells
    work = Work(picture, {})
    fit = work.fit(first, WHOLE)
    assert fit is not None
    work.take(first, WHOLE, fit)
    assert work.fit(second, HALF) is None


def test_a_cap_counts_all_devices_in_use() -> None:
    picture = world(PoolRule(selector=selector(), max_devices=8), h_0=4)
    (cell,), work = picture.cells, Work(picture, {})
    assert work.fit(cell, WHOLE) is None
    fit = work.fit(cell, HALF)
    assert fit is not None
    work.take(cell, HALF, fit)
    assert work.room(cell, demand(requirement(count=1))) == 0


def test_too_large_is_told_from_full() -> None:
    picture = world(h_0=8, h_1=8)
    (cell,), work = picture.cells, Work(picture, {})
    assert work.why_full(cell, WHOLE) is Reason.INSUFFICIENT_CAPACITY
    assert work.why_full(cell, demand(requirement(), replicas=3)) is Reason.TOO_LARGE
    assert work.why_full(cell, demand(requirement(count=16))) is Reason.TOO_LARGE
    assert work.why_full(cell, demand(requirement(count=1), cpu=500)) is Reason.TOO_LARGE


def test_a_node_without_cpu_has_no_room_for_devices() -> None:
    member = cluster(*nodes("h", 1, H100), used={"h-0": vector(cpu=126)})
    picture = snapshot(offers=[offer()], clusters=[member])
    assert Work(picture, {}).fit(picture.cells[0], HALF) is None


def test_only_changed_nodes_are_computed_anew() -> None:
    picture = world()
    (cell,), first = picture.cells, Work(picture, {})
    first.room(cell, HALF)
    member = picture.clusters["c1"]
    poisoned = {key: replace(row, fits=tuple(100 for _ in row.fits)) for key, row in first.base.items()}
    changed = replace(picture, clusters={"c1": replace(member, used={"h-1": vector(gpu=4)})})
    assert Work(changed, poisoned).room(cell, replace(HALF, replicas=1000)) == 101  # h-0 from the memo, h-1 anew


def test_a_vanished_node_has_no_room() -> None:
    picture = world()
    member = picture.clusters["c1"]
    gone = replace(picture, clusters={"c1": replace(member, nodes={"h-0": member.nodes["h-0"]})})
    assert Work(gone, {}).room(picture.cells[0], replace(WHOLE, replicas=9)) == 1
    assert cells(gone.offers.values(), gone.clusters.values())[0].pool.nodes == ("h-0",)
