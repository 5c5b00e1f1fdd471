"""`make bench`: run the scenarios of docs/performance.md, one after the other, print what they give and write it down as JSON.

`python -m bench [--profile] [SCENARIO …]`. What must never live here: a scenario.
"""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp

from bench import profile_report
from bench.api import RefusedError, wait_until
from bench.figure import Figure
from bench.scenarios import burst, offers, restart, slow_member, sweep, virtual
from bench.scenarios.slow_member import Aim
from bench.scenarios.sweep import MOST_PODS, Sizes
from bench.usage import CORES
from bench.world import Bench, bench_of, hooked, made, plan, restarted
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


def providers(bench: Bench) -> list[str]:
    """Return the namespaces of all providers."""
    return [provider.namespace for provider in bench.federation.federation.scenario.providers]


SCENARIOS = {
    "dispatch": Scenario(lambda bench, jobs: burst.dispatch(bench, jobs=jobs), 1_000),
    "life": Scenario(lambda bench, jobs: burst.whole_life(bench, jobs=jobs), 1_000),
    "slow-member": Scenario(
        lambda bench, jobs: slow_member.slow_member(bench, jobs=jobs, slow=Aim("north"), others=[Aim("east"), Aim("south")]), 1_000
    ),
    "restart": Scenario(lambda bench, jobs: restart.restart(bench, jobs=jobs), 10_000, standing=True),
    "sweep": Scenario(lambda bench, jobs: sweep.sweep(bench, Sizes(jobs=jobs, pods=min(jobs // 2, MOST_PODS))), 10_000, standing=True),
    "offers": Scenario(lambda bench, _: offers.offers(bench, each=10, member="east", providers=providers(bench)), 0, virtual=True),
    "virtual": Scenario(
        lambda bench, jobs: virtual.virtual(bench, jobs=jobs, member="east", providers=providers(bench)), 1_000, virtual=True
    ),
}
VIRTUAL = 100
"""Virtual members, each with a provider of its own."""


def main() -> int:
    """Exit code 1 where a figure is void."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"of {', '.join(SCENARIOS)}; all where none is named")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench", help="folder for bench.json and profiles")
    parser.add_argument("--scale", type=float, default=1.0, help="multiply the number of jobs by this, on a machine that has other work")
    parser.add_argument(
        "--profile", action="store_true", help="also sample the operator, which costs it some time, and the hub's API server"
    )
    given = parser.parse_args()
    unknown = set(given.scenarios) - set(SCENARIOS)
    if unknown:
        parser.error(f"no scenario {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the federation goes with us
    given.out.mkdir(parents=True, exist_ok=True)
    chosen = given.scenarios or list(SCENARIOS)
    figures: list[dict[str, Any]] = []
    for wants_virtual in (False, True):
        groups = grouped([name for name in chosen if SCENARIOS[name].virtual == wants_virtual])
        while groups:
            with made(world(given.scale) if wants_virtual else plan(nodes=40, pods=300)) as federation:
                while groups:
                    group = groups.pop(0)
                    found = measure(federation, group, given, last=not groups)
                    figures += found
                    (given.out / "bench.json").write_text(json.dumps({**place(), "figures": figures}, indent=1) + "\n")
                    if found[-1].get("failed"):
                        groups[:0] = [group[len(found) :]] if len(found) < len(group) else []
                        break  # what it left would be in the way of the others: they have a federation of their own
    say(f"written to {given.out / 'bench.json'}")
    return 1 if any(figure["void"] for figure in figures) else 0


def grouped(chosen: Sequence[str]) -> list[list[str]]:
    """Return the scenarios in their order; those that leave their jobs to the next are together."""
    alone = [[name] for name in chosen if not SCENARIOS[name].standing]
    standing = [name for name in chosen if SCENARIOS[name].standing]
    return alone + ([standing] if standing else [])


def world(scale: float) -> Plan:
    """Return the federation for virtual members: one real one, with two nodes for each."""
    count = max(int(VIRTUAL * scale), 2)
    return plan(members=["east"], nodes=2 * count, virtual=count)


def measure(federation: FederationUnderTest, names: Sequence[str], given: argparse.Namespace, *, last: bool) -> list[dict[str, Any]]:
    """Run a group of scenarios, print their figures, and return them for JSON. One that fails is a void figure, and ends the group.

    `last`: the federation goes afterwards, with all jobs that are left.
    """
    figures: list[dict[str, Any]] = []

    async def measured() -> None:
        async with bench_of(federation) as bench:
            for name in names:
                load, started = os.getloadavg()[0], time.monotonic()
                figure = await run(bench, name, scale=given.scale, profile=given.out / f"profile-{name}.txt" if given.profile else None)
                figures.append({**figure.as_dict(), "loadBefore": round(load, 2)})
                show([*figure.lines(), f"  load of the machine before: {load:.2f} on {CORES} cores", ""])
                say(f"{name} took {time.monotonic() - started:.0f} s")
            if not last:
                await bench.delete_all(seconds=300 + sum(int(SCENARIOS[name].jobs * given.scale) for name in names))

    try:
        asyncio.run(measured())
    except (AssertionError, RefusedError, LocalError, OSError, aiohttp.ClientError) as error:
        failed = names[min(len(figures), len(names) - 1)]
        say(f"{failed} failed: {error}")
        figures.append({"name": failed, "void": [f"failed: {error}"], "failed": True})
    return figures


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
