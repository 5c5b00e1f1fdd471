"""What a shape's verdicts alone say of all columns, summed up: kept, for it stays as it is while only room changes. Made in `diagnosis`."""

from dataclasses import dataclass

from sampan.scheduling.capacity.cells import CellIndex
from sampan.scheduling.capacity.topology import Numbers

RefusedCell = tuple[int, int, int, int]
"""How mild, column, mask, and the alternative by its place in the shape: least first as in `Diagnosis.least_refused`."""


@dataclass(frozen=True, slots=True)
class ClosedCells:
    """What a job's verdicts alone say of the columns that it is asked about, some of its alternatives taken together."""

    cells: CellIndex
    """The columns that it is about."""
    versions: tuple[int, ...]
    """Of the rows of the alternatives."""
    counts: Numbers
    """Refused columns by severity of the worst reason: of the devices asked for, then of others."""
    mildest: tuple[RefusedCell, ...]
    open: Numbers
    """Columns that only room could be against by some alternative: not counted here."""
    masks: tuple[tuple[int, Numbers], ...]
    """By alternative, with its place in the shape: what is against the open columns; 0: nothing but room."""
