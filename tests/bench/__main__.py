"""`make bench`: run the scenarios of docs/performance.md, one after the other, print what they give and write it down as JSON.

`python -m bench [--profile] [SCENARIO …]`; `python -m bench table FILE` prints what it wrote as Markdown.
What must never live here: a scenario.
"""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import msgspec

from bench import profile_report, table
from bench.api import RefusedError, wait_until
from bench.figure import Figure
from bench.scenarios import burst, cycle, idle, offers, restart, slow_member, sweep, virtual
from bench.scenarios.slow_member import Aim
from bench.scenarios.sweep import Sizes
from bench.usage import CORES
from bench.world import MEMBERS, Bench, bench_of, hooked, made, plan, restarted
from integration.support import FederationUnderTest
from sampan.local.paths import LocalError
from sampan.local.scenario import Scenario as Plan
from servers import say

ROOT = Path(__file__).resolve().parents[2]


class Scenario(NamedTuple):
    """One scenario."""

    run: Callable[[Bench, int], Awaitable[Figure]]
    jobs: int
    """How many its figure is about."""
    virtual: bool = False
    """It wants virtual members."""
    standing: bool = False
    """Its jobs run for a day: the next scenario of this kind has them too, for to start so many takes minutes."""
    restarts: bool = False
    """It starts the operator anew itself: no profile of it is taken."""


def providers(bench: Bench) -> list[str]:
    """Return the namespaces of all providers."""
    return [provider.namespace for provider in bench.federation.federation.scenario.providers]


SCENARIOS = {
    "idle": Scenario(lambda bench, _: idle.idle(bench), 0),
    "dispatch": Scenario(lambda bench, jobs: burst.dispatch(bench, jobs=jobs), 1_000),
    "life": Scenario(lambda bench, jobs: burst.whole_life(bench, jobs=jobs), 1_000),
    "slow-member": Scenario(
        lambda bench, jobs: slow_member.slow_member(bench, jobs=jobs, slow=Aim("north"), others=[Aim("east"), Aim("south")]), 1_000
    ),
    "restart": Scenario(lambda bench, jobs: restart.restart(bench, jobs=jobs), 10_000, standing=True, restarts=True),
    "sweep": Scenario(lambda bench, jobs: sweep.sweep(bench, Sizes(jobs=jobs, pods=jobs // 2)), 10_000, standing=True),
    "offers": Scenario(
        lambda bench, _: offers.offers(bench, each=10, members=MEMBERS, providers=providers(bench)), 0, virtual=True, restarts=True
    ),
    "virtual": Scenario(
        lambda bench, jobs: virtual.virtual(bench, jobs=jobs, members=MEMBERS, providers=providers(bench)), 1_000, virtual=True
    ),
}
CYCLE = "cycle"
NAMES = [CYCLE, *SCENARIOS]
VIRTUAL = 100
"""Virtual members, each with a provider of its own."""


PROBLEMS = (AssertionError, RefusedError, LocalError, OSError, aiohttp.ClientError, msgspec.MsgspecError, LookupError, ValueError)
"""What makes the figure of one scenario void, and lets the others go on."""


class Results:
    """The figures so far, written down anew after each."""

    def __init__(self, out: Path, *, scale: float) -> None:
        """`out` is the folder for bench.json."""
        self.file, self.figures = out / "bench.json", list[dict[str, Any]]()
        self._place = {**place(), "scale": scale}

    def add(self, figure: dict[str, Any]) -> None:
        """Take one more."""
        self.figures.append(figure)
        self.file.write_text(json.dumps({**self._place, "figures": self.figures}, indent=1) + "\n")

    def failed(self, name: str, error: BaseException) -> None:
        """Take a scenario that did not come to its end: a void figure."""
        show([f"{name}: failed", f"  VOID: {error}", "  bound by nothing that was measured", ""])
        self.add({"name": name, "void": [f"failed: {error!r}"], "values": {}, "limit": "not taken"})


def main() -> int:
    """Exit code 1 where a figure is void."""
    if sys.argv[1:2] == ["table"]:
        show(table.lines(json.loads(Path(sys.argv[2]).read_text())))
        return 0
    given = asked()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the federation goes with us
    given.out.mkdir(parents=True, exist_ok=True)
    chosen, results = given.scenarios or NAMES, Results(given.out, scale=given.scale)
    if CYCLE in chosen:
        cycle_alone(given, results)
    for wants_virtual in (False, True):
        groups = grouped([name for name in chosen if name != CYCLE and SCENARIOS[name].virtual == wants_virtual])
        while groups:
            first = groups[0]
            try:
                with made(world(given.scale) if wants_virtual else plan(nodes=40, pods=300)) as federation:
                    together(federation, groups, given, results)
            except LocalError as error:
                if groups and groups[0] is first:
                    results.failed(groups.pop(0)[0], error)
                say(f"the federation: {error}")
    say(f"written to {results.file}; as a table: python -m bench table {results.file}")
    return 1 if any(figure["void"] for figure in results.figures) else 0


def asked() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"of {', '.join(NAMES)}; all where none is named")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench", help="folder for bench.json and profiles")
    parser.add_argument("--scale", type=float, default=1.0, help="multiply the number of jobs by this, on a machine that has other work")
    parser.add_argument(
        "--profile", action="store_true", help="also sample the operator, which costs it some time, and the hub's API server"
    )
    given = parser.parse_args()
    unknown = set(given.scenarios) - set(NAMES)
    if unknown:
        parser.error(f"no scenario {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    return given


def cycle_alone(given: argparse.Namespace, results: Results) -> None:
    """Run the scenario that needs no federation."""
    say(f"==> {CYCLE}")
    load, started = os.getloadavg()[0], time.monotonic()
    try:
        figure = cycle.cycle(cycle.Cycles(scale=given.scale), given.out / "cycle.json")
    except PROBLEMS as error:
        results.failed(CYCLE, error)
    else:
        tell(figure, results, load=load, started=started)


def together(federation: FederationUnderTest, groups: list[list[str]], given: argparse.Namespace, results: Results) -> None:
    """Run groups of scenarios, and take them off the list, until one fails: what it left would be in the way of the others."""
    while groups:
        group, before = groups.pop(0), len(results.figures)
        try:
            measure(federation, group, given, results, last=not groups)
        except PROBLEMS as error:
            traceback.print_exception(error)
            told = len(results.figures) - before
            results.failed(group[told] if told < len(group) else f"{group[-1]}, the end of its jobs", error)
            groups[:0] = [group[told + 1 :]] if told + 1 < len(group) else []
            return


def grouped(chosen: Sequence[str]) -> list[list[str]]:
    """Return the scenarios in their order; those that leave their jobs to the next are together."""
    alone = [[name] for name in chosen if not SCENARIOS[name].standing]
    standing = [name for name in chosen if SCENARIOS[name].standing]
    return alone + ([standing] if standing else [])


def world(scale: float) -> Plan:
    """Return the federation for virtual members: a few real ones, with two nodes for each that is on them."""
    count = max(int(VIRTUAL * scale), 2)
    return plan(nodes=2 * -(-count // len(MEMBERS)), virtual=count)


def measure(federation: FederationUnderTest, names: Sequence[str], given: argparse.Namespace, results: Results, *, last: bool) -> None:
    """Run a group of scenarios and tell their figures.

    `last`: the federation goes afterwards, with all jobs that are left.
    """

    async def measured() -> None:
        async with bench_of(federation, stall_stacks=given.out / "stalls-offers.txt" if given.profile else None) as bench:
            for name in names:
                load, started = os.getloadavg()[0], time.monotonic()
                profiled = given.profile and not SCENARIOS[name].restarts
                figure = await run(bench, name, scale=given.scale, profile=given.out / f"profile-{name}.txt" if profiled else None)
                tell(figure, results, load=load, started=started)
            if not last:
                started = time.monotonic()
                await bench.delete_all(seconds=300 + sum(int(SCENARIOS[name].jobs * given.scale) for name in names))
                say(f"its jobs were deleted in {time.monotonic() - started:.0f} s")

    asyncio.run(measured())


def tell(figure: Figure, results: Results, *, load: float, started: float) -> None:
    """Print a figure and write it down."""
    took = time.monotonic() - started
    results.add({**figure.as_dict(), "loadBefore": round(load, 2), "tookSeconds": round(took)})
    show([*figure.lines(), f"  load of the machine before: {load:.2f} on {CORES} cores", ""])
    say(f"{figure.name} took {took:.0f} s")


async def run(bench: Bench, name: str, *, scale: float, profile: Path | None) -> Figure:
    """Run one scenario with an operator that has just started."""
    say(f"==> {name}")
    await asyncio.to_thread(restarted, bench.federation, hooked(SAMPAN_BENCH_PROFILE=str(profile)) if profile else None)
    before = await stacks(bench, profile)
    hub = asyncio.create_task(profile_of_hub(bench, profile))
    jobs = int(SCENARIOS[name].jobs * scale)
    figure = await SCENARIOS[name].run(bench, jobs)
    if profile:
        show(profile_report.lines(profile_report.less(await stacks(bench, profile), before), jobs=max(jobs, 1)))
    await hub
    return figure


async def stacks(bench: Bench, profile: Path | None) -> profile_report.Stacks:
    """Return what the hook has sampled so far."""
    if profile is None:
        return profile_report.Stacks()
    ask_for_profile(bench.federation, profile)
    await wait_until(profile.exists, "the operator has written its profile", seconds=180)
    return profile_report.read_file(profile)


async def profile_of_hub(bench: Bench, profile: Path | None) -> None:
    """Have the hub's API server sample itself for a while too: `go tool pprof -top FILE`."""
    if profile is not None:
        sampled = await bench.hub.call("GET", "/debug/pprof/profile", params={"seconds": "20"})
        await asyncio.to_thread(profile.with_name(f"hub-{profile.stem}.pb.gz").write_bytes, sampled)


def ask_for_profile(federation: FederationUnderTest, profile: Path) -> None:
    """Have the hook write what it has."""
    profile.unlink(missing_ok=True)
    pid = federation.operator.pid
    assert pid is not None, federation.operator.log_tail()
    os.kill(pid, signal.SIGUSR2)


def show(lines: Sequence[str]) -> None:
    """Print a result."""
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def place() -> dict[str, Any]:
    """Return what was measured and where."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    return {"commit": commit, "at": datetime.now(UTC).isoformat(timespec="seconds"), "cores": CORES}


if __name__ == "__main__":
    sys.exit(main())
