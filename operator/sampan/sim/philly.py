"""The Philly comparison: the same trace under four rules, each through `schedule()`. Only set-ups and sums live here.

Published figures: result notebook of S-Lab-System-Group/HeliosArtifact, FIFO, job-weighted mean of the four virtual clusters.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Final

from sampan.sim.replay import Outcome, Rules, play
from sampan.sim.world import SimJob, World, node_of

DEVICES: Final = 8
PUBLISHED_FIFO: Final = (210_523, 94_185)
"""Mean completion and mean time in the queue in seconds."""
NAMES: Final = ("fifo-isolated", "sampan-isolated", "sampan-isolated-declared", "sampan-borrowing", "sampan-borrowing-declared")
"""The runs, in the order of the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One line of the comparison."""

    name: str
    outcome: Outcome
    by_group: Mapping[str, Outcome]
    """By virtual cluster; empty where all jobs share all nodes."""


def compare(jobs: Sequence[SimJob], sizes: Mapping[str, int], *, names: Sequence[str] = NAMES) -> Iterator[Run]:
    """Yield the runs that are named. `sizes`: nodes of each virtual cluster."""
    for name in names:
        rules = Rules(devices_per_node=DEVICES, blocking=name.startswith("fifo"), declared=name.endswith("declared"))
        if "borrowing" in name:
            yield Run(name=name, outcome=play(jobs, _world(sizes), rules), by_group={})
            continue
        groups = {each: play([job for job in jobs if job.group == each], _world({each: sizes[each]}), rules) for each in sizes}
        yield Run(name=name, outcome=reduce(add, groups.values()), by_group=groups)


def _world(sizes: Mapping[str, int]) -> World:
    nodes = {name: [node_of(f"{name}-{n:03d}", DEVICES) for n in range(count)] for name, count in sizes.items()}
    return World(nodes, devices_per_node=DEVICES)
