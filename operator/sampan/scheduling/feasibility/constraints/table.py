"""All constraints, and what follows from them: filters, words, headlines, remedies, fields. A new one joins a tuple beside this file.

Nothing here knows a single reason: a table that names one is a second place to look after.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from sampan.model.job import Shape
from sampan.model.reason import Reason
from sampan.scheduling.feasibility.constraints.context import FilterContext
from sampan.scheduling.feasibility.constraints.device import DEVICE
from sampan.scheduling.feasibility.constraints.handout import HANDOUT
from sampan.scheduling.feasibility.constraints.member import MEMBER
from sampan.scheduling.feasibility.constraints.obstacles import OBSTACLES
from sampan.scheduling.feasibility.constraints.offer import OFFER
from sampan.scheduling.feasibility.constraints.placement import PLACEMENT
from sampan.scheduling.feasibility.constraints.price import PRICE
from sampan.scheduling.feasibility.constraints.record import Constraint, Field, Obstacle, Reads, Words

CONSTRAINTS: Final[tuple[Constraint, ...]] = (*PLACEMENT, *PRICE, *OFFER, *DEVICE, *HANDOUT, *MEMBER)
"""One for each reason that a filter gives. All are asked, so that a verdict names everything that is in the way."""


def by_reason(known: Iterable[Constraint | Obstacle]) -> dict[Reason, Constraint | Obstacle]:
    """Return what is known of each reason. Raises TypeError where one has no words, or two: such a table must not be worked with."""
    listed = list(known)
    times = Counter(each.reason for each in listed)
    missing = [reason.name for reason in Reason if not times[reason]]
    twice = [reason.name for reason in Reason if times[reason] > 1]
    if missing or twice:
        raise TypeError(f"reasons without a record in constraints/: {missing}; with two: {twice}")
    return {each.reason: each for each in listed}


_BY_REASON: Final = by_reason((*CONSTRAINTS, *OBSTACLES))
_FILTERS: Final = {
    reads: tuple((each.violated, 1 << each.reason.severity) for each in CONSTRAINTS if each.reads is reads) for reads in Reads
}
_WORDS: Final = {each.reason: each.words for each in CONSTRAINTS}
_RELAX: Final = {each.reason: each.relax for each in CONSTRAINTS}
_NAMED: Final = {(field.part, field.name): field for each in _BY_REASON.values() for field in each.fields}
FIELDS: Final[tuple[Field, ...]] = tuple(sorted(_NAMED.values(), key=lambda field: field.rank))
"""Every field that a change may be of, each once, in the order in which changes are told."""
OUTSIDE: Final = {each.reason: each.words for each in OBSTACLES if each.words is not None}
"""Words of what is against a cell though no filter is, and whatever its room."""


def failed_mask(reads: Reads, context: FilterContext) -> int:
    """Return bit `severity` of every reason that the filters which read so much have against a cell."""
    mask = 0
    for violated, bit in _FILTERS[reads]:
        if violated(context):
            mask |= bit
    return mask


def violated(context: FilterContext) -> tuple[Reason, ...]:
    """Return every reason that a filter has against the cell, worst first; none if it may be used when there is room."""
    found = [each.reason for each in CONSTRAINTS if each.violated(context)]
    return tuple(sorted(found, key=lambda reason: reason.severity))


def words_of(reason: Reason, context: FilterContext) -> Words:
    """Return what is needed and what is present where a filter gave the reason."""
    return _WORDS[reason](context)


def relaxed(reason: Reason, context: FilterContext) -> Iterable[FilterContext]:
    """Return the context after each change of the job that may lift a filter's reason; none where it is not the job's to lift."""
    return _RELAX[reason](context)


def meaning(reason: Reason, shape: Shape) -> str:
    """Return what a reason means for a job of this shape."""
    return _BY_REASON[reason].headline(shape)
