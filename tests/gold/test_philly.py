"""The scheduler against published figures: Philly's four virtual clusters.

Skipped where SAMPAN_GOLD_DATA names no folder with the trace."""

import os
from pathlib import Path

import pytest

from sampan.sim.philly import Run, compare
from sampan.sim.traces import philly_jobs, philly_sizes

FOLDER = Path(os.environ.get("SAMPAN_GOLD_DATA", "")) / "philly-4vc"
pytestmark = pytest.mark.skipif(not (FOLDER / "jobs.csv").is_file(), reason="SAMPAN_GOLD_DATA names no folder with philly-4vc/jobs.csv")

FIFO = {"7f04ca": (133_826, 1_412), "ee9e8c": (243_144, 127_270), "2869ce": (70_215, 21_171), "0e4a51": (233_539, 101_473)}
"""Published mean completion and wait in seconds. At least one job of ee9e8c is missing from the trace: 1.5 % is the limit of comparison."""


def run(name: str) -> Run:
    """One run over the published window."""
    (made,) = compare(philly_jobs(FOLDER), philly_sizes(FOLDER), names=(name,))
    return made


def test_blocking_fifo_gives_the_published_figures() -> None:
    fifo = run("fifo-isolated")
    assert (fifo.outcome.mean_completion, fifo.outcome.mean_waiting) == (210_090, 93_772), "the exact replay of this file"
    for group, want in FIFO.items():
        got = fifo.by_group[group].mean_completion, fifo.by_group[group].mean_waiting
        assert all(abs(g - w) * 1000 <= w * 15 for g, w in zip(got, want, strict=True)), f"{group}: {got} against {want}"


def test_our_order_waits_less_than_fifo_in_every_virtual_cluster() -> None:
    ours = run("sampan-isolated")
    assert all(ours.by_group[group].mean_waiting < want[1] for group, want in FIFO.items())


def test_borrowing_comes_near_the_floor() -> None:
    """Without any queueing the mean would be 116,318 s; first in, first out over all nodes gives 117,330 s."""
    ours = run("sampan-borrowing")
    assert 116_318 <= ours.outcome.mean_completion < 117_330
