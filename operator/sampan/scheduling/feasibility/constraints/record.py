"""What a constraint is: all that is to be said of one reason, in one value. The constraints themselves are beside this file."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sampan.model.job import Demand, Placement, Shape
from sampan.model.reason import Reason
from sampan.model.values.selector import Selector
from sampan.scheduling.feasibility.constraints.context import FilterContext

Words = tuple[str, str]
"""(needed, present): what is asked for, with its value, and what there is."""


class Reads(Enum):
    """What of a context a check reads. Verdicts are shared by all that are alike there, so that it must read nothing else."""

    OFFER = "offer"
    """Offer, placement, the tenant's labels, whether the policy is known, the demand's run limit and devices in all. Not the pool."""
    POOL = "pool"
    """The demand, `placement.domestic`, the policy's word on CPU jobs, and facts of the pool (`facts_of`). Not the offer, not its nodes."""
    BOTH = "both"
    """All of it: asked cell by cell, and only where the devices are right."""


class Part(Enum):
    """Where in a job's spec a field stands, in the order in which changes are told; `own` names an alternative, where it is of one."""

    PLACEMENT = "placement."
    TEMPLATE = "template."
    """In the template, whatever the alternative."""
    JOB = "{own}"
    POD = "{pod}"
    """In the template, or in the alternative itself."""
    DEVICES = "{own}accelerator."


def written(value: object) -> str:
    """Return a name, a number, a list or a selector as a manifest has it."""
    if isinstance(value, Selector):
        return "; ".join(" ".join((each.key, str(each.operator), ",".join(each.values))).strip() for each in value.expressions)
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of a job's manifest that a constraint may ask to change."""

    part: Part
    name: str
    read: Callable[[Placement, Demand], object]
    """Its value; None or empty where it is not set."""
    show: Callable[[Any], str] = written
    """Writes a value as the manifest has it."""

    def path(self, alternative: int | None) -> str:
        """Return where it stands in the manifest of a job."""
        own = "" if alternative is None else f"alternatives[{alternative}]."
        return "spec." + self.part.value.format(own=own, pod=own or "template.") + self.name

    def text(self, value: object) -> str:
        """Return a value as people read it, empty where it is not set."""
        return "" if value is None or value in ((), "") else self.show(value)

    @property
    def rank(self) -> int:
        """Return its place in the order of parts."""
        return list(Part).index(self.part)


def nothing(_: FilterContext) -> Iterable[FilterContext]:
    """What a tenant can change about it: nothing."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """A reason that no filter gives."""

    reason: Reason
    headline: Callable[[Shape], str]
    """What it means for a job of this shape, in the first line that its tenant reads."""
    words: Words | None = None
    """What is needed and what is present; None: that rests on the room of the moment, or is of no cell."""
    fields: tuple[Field, ...] = ()
    """What a tenant can change about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """A reason that a filter gives: whether it holds, in what words, and what a tenant can change about it."""

    reason: Reason
    reads: Reads
    violated: Callable[[FilterContext], bool]
    words: Callable[[FilterContext], Words]
    """Asked only where it is violated."""
    headline: Callable[[Shape], str]
    """What it means for a job of this shape, in the first line that its tenant reads."""
    relax: Callable[[FilterContext], Iterable[FilterContext]] = nothing
    """The context after the least change that may lift it, or several to choose from; whether it does is judged again."""
    fields: tuple[Field, ...] = ()
    """What that may change."""
