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

from bench import profile_report
from bench.api import wait_until
from bench.figure import Figure
from bench.scenarios import burst, offers, restart, slow_member, sweep, virtual
from bench.scenarios.slow_member import Aim
from bench.scenarios.sweep import MOST_PODS, Sizes
from bench.usage import CORES
from bench.world import Bench, bench_of, hooked, made, plan, restarted, say
from integration.support import FederationUnderTest
from sampan.local.scenario import Scenario as Plan

ROOT = Path(__file__).resolve().parents[2]


class Scenario(NamedTuple):
    """One scenario, the number of jobs of its figure, and whether it wants virtual members."""

    run: Callable[[Bench, int], Awaitable[Figure]]
    jobs: int
    virtual: bool = False


def providers(bench: Bench) -> list[str]:
    """Return the namespaces of all providers."""
    return [provider.namespace for provider in bench.federation.federation.scenario.providers]


SCENARIOS = {
    "dispatch": Scenario(lambda bench, jobs: burst.dispatch(bench, jobs=jobs), 1_000),
    "life": Scenario(lambda bench, jobs: burst.whole_life(bench, jobs=jobs), 1_000),
    "slow-member": Scenario(
        lambda bench, jobs: slow_member.slow_member(bench, jobs=jobs, slow=Aim("north"), others=[Aim("east"), Aim("south")]), 1_000
    ),
    "sweep": Scenario(lambda bench, jobs: sweep.sweep(bench, Sizes(jobs=jobs, pods=min(jobs // 2, MOST_PODS))), 10_000),
    "restart": Scenario(lambda bench, jobs: restart.restart(bench, jobs=jobs), 10_000),
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
    figures = []
    chosen = given.scenarios or list(SCENARIOS)
    for wants_virtual in (False, True):
        named = [name for name in chosen if SCENARIOS[name].virtual == wants_virtual]
        if named:
            with made(world(given.scale) if wants_virtual else plan(nodes=40, pods=300)) as federation:
                figures += [measure(federation, name, given) for name in named]
    file = given.out / "bench.json"
    file.write_text(json.dumps({**place(), "figures": figures}, indent=1) + "\n")
    say(f"written to {file}")
    return 1 if any(figure["void"] for figure in figures) else 0


def world(scale: float) -> Plan:
    """Return the federation for virtual members: one real one, with two nodes for each."""
    count = max(int(VIRTUAL * scale), 2)
    return plan(members=["east"], nodes=2 * count, virtual=count)


def measure(federation: FederationUnderTest, name: str, given: argparse.Namespace) -> dict[str, Any]:
    """Run one scenario, print its figure, and return it for JSON."""
    load = os.getloadavg()[0]
    figure = run(federation, name, scale=given.scale, profile=given.out / f"profile-{name}.txt" if given.profile else None)
    show([*figure.lines(), f"  load of the machine before: {load:.2f} on {CORES} cores", ""])
    return {**figure.as_dict(), "loadBefore": round(load, 2)}


def run(federation: FederationUnderTest, name: str, *, scale: float, profile: Path | None) -> Figure:
    """Run one scenario with an operator that has just started, and leave no job behind."""
    say(f"==> {name}")
    started = time.monotonic()
    restarted(federation, hooked(SAMPAN_BENCH_PROFILE=str(profile)) if profile else None)

    async def measured() -> Figure:
        async with bench_of(federation) as bench:
            before = await stacks(bench, profile)
            hub = asyncio.create_task(profile_of_hub(bench, profile))
            jobs = int(SCENARIOS[name].jobs * scale)
            figure = await SCENARIOS[name].run(bench, jobs)
            if profile:
                show(profile_report.lines(profile_report.less(await stacks(bench, profile), before), jobs=max(jobs, 1)))
            await hub
            await bench.delete_all(seconds=300 + jobs)
            return figure

    figure = asyncio.run(measured())
    say(f"{name} took {time.monotonic() - started:.0f} s")
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
