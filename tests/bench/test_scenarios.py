"""Every scenario of the benchmark once, small, on the federation that all tests share: that it runs and loses and doubles nothing;
and what makes a figure void, and how its limit is named.

What must never live here: an assertion on a time; those figures are for a quiet machine (docs/performance.md).
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from time import monotonic

import msgspec
import pytest

from bench import table
from bench.__main__ import NAMES, grouped
from bench.figure import Figure, net_per_job
from bench.limit import limit
from bench.scenarios import burst, cycle, idle, offers, restart, slow_member, sweep, virtual
from bench.scenarios.cycle import Cycles
from bench.scenarios.offers import _longest
from bench.scenarios.slow_member import Aim
from bench.scenarios.sweep import PodWatch, Sizes
from bench.table import ROWS
from bench.usage import CORES, GENERATOR, HUB_API, MEMBER_API, OPERATOR, Usage
from bench.witness import Witness
from bench.world import Bench, bench_of, restarted
from integration.support import FederationUnderTest

pytestmark = pytest.mark.faults  # some start the operator anew, one leads it through a proxy


@pytest.fixture
async def bench(federation: FederationUnderTest) -> AsyncIterator[Bench]:
    """The shared federation with the generator's clients; no job is left afterwards."""
    async with bench_of(federation) as opened:
        yield opened
        await opened.delete_all(seconds=240)


def complete(figure: Figure) -> None:
    """Assert that nothing was lost or doubled, and that the limit and each row of the table is there."""
    assert not figure.void
    assert figure.limit
    given = {row.what: row.value(figure.values) for row in ROWS if row.scenario == figure.name and isinstance(row.read, str)}
    assert given
    assert None not in given.values(), given


def sound(figure: Figure, *, of: str = "jobs") -> None:
    """Assert that it is complete, and that somebody used processor time."""
    complete(figure)
    assert figure.values[of] > 0
    assert figure.usage["hub API server"] > 0
    assert figure.usage["operator"] > 0


async def test_nothing_happens(bench: Bench) -> None:
    figure = await idle.idle(bench, seconds=2.0)
    complete(figure)
    assert figure.values["seconds"] >= 2
    assert not [name for name in figure.values if "CPU" in name and figure.values[name] < 0]


async def test_bursts_are_dispatched(bench: Bench) -> None:
    figure = await burst.dispatch(bench, jobs=8, at_once=5, rest=1.0)
    sound(figure)
    assert figure.values["jobs"] == 8
    assert figure.values["member create jobs, a job"] == 1
    assert figure.values["operator CPU net of idle, ms/job"] <= figure.values["operator CPU, ms/job"]


async def test_a_burst_lives_to_its_end(bench: Bench) -> None:
    figure = await burst.whole_life(bench, jobs=8, rest=1.0)
    sound(figure)
    assert figure.values["hub writes of the job, a job"] >= 4, "create, intent, running, end"


async def test_a_slow_member_beside_others(bench: Bench) -> None:
    slow = Aim("lingang-ondemand", {"alternatives": [{"accelerator": {"stack": "cuda", "count": 1}}]})
    figure = await slow_member.slow_member(bench, jobs=6, slow=slow, others=[Aim("kunshan-ondemand")], delay=1.0)
    sound(figure)
    assert figure.values["others' wait p99, s"] > 0


async def test_pod_events_of_a_sweep(bench: Bench) -> None:
    figure = await sweep.sweep(bench, Sizes(jobs=4, pods=10, rate=20, seconds=3))
    sound(replace(figure, void=[reason for reason in figure.void if "pod events/s" not in reason]))  # how fast is for a quiet machine
    assert figure.values["pods of both sweeps"] == 10
    assert figure.values["both sweeps, pod events/s seen at a watch"] > 0


async def test_a_link_flaps_and_an_offer_changes(bench: Bench) -> None:
    """The operator runs with the measuring hook for this; afterwards it is the usual one."""
    try:
        figure = await offers.offers(bench, each=2, members=["lingang", "kunshan"], providers=["prov-lingang"] * 2, window=0.5)
    finally:
        await asyncio.to_thread(restarted, bench.federation)
    sound(figure, of="offers")
    assert figure.values["offers"] == 4


async def test_one_member_and_virtual_ones(bench: Bench) -> None:
    wanted = [{"accelerator": {"stack": "cuda", "count": 1}}]
    figure = await virtual.virtual(
        bench, jobs=4, members=["lingang", "kunshan"], providers=["prov-lingang"] * 2, rest=1.0, alternatives=wanted
    )
    sound(figure)
    assert figure.values["calls to the members, a job, many members"] >= 1


async def test_the_operator_starts_again_beside_running_jobs(bench: Bench) -> None:
    figure = await restart.restart(bench, jobs=8)
    sound(figure)
    assert not [name for name in figure.values if name.startswith("hub patch computejobs") and figure.values[name] > 1]


def test_cycles_with_quotas(tmp_path: Path) -> None:
    figure = cycle.cycle(Cycles(scale=0.01, measured=3, warm=1), tmp_path / "cycle.json")
    assert not figure.void
    assert figure.limit
    assert figure.values["quotas"] == figure.values["offers"] == 10
    assert figure.values["cycle largest, ms"] >= figure.values["cycle p99, ms"] >= figure.values["cycle p50, ms"] > 0
    assert all(row.value(figure.values) is not None for row in ROWS if row.scenario == "cycle")


def test_cycles_without_quotas_or_without_work_are_void() -> None:
    seen = {"quotas": 9, "offers": 10, "seconds": [0.1], "placed": 0}
    assert len(cycle.void(seen, Cycles(measured=2))) == 3
    assert cycle.void({**seen, "quotas": 10, "seconds": [0.1] * 2, "placed": 1}, Cycles(measured=2)) == []


async def test_a_loop_that_nobody_watched_gives_no_figure(tmp_path: Path) -> None:
    async def nothing(_: int) -> None:
        return

    with pytest.raises(AssertionError, match="without the measuring hook"):
        await _longest(tmp_path / "never-written", nothing, 1, window=0.01)


async def test_the_longest_stall_since_something_was_done(tmp_path: Path) -> None:
    stalls = tmp_path / "stalls"
    now = monotonic()
    stalls.write_text(f"{now - 9:.4f} 5.0000 4.0000\n")

    async def stall(_: int) -> None:
        with stalls.open("a") as told:
            told.write(f"{now:.4f} 0.5000 0.0200\n{now + 3600:.4f} 0.0000 0.0001\n{now + 3601:.4f} 0.00")

    assert await _longest(stalls, stall, 1, window=0.01) == (0.5, 0.02)


def test_pod_events_that_no_watch_saw_make_a_figure_void() -> None:
    watch = PodWatch()
    for event in ("ADDED", "MODIFIED", "BOOKMARK", "MODIFIED"):
        assert watch.line(msgspec.json.encode({"type": event, "object": {"metadata": {"resourceVersion": "7"}}})) == "7"
    assert watch.changes == 2
    usage = Usage(1.0, {OPERATOR: 0.5})
    assert not sweep.Run(usage, watch.changes).lacks("a sweep", rate=2)
    (reason,) = sweep.Run(usage, watch.changes).lacks("a sweep", rate=3)
    assert "2.0 pod events/s were seen at a watch, 3 were meant" in reason


def test_a_void_figure_is_told_as_void_and_never_as_a_number() -> None:
    values = {"until ready, s": 12.0, "operator memory, MiB": 300.0}
    good = Figure(name="restart", title="t", values=values, limit="our CPU: 1.00 of its core")
    told = {}
    for figure in (good, replace(good, void=["job a: 2 copies | attempts [1]"])):
        told[bool(figure.void)] = table.lines({"commit": "c", "at": "t", "cores": 2, "scale": 1.0, "figures": [figure.as_dict()]})
    assert "| `restart` | until ready | - | ≤ 15 s | 12 s | yes |" in told[False]
    assert "| `restart` | until a new job is bound and created | - | - | not taken | - |" in told[False]
    assert "| `dispatch` | jobs/s until bound and created | 57 to 79 | ≥ 90 | not run | - |" in told[False]
    assert "| `restart` | until ready | - | ≤ 15 s | void | no |" in told[True]
    assert told[True][-1] == "| `restart` | t | our CPU: 1.00 of its core | job a: 2 copies \\| attempts [1] | - | - |"


def test_every_scenario_has_a_row() -> None:
    assert {row.scenario for row in table.ROWS} == set(NAMES)


def test_scenarios_that_need_very_many_running_jobs_come_last_and_share_them() -> None:
    assert grouped(["restart", "sweep", "dispatch", "life"]) == [["dispatch"], ["life"], ["restart", "sweep"]]
    assert grouped(["sweep"]) == [["sweep"]]
    assert grouped([]) == []


def seen(*lines: dict[str, object]) -> Witness:
    """Return a witness of job `a`, which was accepted, bound once and has what these lines of the members' watches say."""
    witness = Witness()
    witness.accepted("a")
    witness.hub_line(line("ADDED", uid="a", status={"phase": "Bound", "binding": {"attempt": 1}}))
    for told in lines:
        witness.member_line("east", msgspec.json.encode(told))
    return witness


def line(event: str, *, uid: str, status: dict[str, object] | None = None) -> bytes:
    """Return a line of a watch on ComputeJobs."""
    return msgspec.json.encode({"type": event, "object": {"metadata": {"uid": uid}, "status": status or {}}})


def copy(event: str, uid: str) -> dict[str, object]:
    """Return what a member's watch says of a copy of job `a`."""
    return {"type": event, "object": {"metadata": {"uid": uid, "labels": {"sampan.dev/job-uid": "a"}}}}


def test_one_copy_of_a_bound_job_is_sound() -> None:
    assert seen(copy("ADDED", "1"), copy("MODIFIED", "1")).problems(["a"], phase="Bound") == []


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        pytest.param([], "0 copies", id="lost"),
        pytest.param([copy("ADDED", "1"), copy("ADDED", "2")], "2 copies", id="doubled"),
        pytest.param([copy("ADDED", "1"), copy("DELETED", "1"), copy("ADDED", "2")], "2 copies", id="created again"),
    ],
)
def test_a_lost_or_doubled_job_makes_a_figure_void(lines: list[dict[str, object]], words: str) -> None:
    (problem,) = seen(*lines).problems(["a"])
    assert words in problem


def test_a_job_that_vanished_or_ended_otherwise_makes_a_figure_void() -> None:
    witness = seen(copy("ADDED", "1"))
    witness.hub_line(line("DELETED", uid="a", status={"phase": "Failed", "binding": {"attempt": 1}}))
    (problem,) = witness.problems(["a"], phase="Succeeded")
    assert "gone from the hub, Failed" in problem


def test_what_was_used_beyond_idle_and_in_several_times_together() -> None:
    idle_use, busy = Usage(10.0, {OPERATOR: 1.0}), Usage(5.0, {OPERATOR: 2.0, HUB_API: 3.0})
    assert busy.less(idle_use) == Usage(5.0, {OPERATOR: 1.5, HUB_API: 3.0})
    assert net_per_job(busy, idle_use, 10) == {"operator CPU net of idle, ms/job": 150.0, "hub API server CPU net of idle, ms/job": 300.0}
    assert busy.and_then(idle_use) == Usage(15.0, {OPERATOR: 3.0, HUB_API: 3.0})


@pytest.mark.parametrize(
    ("cpu", "submitting", "want"),
    [
        ({OPERATOR: 9.5, HUB_API: 2.0}, 0.1, "our CPU"),
        ({GENERATOR: 9.5, HUB_API: 2.0}, 0.1, "generator"),
        ({OPERATOR: 3.0, HUB_API: 10.0 * CORES - 4.0}, 0.1, "hub API server"),
        ({OPERATOR: 3.0, MEMBER_API: 10.0 * CORES - 4.0}, 0.1, "member"),
        ({OPERATOR: 1.0, HUB_API: 1.0}, 0.95, "generator"),
        ({OPERATOR: 1.0, HUB_API: 1.0}, 0.1, "none"),
    ],
)
def test_the_limit_is_named(cpu: dict[str, float], submitting: float, want: str) -> None:
    assert limit(Usage(10.0, cpu), submitting=submitting).startswith(want)
