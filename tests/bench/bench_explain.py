"""How long the answer to `sampan explain` takes on a large federation: `python tests/bench/bench_explain.py`. A script, not a test.

The federation is that of `bench_cycle`. Asked are waiting jobs at random: the first after what the operator prepares, the others
after a cycle each.
"""

import argparse
import gc
import sys
from pathlib import Path
from random import Random
from time import perf_counter, thread_time

sys.path.insert(0, str(Path(__file__).parent.parent))

from large_federation import Federation, build, step
from sampan.model.job import Job
from sampan.scheduling.answers.explain import explain
from sampan.scheduling.answers.next_cycle import prepared
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import schedule


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(line + "\n")


def main() -> None:
    """Print how long preparing takes, and the answers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--questions", type=int, default=20)
    given = parser.parse_args()
    world = build(given.scale, Random(42))
    plan, memo = schedule(world.snapshot(), Memo())
    for _ in range(10):
        step(world, plan)
        plan, memo = schedule(world.snapshot(), memo)
    gc.freeze()
    say(f"{len(world.snapshot().offers)} offers, {len(world.cells)} cells, {len(world.backlog)} jobs waiting")
    began = perf_counter()
    answers = prepared(world.snapshot(), Memo())
    say(f"prepared from nothing in {perf_counter() - began:.2f} s")
    times, cpu, chance = list[float](), list[float](), Random(1)
    for _ in range(given.questions):
        step(world, plan)
        plan, memo = schedule(world.snapshot(), memo)
        picture, job = world.snapshot(), asked(world, chance)
        began, used = perf_counter(), thread_time()
        _, answers = explain(picture, answers, job)
        times.append(perf_counter() - began)
        cpu.append(thread_time() - used)
    for name, each in (("", times), ("the same in CPU time, whatever else the machine does: ", cpu)):
        ordered = sorted(each)
        say(f"{name}{len(each)} answers: p50 {ordered[len(each) // 2]:.2f} s, max {ordered[-1]:.2f} s, the first {each[0]:.2f} s")


def asked(world: Federation, chance: Random) -> Job:
    """Return one of the waiting jobs."""
    buckets = list(world.backlog)
    return next(iter(buckets[chance.randrange(len(buckets))]))


if __name__ == "__main__":
    main()
