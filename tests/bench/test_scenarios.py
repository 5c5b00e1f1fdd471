"""Every scenario of the benchmark once, small, on the federation that all tests share: that it runs and loses and doubles nothing.

What must never live here: an assertion on a time; those figures are for a quiet machine (docs/performance.md).
"""

from collections.abc import AsyncIterator

import pytest

from bench.figure import Figure
from bench.scenarios import burst, restart, slow_member
from bench.scenarios.slow_member import Aim
from bench.world import Bench, bench_of
from integration.support import FederationUnderTest

pytestmark = pytest.mark.e2e


@pytest.fixture
async def bench(federation: FederationUnderTest) -> AsyncIterator[Bench]:
    """The shared federation with the generator's clients; no job is left afterwards."""
    async with bench_of(federation) as opened:
        yield opened
        await opened.delete_all(seconds=240)


def sound(figure: Figure) -> None:
    """Assert that nothing was lost or doubled, that somebody used some processor time, and that the limit has a name."""
    assert not figure.void
    assert figure.limit
    assert figure.values["jobs"] > 0
    assert figure.usage["hub API server"] > 0
    assert figure.usage["operator"] > 0


async def test_a_burst_is_dispatched(bench: Bench) -> None:
    figure = await burst.dispatch(bench, jobs=8)
    sound(figure)
    assert figure.values["member create jobs, a job"] == 1


async def test_a_burst_lives_to_its_end(bench: Bench) -> None:
    figure = await burst.whole_life(bench, jobs=8)
    sound(figure)
    assert figure.values["hub writes of the job, a job"] >= 4, "create, intent, running, end"


async def test_a_slow_member_beside_others(bench: Bench) -> None:
    slow = Aim("lingang-ondemand", {"alternatives": [{"accelerator": {"stack": "cuda", "count": 1}}]})
    figure = await slow_member.slow_member(bench, jobs=6, slow=slow, others=[Aim("kunshan-ondemand")], delay=1.0)
    sound(figure)
    assert figure.values["others' wait p99, s"] > 0


async def test_the_operator_starts_again_beside_running_jobs(bench: Bench) -> None:
    figure = await restart.restart(bench, jobs=8)
    sound(figure)
    assert not [name for name in figure.values if name.startswith("hub patch computejobs") and figure.values[name] > 1]
