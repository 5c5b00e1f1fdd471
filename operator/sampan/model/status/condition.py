"""Conditions as values, and the one way to set one: of jobs and of offers alike. What they are about is said in lists of words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sampan.model.members.offer_reasons import OfferConditionType, OfferStatedReason
from sampan.model.status.reasons import JobConditionType, StatedReason

IS_TRUE: Final = "True"
IS_FALSE: Final = "False"
UNCLEAR: Final = "Unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One aspect of an object's state, as `status.conditions` shows it."""

    type: str
    status: str
    """True, False or Unknown."""
    reason: str
    message: str = ""
    since: int | None = None
    """When `status` last changed, in milliseconds since the epoch."""
    generation: int | None = None
    """Of the spec that it was found on."""
    later: Mapping[str, Any] | None = None
    """What a later version of ours wrote beside it: kept as it is."""

    @property
    def is_true(self) -> bool:
        """Tell whether it is True."""
        return self.status == IS_TRUE


@dataclass(frozen=True, slots=True)
class Fact:
    """What a condition is to say from now on."""

    type: JobConditionType | OfferConditionType
    is_true: bool | None
    """None: not known yet."""
    reason: StatedReason | OfferStatedReason
    message: str = ""

    @property
    def status(self) -> str:
        """Return True, False or Unknown, as the API has it."""
        return UNCLEAR if self.is_true is None else IS_TRUE if self.is_true else IS_FALSE


def find_condition(conditions: Iterable[Condition], kind: str) -> Condition | None:
    """Return the condition of this type, or None."""
    for condition in conditions:
        if condition.type == kind:
            return condition
    return None


def set_condition(conditions: tuple[Condition, ...], fact: Fact, *, at: int, generation: int | None = None) -> tuple[Condition, ...]:
    """Return the conditions with one set, at its place or at the end; `at` in milliseconds since the epoch.

    The transition time moves only when the status does. Without a `generation` the one that it had stays: whoever writes sets it.
    """
    old = find_condition(conditions, fact.type)
    entry = Condition(
        type=str(fact.type),
        status=fact.status,
        reason=str(fact.reason),
        message=fact.message,
        since=old.since if old is not None and old.status == fact.status and old.since is not None else at,
        generation=generation if generation is not None or old is None else old.generation,
        later=None if old is None else old.later,
    )
    return (*conditions, entry) if old is None else tuple(entry if each is old else each for each in conditions)
