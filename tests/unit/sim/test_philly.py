"""The comparison's set-ups: isolated groups never share, borrowing ones do."""

from sampan.sim.philly import NAMES, compare
from sampan.sim.world import SimJob

SIZES = {"a": 1, "b": 1}
JOBS = [SimJob(name=f"{group}{n}", group=group, submitted=0, seconds=100, devices=8) for group, n in (("a", 0), ("a", 1), ("b", 0))][:2]


def test_only_borrowing_uses_the_neighbours_nodes() -> None:
    runs = {run.name: run.outcome for run in compare(JOBS, SIZES)}
    assert tuple(runs) == NAMES
    assert runs["fifo-isolated"].waiting == runs["sampan-isolated"].waiting == 100
    assert runs["sampan-borrowing"].waiting == runs["sampan-borrowing-declared"].waiting == 0


def test_isolated_runs_show_every_group() -> None:
    (run,) = compare(JOBS, SIZES, names=("fifo-isolated",))
    assert {group: outcome.jobs for group, outcome in run.by_group.items()} == {"a": 2, "b": 0}
