"""Masks and parts put together from offers, pools and cells say what the filters and scores say of each cell by itself."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from builders import H100, NOW, cluster, demand, job, nodes, offer, requirement, shape, snapshot
from sampan.model.members.offer import ENERGY_AGE, Energy
from sampan.model.policy import BUILT_IN
from sampan.model.snapshot import Snapshot
from sampan.scheduling.cache import Memo, reasons_in
from sampan.scheduling.feasibility.cell_facts import facts_of
from sampan.scheduling.feasibility.constraints.context import FilterContext
from sampan.scheduling.feasibility.constraints.table import violated
from sampan.scheduling.feasibility.scores import SCORERS, ScoreContext, weighted
from sampan.scheduling.feasibility.verdict_matrix import WRONG_DEVICES
from strategies import worlds

GREEN = replace(BUILT_IN["green"], name="balanced")


def check(world: Snapshot) -> None:
    cache = Memo().cache_or_new()
    cache.update(world)
    for wanted in world.jobs:
        rows = cache.verdicts_of(wanted.shape, world)
        for row in rows.rows:
            for number, column in enumerate(cache.matrix.columns):
                context = FilterContext(
                    demand=row.demand,
                    placement=wanted.shape.placement,
                    offer=world.offers[column.cell.offer],
                    pool=column.cell.pool,
                    now=world.now,
                    currency=world.currency,
                    tenant=wanted.shape.tenant,
                )
                reasons, mask = violated(context), int(row.reason_mask[number])
                if mask & WRONG_DEVICES:
                    assert set(reasons_in(mask)) <= set(reasons)
                else:
                    assert reasons_in(mask) == reasons
                if not reasons:
                    scored = ScoreContext(context=context, shape=wanted.shape, policy=rows.policy, classes=world.classes)
                    weights = rows.policy.weights
                    points = [weighted(rows.policy, name, part(scored)) if weights[name] else 0 for name, part in SCORERS]
                    assert row.parts[:, number].tolist() == points
                    assert int(row.score[number]) == sum(points)


@given(worlds(), st.sampled_from(sorted(BUILT_IN)))
def test_rows_say_what_each_cell_is_by_itself(world: Snapshot, policy: str) -> None:
    check(replace(world, policies={"balanced": replace(BUILT_IN[policy], name="balanced")}))


def test_pools_alike_in_facts_are_asked_once() -> None:
    world = snapshot([job()], [offer("o1"), offer("o2")], [cluster(*nodes("h", 1, H100))])
    first, second = (facts_of(replace(cell.pool, rule=at)) for at, cell in enumerate(world.cells))
    assert first == second
    assert first != facts_of(replace(world.cells[0].pool, driver="550.1"))
    assert first != facts_of(replace(world.cells[0].pool, for_devices_only=True))


def test_figures_of_power_begin_and_end_to_count_with_time() -> None:
    """What was computed before is computed anew where only the moment changed."""
    energy = Energy(grams_co2_per_kwh=400, pue=1_000_000, as_of=NOW)
    world = snapshot(
        [job(wanted=shape(demand(requirement())))], [replace(offer(), energy=energy)], [cluster(*nodes("h", 1, H100))], policies=[GREEN]
    )
    cache = Memo().cache_or_new()
    parts = []
    for now in (NOW - 1, NOW, NOW + ENERGY_AGE - 1, NOW + ENERGY_AGE):
        moment = replace(world, now=now)
        cache.update(moment)
        rows = cache.verdicts_of(next(iter(moment.jobs)).shape, moment)
        parts.append(int(rows.rows[0].parts[[name for name, _ in SCORERS].index("green"), 0]))
    assert [bool(part) for part in parts] == [False, True, True, False]
