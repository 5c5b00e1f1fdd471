"""Names that nobody knows come with the nearest, in the first line that a tenant reads, and with the change to it."""

from dataclasses import replace

import pytest

from builders import A100, H100, NOW, accelerator_class, cluster, demand, job, node, offer, pool, requirement, shape, snapshot
from sampan.model.job import Requirement
from sampan.model.members.cluster import Cell
from sampan.model.members.device import UNKNOWN_VENDOR
from sampan.model.plan import UnknownName
from sampan.model.snapshot import Snapshot
from sampan.scheduling.answers.explain import explain
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import schedule
from sampan.scheduling.feasibility.unknown_names import KnownNames, likeness

SLIP = "nvidia-h1000-sxm-80gb"
WRONG = shape(demand(requirement(SLIP)))
REMARK = f"no class {SLIP} is known, the nearest is {H100}; an AcceleratorClass would add it"
WORLD = snapshot([job(wanted=WRONG)], [offer()], [cluster(node("a", A100), node("h", H100))])


def test_a_name_that_nobody_knows_comes_with_the_nearest() -> None:
    names = KnownNames(WORLD)
    assert names.unknown_in(None) == ()
    assert names.unknown_in(requirement(H100)) == ()
    assert names.unknown(WRONG) == (UnknownName(index=0, word="class", name=SLIP, nearest=H100),)
    assert names.unknown_in(requirement(None, vendor="nvida"), 2) == (UnknownName(index=2, word="vendor", name="nvida", nearest="nvidia"),)
    assert names.unknown_in(requirement(None, stack="zzzz")) == (UnknownName(index=0, word="stack", name="zzzz"),)


@pytest.mark.parametrize(
    ("wanted", "want"),
    [
        (requirement(None, vendor="denglin"), ""),
        (requirement(None, vendor="ndivia"), "nvidia"),
        (requirement(None, vendor="adm"), "amd"),
        (requirement(None, stack="rocm6"), "rocm"),
        (requirement(None, stack="mlu"), ""),
        (requirement(None, family="hopper"), "nvidia-hopper"),
        (requirement(None, family="zzzz"), ""),
    ],
)
def test_a_name_that_is_like_another_by_chance_is_no_slip(wanted: Requirement, want: str) -> None:
    (unknown,) = KnownNames(WORLD).unknown_in(wanted)
    assert unknown.nearest == want
    if not want:
        assert {likeness((unknown,), cell.pool) for cell in WORLD.cells} == {0}


def test_a_vendor_whose_devices_are_there_is_known_though_no_class_of_it_is() -> None:
    wanted = requirement(None, vendor="denglin")
    assert KnownNames(WORLD).unknown_in(wanted)
    there = replace(pool(), accelerator=None, vendor="denglin", resource="denglin.com/gpu")
    nameless = replace(pool(), accelerator=None, vendor=UNKNOWN_VENDOR, resource="x.example/gpu")
    cells = tuple(Cell(offer=offer().key, pool=each) for each in (there, nameless))
    assert KnownNames(replace(WORLD, cells=cells)).unknown_in(wanted) == ()


def test_devices_are_as_like_as_their_names() -> None:
    (unknown,) = KnownNames(WORLD).unknown(WRONG)
    by_class = {cell.pool.accelerator.name: likeness((unknown,), cell.pool) for cell in WORLD.cells if cell.pool.accelerator}
    assert by_class[H100] > by_class[A100] > likeness((unknown,), replace(pool(), accelerator=None))


def headline(world: Snapshot = WORLD) -> str:
    return explain(world, Memo(), world.jobs[0])[0].headline


def test_the_headline_says_it_first_unless_an_alternative_has_known_names() -> None:
    assert headline() == f"{REMARK}; no pool fits: 2 pools AcceleratorMismatch (the devices are not class {SLIP})"
    other = shape(demand(requirement(SLIP)), demand(requirement(H100, count=99), alternative=1))
    told = headline(snapshot([job(wanted=other)], [offer()], [cluster(node("h", H100))]))
    assert told.startswith("no pool fits: 1 pool TooLarge")
    assert told.endswith(f"; {REMARK}")


def test_the_first_change_that_is_offered_is_the_nearest_name() -> None:
    found = explain(WORLD, Memo(), WORLD.jobs[0])[0]
    assert [[change.after for change in cell.changes] for cell in found.cells] == [[H100], [A100]]
    assert f"class {SLIP} (no class {SLIP} is known, the nearest is {H100})" in found.cells[0].unmet[0].needed


def test_a_class_that_is_added_is_unknown_no_more() -> None:
    plan, memo = schedule(WORLD, Memo())
    assert [each.nearest for each in plan.refusals[0].unknown] == [H100]
    added = replace(WORLD, now=NOW + 1000, classes={**WORLD.classes, SLIP: accelerator_class(SLIP)})
    plan, _ = schedule(added, memo)
    assert plan.refusals[0].unknown == ()
