"""Two shapes of a job, compared field by field as its manifest names them. Which change to propose is in `remedy`."""

from dataclasses import dataclass
from typing import Final

from sampan.model.job import Shape
from sampan.scheduling.answers.values import Change
from sampan.scheduling.feasibility.constraints.table import FIELDS

WHOLE: Final = 1_000
"""Relative size, in thousandths, of a change that is no number: a field set, taken away or widened."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A changed field and how much it changes, in thousandths of what it was."""

    change: Change
    size: int


def differences(before: Shape, after: Shape, index: int) -> tuple[Difference, ...]:
    """Return what differs between two shapes in the placement and in one demand."""
    was, becomes = before.demands[index], after.demands[index]
    found = []
    for field in FIELDS:
        old, new = field.read(before.placement, was), field.read(after.placement, becomes)
        if old != new:
            change = Change(field.path(was.alternative), field.text(old), field.text(new))
            found.append(Difference(change, _size(old, new)))
    return tuple(found)


def _size(old: object, new: object) -> int:
    return abs(new - old) * WHOLE // old if isinstance(old, int) and isinstance(new, int) and old > 0 else WHOLE
