"""What people are told holds, whatever the world: searched for counterexamples."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders import selector
from sampan.model.backlog import Backlog
from sampan.model.job import Job, Shape
from sampan.model.snapshot import Snapshot
from sampan.scheduling.answers.explain import explain
from sampan.scheduling.answers.values import CellAnswer
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import schedule
from strategies import worlds

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")
EXAMPLES = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much])


def runs(world: Snapshot, job: Job, shape: Shape, at: CellAnswer) -> bool:
    """Tell whether a job of this shape, alone, gets a place in a pool; a job that became one replica needs no domain of it any more."""
    kept = tuple(cell for cell in world.cells if (cell.offer, cell.pool.name) == (at.offer, at.pool.partition("@")[0]))
    plan, _ = schedule(replace(world, backlog=Backlog.of([replace(job, shape=shape)]), cells=kept), Memo())
    return bool(plan.assignments)


@EXAMPLES
@given(worlds())
def test_a_pool_that_is_told_to_be_usable_is_and_so_is_one_after_its_smallest_change(world: Snapshot) -> None:
    """Every score and every proposal of an explanation, run through the scheduler. 40 worlds, thorough 2,000."""
    for job in [bucket.head for bucket in world.backlog][:3]:
        told, _ = explain(world, Memo(), job)
        for cell in told.cells:
            if cell.score is not None or cell.changed is not None:
                assert runs(world, job, cell.changed or job.shape, cell)


@EXAMPLES
@given(worlds(), st.data())
def test_an_offer_for_other_namespaces_is_as_good_as_none(world: Snapshot, data: st.DataObject) -> None:
    """Plans, verdicts, counts and answers are the same with a private offer and without it. 40 worlds, thorough 2,000."""
    key = data.draw(st.sampled_from(sorted(world.offers)))
    private = replace(world.offers[key], tenants=selector(team="others"))
    there = replace(world, offers={**world.offers, key: private})
    gone = replace(
        world,
        offers={name: each for name, each in world.offers.items() if name != key},
        cells=tuple(cell for cell in world.cells if cell.offer != key),
    )
    assert schedule(there, Memo())[0] == schedule(gone, Memo())[0]
    for job in [bucket.head for bucket in world.backlog][:2]:
        with_it, without = (explain(picture, Memo(), job)[0] for picture in (there, gone))
        assert with_it == without
