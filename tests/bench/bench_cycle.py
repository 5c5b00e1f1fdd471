"""How long one cycle takes on a large federation: `python tests/bench/bench_cycle.py [--cycles 200]`. A script, not a test.

The federation and what changes in it is told in `large_federation`. The update of the tables is part of the cycle, and so is garbage, which
is looked for as in the operator. `make bench` runs it as the scenario `cycle`, and reads what `--json` wrote.
"""

import argparse
import gc
import json
import resource
import sys
from pathlib import Path
from random import Random
from time import perf_counter, thread_time
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from large_federation import LAYOUTS, Federation, build, changes, devices, step
from sampan.controller.runtime.gc_tuning import freeze
from sampan.model.plan import Plan
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import schedule

PARTS = (("p50", 50), ("p90", 90), ("p99", 99), ("max", 100))


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(line + "\n")


def main() -> None:
    """Print p50, p99 and the largest time of a cycle, those of single changes, and the memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--cycles", type=int, default=200)
    parser.add_argument("--warm", type=int, default=100, help="cycles before it is measured")
    parser.add_argument("--no-quotas", action="store_true", help="for comparison: no ResourceQuota in any job namespace")
    parser.add_argument("--world", choices=sorted(LAYOUTS), default="offers", help="what the federation has much of")
    parser.add_argument("--json", type=Path, help="file for the sizes and the seconds of every measured cycle")
    given = parser.parse_args()
    world = build(given.scale, Random(42), quotas=not given.no_quotas, layout=LAYOUTS[given.world])
    nodes = sum(len(each.nodes) for each in world.clusters.values())
    say(f"{nodes} nodes, {len(world.cells)} cells, {limited(world)} quotas")
    say(f"{len(world.backlog)} jobs waiting, {sum(1 for _ in world.backlog)} buckets")
    memo, plan = Memo(), Plan()
    gc.collect()
    freeze()
    plan, memo = timed(world, memo, "a cycle from nothing")
    for _ in range(given.warm):
        step(world, plan)
        plan, memo = schedule(world.snapshot(), memo)
    before = devices(world)
    times, cpu, placed, collected = list[float](), list[float](), 0, sum(each["collections"] for each in gc.get_stats()[2:])
    for _ in range(given.cycles):
        step(world, plan)
        picture = world.snapshot()
        began, used = perf_counter(), thread_time()
        plan, memo = schedule(picture, memo)
        times.append(perf_counter() - began)
        cpu.append(thread_time() - used)
        placed += len(plan.assignments)
    collected = sum(each["collections"] for each in gc.get_stats()[2:]) - collected
    if given.json:
        given.json.write_text(json.dumps({**sizes(world), "placed": placed, "seconds": times, "cpuSeconds": cpu}))
    say(f"{len(times)} cycles: {shown(times)}; {collected} full collections of garbage; at the worst {worst(times)}")
    say(f"the same in CPU time, whatever else the machine does: {shown(cpu)}")
    say(f"{placed / len(times):.1f} placed per cycle, {len(plan.refusals)} refusals, {len(plan.reservations)} reservations in the last")
    say(f"devices in use: {before} before, {devices(world)} after")
    for name in changes(world):
        plan, memo = timed(world, memo, name)
    say(f"memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB, of which the world is a part")


def shown(times: list[float]) -> str:
    """Return the percentiles."""
    ordered = sorted(times)
    return ", ".join(f"{name} {ordered[min(len(ordered) * part // 100, len(ordered) - 1)] * 1000:.0f} ms" for name, part in PARTS)


def sizes(world: Federation) -> dict[str, Any]:
    """Return how large the federation is."""
    running = sum(len(member.running) for member in world.clusters.values())
    nodes = sum(len(member.nodes) for member in world.clusters.values())
    return {"offers": len(world.offers), "nodes": nodes, "quotas": limited(world), "waiting": len(world.backlog), "running": running}


def limited(world: Federation) -> int:
    """Return how many quotas there are."""
    return sum(len(told) for member in world.clusters.values() for told in member.quotas.values())


def worst(times: list[float]) -> str:
    """Return the slowest cycles by their number."""
    listed = sorted(range(len(times)), key=lambda at: -times[at])[:5]
    return ", ".join(f"{times[at] * 1000:.0f} ms in cycle {at}" for at in listed)


def timed(world: Federation, memo: Memo, name: str) -> tuple[Plan, Memo]:
    """Run one cycle and print its time."""
    picture = world.snapshot()
    began = perf_counter()
    plan, memo = schedule(picture, memo)
    say(f"{name}: {(perf_counter() - began) * 1000:.0f} ms, {len(plan.assignments)} placed, {len(plan.reservations)} reservations")
    return plan, memo


if __name__ == "__main__":
    main()
