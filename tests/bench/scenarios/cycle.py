"""One scheduling cycle on 1,000 offers with a quota in every job namespace, in a process of its own. Never here: the cycle itself."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from bench.figure import Figure, percentile
from bench.limit import FULL
from bench.usage import OPERATOR

TESTS = Path(__file__).parents[2]


class Cycles(NamedTuple):
    """How large the federation is, how many cycles are measured, and how many come before them."""

    scale: float = 1.0
    measured: int = 200
    warm: int = 100


def cycle(cycles: Cycles, file: Path) -> Figure:
    """Have `bench_cycle.py` measure; it writes what it saw to `file`."""
    file.unlink(missing_ok=True)
    options = {"--scale": cycles.scale, "--cycles": cycles.measured, "--warm": cycles.warm, "--json": file}
    command = [sys.executable, "-m", "bench.bench_cycle", *(str(word) for option in options.items() for word in option)]
    done = subprocess.run(command, stdout=2, env={**os.environ, "PYTHONPATH": str(TESTS)}, check=False)
    assert done.returncode == 0, f"bench_cycle.py ended with exit code {done.returncode}"
    return figure(json.loads(file.read_text()), cycles)


def figure(seen: dict[str, Any], cycles: Cycles) -> Figure:
    """Return the figure of what was seen."""
    wall, cpu = seen["seconds"], seen["cpuSeconds"]
    share = sum(cpu) / sum(wall)
    values = {"jobs": float(seen["waiting"]), **{name: float(seen[name]) for name in ("running", "offers", "nodes", "quotas")}}
    for name, each in (("cycle", wall), ("cycle CPU", cpu)):
        parts = (("p50", 50), ("p99", 99), ("largest", 100))
        values |= {f"{name} {told}, ms": round(1000 * percentile(each, part), 1) for told, part in parts}
    return Figure(
        name="cycle",
        title=f"{len(wall)} scheduling cycles on {seen['offers']} offers, {seen['quotas']} quotas and {seen['waiting']} waiting jobs",
        values={**values, "placed, jobs/cycle": round(seen["placed"] / len(wall), 1)},
        limit=f"our CPU: {share:.2f} of its core"
        if share >= FULL
        else f"other programs: a cycle had a core {100 * share:.0f} % of its time, and waits for nothing else",
        void=void(seen, cycles),
        usage={OPERATOR: round(share, 3)},
    )


def void(seen: dict[str, Any], cycles: Cycles) -> list[str]:
    """Return why the figure must not be used."""
    told = []
    if seen["quotas"] < seen["offers"]:
        told.append(f"{seen['quotas']} quotas on {seen['offers']} offers: one for each is meant")
    if len(seen["seconds"]) < cycles.measured:
        told.append(f"{len(seen['seconds'])} of {cycles.measured} cycles were measured")
    if not seen["placed"]:
        told.append("no cycle placed a job")
    return told
