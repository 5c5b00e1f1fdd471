"""Public workload traces as files on disk, read into plain values. Nothing about playing them; the data never comes with Sampan.

Philly: Jeon et al., "Analysis of Large-Scale Multi-Tenant GPU Clusters for DNN Training Workloads", ATC'19, four virtual clusters.
openb: Weng et al., "Beware of Fragmentation", ATC'23: nodes.csv and pods.csv of a shared production cluster.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sampan.sim.world import SimJob

PHILLY_WINDOW: Final = (3_724_782, 8_995_122)
"""First and last submission, in seconds from the trace's start, of the window that published figures are about."""


class TraceError(ValueError):
    """A file of a trace that is missing or is not what it should be; the message names file and column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimPod:
    """A pod of the packing trace: CPU in thousandths, memory in MiB, devices in thousandths of one."""

    cpu: int
    memory: int
    devices: int
    """How many devices; 0 for none."""
    milli: int
    """Share of each device, 1000 for a whole one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimNode:
    """A node of the packing trace, in the same units."""

    name: str
    cpu: int
    memory: int
    devices: int
    model: str


def philly_jobs(folder: Path, *, window: tuple[int, int] | None = PHILLY_WINDOW) -> list[SimJob]:
    """Return the jobs of `jobs.csv` that were submitted inside the window, in the file's order."""
    first, last = window or (0, 2**62)
    found = []
    for row in _rows(folder / "jobs.csv", ("job_id", "vc", "submit_s", "duration_s", "gpus")):
        if first <= int(row["submit_s"]) <= last:
            found.append(
                SimJob(
                    name=row["job_id"],
                    group=row["vc"],
                    submitted=int(row["submit_s"]),
                    seconds=int(row["duration_s"]),
                    devices=int(row["gpus"]),
                )
            )
    return found


def philly_sizes(folder: Path) -> dict[str, int]:
    """Return the nodes of each virtual cluster; each node has 8 devices."""
    return {row["vc"]: int(row["nodes"]) for row in _rows(folder / "nodes.csv", ("vc", "nodes"))}


def openb_nodes(folder: Path) -> list[SimNode]:
    """Return the nodes that have devices, in the file's order."""
    rows = _rows(folder / "nodes.csv", ("sn", "cpu_milli", "memory_mib", "gpu", "model"))
    return [
        SimNode(name=r["sn"], cpu=int(r["cpu_milli"]), memory=int(r["memory_mib"]), devices=int(r["gpu"]), model=r["model"])
        for r in rows
        if int(r["gpu"]) > 0
    ]


def openb_pods(folder: Path) -> list[SimPod]:
    """Return the pods in the file's order."""
    rows = _rows(folder / "pods.csv", ("cpu_milli", "memory_mib", "num_gpu", "gpu_milli"))
    return [
        SimPod(cpu=int(r["cpu_milli"]), memory=int(r["memory_mib"]), devices=int(r["num_gpu"]), milli=int(r["gpu_milli"])) for r in rows
    ]


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[Mapping[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            missing = [column for column in columns if column not in (reader.fieldnames or ())]
            if missing:
                raise TraceError(f"{path.name}: no column {', '.join(missing)}")
            yield from reader
    except OSError as error:
        raise TraceError(f"{path}: {error.strerror}") from error
