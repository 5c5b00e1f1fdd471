"""The verdicts that a status keeps of its binding, as text and as values. No rule reads them: only answers for people do.

One line a pool, because an API server looks at every value of an object at every write of it, and a verdict has nine.
"""

from collections.abc import Sequence
from typing import Any, overload

from sampan.model.members.offer import OfferKey
from sampan.model.plan import Verdict
from sampan.model.reason import Reason

_REASONS = {str(reason): reason for reason in Reason}
_BEFORE_POOL, _BEFORE_WORD, _BEFORE_PARTS, _BETWEEN = " ", ": ", " = ", ", "


class StoredVerdicts(Sequence[Verdict]):
    """Verdicts as they were read: translated when somebody looks, because every write of a status brings all of them along."""

    __slots__ = ("raw",)

    def __init__(self, raw: Sequence[str]) -> None:
        """`raw` as the API has it; it is not changed."""
        self.raw = raw

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.raw)

    @overload
    def __getitem__(self, index: int) -> Verdict: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Verdict]: ...
    def __getitem__(self, index: int | slice) -> Verdict | Sequence[Verdict]:
        """Return one, or some."""
        return StoredVerdicts(self.raw[index]) if isinstance(index, slice) else _verdict_from(self.raw[index])

    def __eq__(self, other: object) -> bool:
        """Tell whether the API would show the same."""
        return isinstance(other, StoredVerdicts) and self.raw == other.raw

    __hash__ = None  # type: ignore[assignment]


def verdicts_manifest(verdicts: Sequence[Verdict]) -> Sequence[str]:
    """Return verdicts as the API has them; stored ones as they were read."""
    return verdicts.raw if isinstance(verdicts, StoredVerdicts) else [_line(verdict) for verdict in verdicts]


def _line(verdict: Verdict) -> str:
    """Return `NAMESPACE/OFFER POOL: SCORE = PART POINTS, …`, or the reasons after the colon; no pool where all of the offer was refused."""
    place = f"{verdict.offer.namespace}/{verdict.offer.name}" + (_BEFORE_POOL + verdict.pool if verdict.pool else "")
    if verdict.score is None:
        return place + _BEFORE_WORD + _BETWEEN.join(map(str, verdict.reasons))
    parts = _BETWEEN.join(f"{part} {points}" for part, points in verdict.parts)
    return f"{place}{_BEFORE_WORD}{verdict.score}" + (_BEFORE_PARTS + parts if parts else "")


def _verdict_from(line: str) -> Verdict:
    """Return one verdict; reasons of a later version are left out. Raises ValueError for what is none."""
    place, colon, words = line.rpartition(_BEFORE_WORD)
    offer, _, pool = place.partition(_BEFORE_POOL)
    namespace, slash, name = offer.partition("/")
    if not colon or not slash:
        raise ValueError(f"no verdict: {line[:64]!r}")
    about: dict[str, Any] = {"offer": OfferKey(namespace, name), "pool": pool, "alternative": None}
    score, _, parts = words.partition(_BEFORE_PARTS)
    if not score.isdecimal():
        return Verdict(**about, reasons=tuple(_REASONS[each] for each in words.split(_BETWEEN) if each in _REASONS))
    earned = (each.rpartition(" ") for each in parts.split(_BETWEEN) if each)
    return Verdict(**about, score=int(score), parts=tuple((part, int(points)) for part, _, points in earned))
