"""A new filter is one record in one file, and one line in the enumeration of reasons: shown in a copy of the package that has one more."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import sampan

PACKAGE: Final = Path(sampan.__file__).parent
TESTS: Final = Path(__file__).parents[4]
LINE: Final = '    GANG_TOO_WIDE = "GangTooWide"\n'
RECORD: Final = """
GANG: Final = Constraint(
    reason=Reason.GANG_TOO_WIDE,
    reads=Reads.POOL,
    violated=lambda c: c.demand.least_replicas > 2,
    words=lambda c: (f"{c.demand.least_replicas} replicas at once", "at most 2"),
    headline=lambda _: "a gang is wider than two",
    relax=lambda c: c.demanding(replicas=2, least_replicas=2),
    fields=(REPLICAS,),
)

OFFER: Final = (GANG, """
ASKED: Final = """
from builders import H100, cluster, demand, job, nodes, offer, requirement, shape, snapshot
from sampan.scheduling.answers.explain import explain
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import schedule

wanted = shape(demand(requirement(), replicas=3))
world = snapshot([job(wanted=wanted)], [offer()], [cluster(*nodes("n", 4, H100))])
plan, memo = schedule(world, Memo())
told, _ = explain(world, Memo(), world.jobs[0])
(cell,) = told.cells
(unmet,) = cell.unmet
print(plan.refusals[0].verdicts[0].reasons[0], "|", told.headline)
print(unmet.needed, "|", unmet.present)
print(cell.changes[0].field, cell.changes[0].before, cell.changes[0].after)
print(len(schedule(snapshot([job(wanted=cell.changed)], [offer()], [cluster(*nodes("n", 4, H100))]), Memo())[0].assignments))
"""


def with_one_more(folder: Path) -> None:
    """Make the package anew: the enumeration with a line more, the file of offers with a record more, all else as it is."""
    (folder / "sampan").mkdir()
    for path in PACKAGE.iterdir():
        if path.name not in ("model", "scheduling", "__pycache__"):
            (folder / "sampan" / path.name).symlink_to(path)
    for name in ("model", "scheduling"):
        shutil.copytree(PACKAGE / name, folder / "sampan" / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name, anchor, more in (
        ("model/reason.py", "    ARCHITECTURE_MISMATCH", LINE),
        ("scheduling/feasibility/constraints/offer.py", "\nOFFER: Final = (", RECORD),
    ):
        path = folder / "sampan" / name
        text = path.read_text(encoding="utf-8")
        assert text.count(anchor) == 1
        kept = anchor if more is LINE else ""
        path.write_text(text.replace(anchor, more + kept), encoding="utf-8")


def test_a_record_is_all_that_a_new_filter_needs(tmp_path: Path) -> None:
    with_one_more(tmp_path)
    world = {**os.environ, "PYTHONPATH": f"{tmp_path}:{TESTS}", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", ASKED], env=world, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "GangTooWide | no pool fits: 1 pool GangTooWide (a gang is wider than two)",
        "3 replicas at once | at most 2",
        "spec.alternatives[0].replicas 3 2",
        "1",
    ]


def test_a_reason_without_a_record_cannot_be_worked_with(tmp_path: Path) -> None:
    with_one_more(tmp_path)
    offers = tmp_path / "sampan/scheduling/feasibility/constraints/offer.py"
    offers.write_text(offers.read_text(encoding="utf-8").replace("OFFER: Final = (GANG, ", "OFFER: Final = ("), encoding="utf-8")
    world = {**os.environ, "PYTHONPATH": f"{tmp_path}:{TESTS}", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", "import sampan.scheduling.cycle"], env=world, capture_output=True, text=True, check=False)
    assert "reasons without a record in constraints/: ['GANG_TOO_WIDE']" in done.stderr
