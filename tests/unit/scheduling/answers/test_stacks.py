"""Who is told to ask for other devices is told too that an image does not run everywhere."""

from dataclasses import replace

import pytest

from builders import A100, ASCEND, H100, HYGON, cluster, demand, node, offer, requirement, snapshot
from sampan.model.job import Requirement
from sampan.model.members.cluster import Pool
from sampan.scheduling.answers.stacks import other_image, stacks_of
from sampan.scheduling.feasibility.unknown_names import KnownNames

WORLD = snapshot(offers=[offer()], clusters=[cluster(*(node(name, name) for name in (A100, ASCEND, H100, HYGON)))])
NAMES = KnownNames(WORLD)


def pool_of(name: str) -> Pool:
    return next(cell.pool for cell in WORLD.cells if cell.pool.accelerator is not None and cell.pool.accelerator.name == name)


@pytest.mark.parametrize(
    ("need", "want"),
    [
        (requirement(H100), {"cuda"}),
        (requirement(None, stack="cann"), {"cann"}),
        (requirement(None, family="ascend-910b"), {"cann"}),
        (requirement(None, vendor="nvidia"), {"cuda"}),
        (requirement(None, resource="nvidia.com/gpu"), {"cuda"}),
        (requirement("nvidia-h1000-80gb"), {"cuda"}),
        (requirement(None, stack="cudaa"), {"cuda"}),
        (requirement("xyzzy"), set()),
        (requirement(None, resource="example.com/xpu"), set()),
    ],
)
def test_a_stack_is_told_by_whatever_is_asked_for(need: Requirement, want: set[str]) -> None:
    assert stacks_of(need, WORLD, NAMES) == want


@pytest.mark.parametrize(
    ("need", "there", "want"),
    [
        (requirement(A100), H100, None),
        (requirement(None, stack="cuda"), H100, None),
        (requirement(None, stack="cuda"), ASCEND, "built for cann"),
        (requirement(H100), ASCEND, "built for cann"),
        (requirement(ASCEND), H100, "built for cuda"),
        (requirement("nvidia-h1000-80gb"), A100, None),
        (requirement("nvidia-h1000-80gb"), ASCEND, "built for cann"),
        (requirement(None, vendor="denglin"), ASCEND, "built for cann"),
        (requirement("xyzzy"), ASCEND, "built for cann"),
        (requirement(None, resource="nvidia.com/gpu"), H100, None),
    ],
)
def test_another_stack_needs_another_image(need: Requirement, there: str, want: str | None) -> None:
    found = other_image(replace(demand(need), alternative=1), pool_of(there), snapshot=WORLD, names=NAMES)
    told = [(each.change.field, each.change.after) for each in found]
    assert told == ([] if want is None else [("spec.alternatives[1].image", want)])
