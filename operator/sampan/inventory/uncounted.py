"""What of our attempts the member's own counts do not show yet: quotas count pods as they are made, Kueue a job once it reserved for it.

An assignment is taken from what is left the moment it is made; without that, as many jobs as wait would be bound to what is left
for one. What the member says that it counts is not taken a second time.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from sampan.inventory.in_flight import InFlight
from sampan.model.members.admission import ALL_PODS, JOBS, EffortScope


def uncounted(attempt: InFlight) -> dict[str, int]:
    """Return what a quota will count for an attempt and does not yet."""
    made = attempt.created
    waiting = max(attempt.replicas - attempt.finished - made.active, 0)
    amounts = {name: amount * waiting for name, amount in attempt.use.each.items()}
    for name, amount in attempt.use.once.items():
        there = made.active + made.ended if name == ALL_PODS else amount * (made.job if name == JOBS else made.dependents)
        amounts[name] = amounts.get(name, 0) + max(amount - there, 0)
    return amounts


def counted(attempt: InFlight) -> dict[str, int]:
    """Return what a quota counts for an attempt by now."""
    made = attempt.created
    amounts = {name: amount * made.active for name, amount in attempt.use.each.items()}
    for name, amount in attempt.use.once.items():
        there = min(made.active + made.ended, amount) if name == ALL_PODS else amount * (made.job if name == JOBS else made.dependents)
        amounts[name] = amounts.get(name, 0) + there
    return amounts


class QuotaTally:
    """What quotas count, and will count, for the attempts under way: each is looked at once, and taken out again when it is another."""

    def __init__(self) -> None:
        """Start with none."""
        self._taken: dict[int, tuple[InFlight, dict[str, int], dict[str, int]]] = {}
        """By identity: an attempt that changed is another value."""
        self._sums: dict[tuple[str, bool], tuple[dict[str, int], dict[str, int]]] = {}
        """What is counted and what is not yet, by namespace and whether the pods ask for neither CPU nor memory."""

    def take(self, attempts: Iterable[InFlight]) -> None:
        """Count these and no others."""
        there = {id(attempt): attempt for attempt in attempts}
        for key in self._taken.keys() - there.keys():
            attempt, *amounts = self._taken.pop(key)
            self._add(attempt, amounts, sign=-1)
        for key in there.keys() - self._taken.keys():
            attempt = there[key]
            amounts = [counted(attempt), uncounted(attempt)]
            self._taken[key] = attempt, amounts[0], amounts[1]
            self._add(attempt, amounts, sign=1)

    def of(self, namespace: str, scope: EffortScope) -> tuple[Mapping[str, int], Mapping[str, int]]:
        """Return what a quota of this namespace and scope counts of the attempts by now, and what it will and does not yet."""
        found = [self._sums.get((namespace, effort), ({}, {})) for effort in (False, True) if scope.counts(best_effort=effort)]
        return total(seen for seen, _ in found), total(due for _, due in found)

    def _add(self, attempt: InFlight, amounts: Sequence[Mapping[str, int]], *, sign: int) -> None:
        sums = self._sums.setdefault((attempt.namespace, attempt.use.best_effort), ({}, {}))
        for summed, each in zip(sums, amounts, strict=True):
            for name, amount in each.items():
                summed[name] = summed.get(name, 0) + sign * amount


def unreserved(
    attempts: Iterable[InFlight], reserved: Mapping[str, int] | None, used: Mapping[str, int] = MappingProxyType({})
) -> dict[str, int]:
    """Return what the attempts in one queue will reserve and have not; `reserved`: what the queue says, None where it does not.

    `used`: how much of that is admitted. What is more than our attempts that it admitted is of others, and stands for none of ours.
    Where the queue does not say, an attempt that it admitted counts as reserved.
    """
    bound = tuple(attempts)
    admitted = total(_wanted(each) for each in bound if each.created.admitted)
    wanted = total(_wanted(each) for each in bound if reserved is not None or not each.created.admitted)
    foreign = {name: max(amount - admitted.get(name, 0), 0) for name, amount in used.items()}
    ours = {name: max(amount - foreign.get(name, 0), 0) for name, amount in (reserved or {}).items()}
    return {name: max(amount - ours.get(name, 0), 0) for name, amount in wanted.items()}


def _wanted(attempt: InFlight) -> dict[str, int]:
    running = max(attempt.replicas - attempt.finished, 0)
    return {name: amount * running for name, amount in attempt.use.each.items()}


def total(amounts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return the sum of amounts by name."""
    summed: dict[str, int] = {}
    for each in amounts:
        for name, amount in each.items():
            summed[name] = summed.get(name, 0) + amount
    return summed
