"""The verdicts that a status keeps of its binding, between manifests and values. No rule reads them: only answers for people do."""

from collections.abc import Mapping, Sequence
from typing import Any, overload

from sampan.model.members.offer import OfferKey
from sampan.model.plan import Verdict
from sampan.model.reason import Reason

_REASONS = {str(reason): reason for reason in Reason}


class StoredVerdicts(Sequence[Verdict]):
    """Verdicts as they were read: translated when somebody looks, because every write of a status brings all of them along."""

    __slots__ = ("raw",)

    def __init__(self, raw: Sequence[Mapping[str, Any]]) -> None:
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
        """Return one, or some. Raises KeyError for one without an offer, which nobody of us wrote."""
        return StoredVerdicts(self.raw[index]) if isinstance(index, slice) else _verdict_from(self.raw[index])

    def __eq__(self, other: object) -> bool:
        """Tell whether the API would show the same."""
        return isinstance(other, StoredVerdicts) and self.raw == other.raw

    __hash__ = None  # type: ignore[assignment]


def verdicts_manifest(verdicts: Sequence[Verdict]) -> Sequence[Mapping[str, Any]]:
    """Return verdicts as the API has them; stored ones as they were read."""
    return verdicts.raw if isinstance(verdicts, StoredVerdicts) else [_manifest(verdict) for verdict in verdicts]


def _verdict_from(raw: Mapping[str, Any]) -> Verdict:
    """Return one verdict; reasons of a later version are left out."""
    return Verdict(
        offer=OfferKey(raw["offer"]["namespace"], raw["offer"]["name"]),
        pool=raw.get("pool") or "",
        alternative=None,
        score=raw.get("score"),
        parts=tuple((raw.get("parts") or {}).items()),
        reasons=tuple(_REASONS[each] for each in raw.get("reasons") or () if each in _REASONS),
    )


def _manifest(verdict: Verdict) -> dict[str, Any]:
    entry: dict[str, Any] = {"offer": {"namespace": verdict.offer.namespace, "name": verdict.offer.name}, "pool": verdict.pool}
    if verdict.score is None:
        return entry | {"reasons": [str(reason) for reason in verdict.reasons]}
    return entry | {"score": verdict.score, "parts": dict(verdict.parts)}
