"""What of our attempts the member's own counts do not show yet: quotas count pods as they are made, Kueue a job once it reserved for it.

An assignment is taken from what is left the moment it is made; without that, as many jobs as wait would be bound to what is left
for one. What the member says that it counts is not taken a second time.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from sampan.inventory.in_flight import InFlight
from sampan.model.members.admission import ALL_PODS, JOBS


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
