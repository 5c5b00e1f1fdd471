"""How a demand stands in every column."""

from dataclasses import replace

from builders import H100, cluster, demand, job, nodes, offer, requirement, shape, snapshot, vector
from sampan.model.job import Interconnect, Placement, Shape
from sampan.model.members.cluster import Cell
from sampan.model.snapshot import Snapshot
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import schedule
from sampan.scheduling.state import CycleState

MEMBER = cluster(*nodes("h", 4, H100))
DOMAINS = (("left", ("h-0", "h-1")), ("right", ("h-2", "h-3")))
NEAR = Placement(interconnect=Interconnect.SAME_DOMAIN)


def wired(*jobs: Shape) -> Snapshot:
    world = snapshot([job(f"j{i}", each) for i, each in enumerate(jobs)], [offer()], [MEMBER])
    pool = replace(world.cells[0].pool, domains=DOMAINS, fabric="NVLink")
    names = ("", *(name for name, _ in DOMAINS))
    return replace(world, cells=tuple(Cell(offer=offer().key, pool=pool, domain=name) for name in names))


def state(world: Snapshot) -> CycleState:
    cache = Memo().cache_or_new()
    cache.update(world)
    return CycleState.open(world, cache)


def rooms(world: Snapshot) -> dict[str, int]:
    made = state(world)
    feasibility = made.feasibility(made.entry(world.jobs[0]), 0)
    return {
        made.cell(at).id[1].partition("@")[2]: int(feasibility.room[at])
        for at in range(len(made.cell_index.columns))
        if feasibility.suitable[at]
    }


def test_gangs_that_must_stay_together_see_domains_and_others_pools() -> None:
    assert rooms(wired(shape(demand(requirement(), replicas=2), placement=NEAR))) == {"left": 2, "right": 2}
    assert rooms(wired(shape(demand(requirement()), placement=NEAR))) == {"": 4}
    assert rooms(wired(shape(demand(requirement(), replicas=2)))) == {"": 4}


def test_a_gang_stays_in_one_domain_and_what_it_takes_is_gone_for_the_pool() -> None:
    near = shape(demand(requirement(), replicas=2), placement=NEAR)
    plan = schedule(wired(near, near, shape(demand(requirement()))), Memo())[0]
    assert [done.nodes for done in plan.assignments] == [(("h-0", 1), ("h-1", 1)), (("h-2", 1), ("h-3", 1))]
    assert {done.pool for done in plan.assignments} == {"h100-sxm-80gb-x8"}


def test_a_pool_that_cools_down_takes_its_domains_along() -> None:
    world = wired(shape(demand(requirement(), replicas=2), placement=NEAR))
    cooled = job("j0", world.jobs[0].shape, excluded=[(offer().key, "h100-sxm-80gb-x8")])
    made = state(world)
    assert not made.feasibility(made.entry(cooled), 0).suitable.any()


def test_foreign_pods_that_wait_cost_packing() -> None:
    world = snapshot([job()], [offer()], [MEMBER])
    wanted = replace(MEMBER, contended={"nvidia.com/gpu": vector(gpu=32)})
    calm, busy = (schedule(replace(world, clusters={"c1": each}), Memo())[0].assignments[0] for each in (MEMBER, wanted))
    assert dict(calm.verdicts[0].parts)["packing"] == 2 * dict(busy.verdicts[0].parts)["packing"] + 1
