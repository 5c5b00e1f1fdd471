"""What a place costs in turns, and how use is carried forward."""

from dataclasses import replace

import pytest

from builders import H100, cluster, demand, job, nodes, offer, requirement, shape, snapshot
from sampan.model.job import Demand
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import schedule
from sampan.scheduling.queueing.charge import EPOCH, HOUR, UNDECLARED, decayed_forward, usage_charge

MEMBER = cluster(*nodes("h", 2, H100, cpu=128))
DAY = 24 * 3600 * 1000


def charged(wanted: Demand) -> int:
    world = snapshot([job("j", shape(wanted))], [offer()], [MEMBER])
    plan = schedule(world, Memo())[0]
    (done,) = plan.assignments
    assert plan.charges == {"j": usage_charge(done, world.cells[0], MEMBER)}
    return plan.charges["j"]


def test_devices_or_whatever_is_used_most_of() -> None:
    small = replace(demand(requirement(count=2), cpu=1), span_seconds=HOUR)
    greedy = replace(demand(requirement(count=2), cpu=64), span_seconds=HOUR)
    assert charged(greedy) == 2 * charged(small)


def test_replicas_and_hours_multiply() -> None:
    one = replace(demand(requirement()), span_seconds=HOUR)
    both = replace(demand(requirement(), replicas=2), span_seconds=3 * HOUR)
    assert charged(both) == 6 * charged(one)


def test_no_declared_end_is_charged_a_day() -> None:
    assert charged(demand(requirement())) == charged(replace(demand(requirement()), span_seconds=UNDECLARED))


@pytest.mark.parametrize(("half_lives", "want"), [(0, 1_000_000), (1, 2_000_000), (10, 1_024_000_000), (-1, 500_000)])
def test_use_doubles_every_half_life(half_lives: int, want: int) -> None:
    assert decayed_forward(1_000_000, EPOCH + half_lives * 7 * DAY, 7 * DAY) == want


def test_use_grows_evenly_between() -> None:
    half = decayed_forward(10**12, EPOCH + 7 * DAY // 2, 7 * DAY)
    assert abs(half * half - 2 * 10**24) < 10**19
    grown = [decayed_forward(10**9, EPOCH + hour * 3_600_000, 7 * DAY) for hour in range(200)]
    assert grown == sorted(set(grown))
