"""Charges that wait to be stored, oldest first, and the rule that bounds them while the store is away without losing any.

An attempt that began and ended while nothing could be stored needs no row of its own: nothing corrects it any more. Such attempts are
folded, one entry for each namespace of a queue, whose gain is the sum of what each of them adds. What is left by itself is an attempt
that has not ended, or the correction of one that is stored as not ended: as many as jobs run, now or when the store went.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, replace
from typing import Final

from sampan.scheduling.queueing.charge import decayed_forward
from sampan.store.charges import FoldedUse, Use

FOLD_FROM: Final = 10_000
"""Entries from which on they are folded; a store that answers leaves far fewer."""


class Outbox:
    """What is not stored yet. Whatever was handed to the store once stays as it is: it may be stored, and the answer lost."""

    def __init__(self, *, half_life: int, fold_from: int = FOLD_FROM) -> None:
        """`half_life` in milliseconds, as the store counts."""
        self._half_life, self._fold_from = half_life, fold_from
        self._fold_at = fold_from
        self._entries: list[Use] = []
        self._tried = 0
        """So many of the oldest were handed to the store."""
        self.folded = 0
        """Attempts that lost their own entry, since the start."""
        self.on_entry: list[Callable[[], None]] = []

    def __len__(self) -> int:
        """Return how many entries wait."""
        return len(self._entries)

    def __iter__(self) -> Iterator[Use]:
        """Yield them, oldest first."""
        return iter(self._entries)

    def put(self, use: Use) -> None:
        """Take in a charge or a correction."""
        self._entries.append(use)
        if len(self._entries) > self._fold_at:
            self._fold()
        for listener in self.on_entry:
            listener()

    def batch(self, most: int) -> list[Use]:
        """Return the oldest entries, to be handed to the store."""
        found = self._entries[:most]
        self._tried = max(self._tried, len(found))
        return found

    def stored(self, count: int) -> None:
        """Forget the oldest entries: the store has them."""
        del self._entries[:count]
        self._tried = max(self._tried - count, 0)
        self._fold_at = max(self._fold_from, 2 * len(self._entries))

    def _fold(self) -> None:
        """Fold what may be; twice what is left may come before it is tried again, so that it costs little an entry."""
        kept, ended, sums = _sorted(self._entries[self._tried :])
        for use in ended:
            total = use.queue, use.namespace
            sums[total] = folded(sums.get(total), use, half_life=self._half_life)
        self.folded += len(ended)
        self._entries[self._tried :] = [*sums.values(), *kept]
        self._fold_at = max(self._fold_from, 2 * len(self._entries))


def _sorted(entries: Iterable[Use]) -> tuple[list[Use], list[Use], dict[tuple[str, str], FoldedUse]]:
    """Return what keeps its entry, the attempts of which begin and end are here, and the sums that were made before."""
    uses: dict[tuple[str, int], list[Use]] = {}
    sums: dict[tuple[str, str], FoldedUse] = {}
    for entry in entries:
        if isinstance(entry, FoldedUse):
            sums[entry.queue, entry.namespace] = entry
        else:
            uses.setdefault((entry.job_uid, entry.attempt), []).append(entry)
    whole = {key for key, found in uses.items() if not found[0].final and found[-1].final}
    kept = [use for key, found in uses.items() if key not in whole for use in found]
    return kept, [next(use for use in uses[key] if use.final) for key in uses if key in whole], sums


def folded(known: FoldedUse | None, use: Use, *, half_life: int) -> FoldedUse:
    """Return an entry with one more attempt, which has ended; its row is named after the first one."""
    gain = decayed_forward(use.amount, use.at, half_life)
    if known is None:
        row = {field.name: getattr(use, field.name) for field in fields(use)}
        return FoldedUse(**row | {"job_uid": f"folded:{use.job_uid}"}, gain=gain, attempts=1)
    return replace(
        known,
        at=max(known.at, use.at),
        amount=known.amount + use.amount,
        seconds=known.seconds + use.seconds,
        gain=known.gain + gain,
        attempts=known.attempts + 1,
    )
