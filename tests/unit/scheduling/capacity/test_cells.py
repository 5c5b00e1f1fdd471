"""The columns seen from all sides."""

from dataclasses import replace

from builders import H100, cluster, job, nodes, offer, snapshot
from sampan.model.members.cluster import Cell
from sampan.scheduling.cache import Memo
from sampan.scheduling.capacity.cells import CellColumn, CellIndex

MEMBER = cluster(*nodes("h", 2, H100))


def columns(*, domain: str = "", max_devices: int | None = None, queue: str = "") -> list[CellColumn]:
    world = snapshot([job()], [offer("o1"), offer("o2")], [MEMBER])
    domains = (("left", ("h-0",)),) if domain else ()
    pools = [replace(cell.pool, domains=domains, max_devices=max_devices, member_queue=queue) for cell in world.cells]
    names = ("", domain) if domain else ("",)
    cache = Memo().cache_or_new()
    cells = tuple(Cell(offer=cell.offer, pool=pool, domain=n) for cell, pool in zip(world.cells, pools, strict=True) for n in names)
    cache.update(replace(world, cells=cells))
    return list(cache.matrix.columns)


def test_a_pool_is_found_with_its_domains_and_a_cluster_with_its_cells() -> None:
    layout = CellIndex.of(columns(domain="left"))
    key = layout.columns[0].cell.id
    assert layout.by_pool[key] == [0, 1]
    assert layout.domain.tolist() == [False, True] * 2
    assert layout.parted.tolist() == [True] * 4
    assert layout.by_cluster == {"c1": [0, 1, 2, 3]}
    assert [layout.by_id[column.cell.id] for column in layout.columns] == [0, 1, 2, 3]


def test_caps_are_per_offer_and_queues_per_member() -> None:
    layout = CellIndex.of(columns(max_devices=8, queue="ns/q"))
    assert layout.capped == {"c1": [(0,), (1,)]}
    assert layout.queued == {"c1": {"ns/q": [0, 1]}}


def test_it_is_kept_until_a_column_is_exchanged() -> None:
    world = snapshot([job()], [offer("o1")], [MEMBER])
    cache = Memo().cache_or_new()
    cache.update(world)
    first = cache.cell_index()
    cache.update(replace(world, clusters={"c1": replace(MEMBER, used={})}))
    assert cache.cell_index() is first
    cache.update(replace(world, cells=tuple(replace(cell, pool=replace(cell.pool, max_devices=4)) for cell in world.cells)))
    assert cache.cell_index().capped == {"c1": [(0,)]}
