"""What of our attempts the member's own books do not show yet: quotas count pods as they are made, Kueue a job once it reserved for it.

An assignment is taken from what is left the moment it is made; without that, as many jobs as wait would be bound to what is left
for one. What the member says that it counts is not taken a second time.
"""

from collections.abc import Iterable, Mapping

from sampan.model.admission import ALL_PODS, JOBS
from sampan.scheduling.capacity import Flight


def uncounted(flight: Flight) -> dict[str, int]:
    """Return what a quota will count for an attempt and does not yet."""
    made = flight.made
    waiting = max(flight.replicas - flight.finished - made.active, 0)
    amounts = {name: amount * waiting for name, amount in flight.use.each.items()}
    for name, amount in flight.use.once.items():
        there = made.active + made.ended if name == ALL_PODS else amount * (made.job if name == JOBS else made.dependents)
        amounts[name] = amounts.get(name, 0) + max(amount - there, 0)
    return amounts


def counted(flight: Flight) -> dict[str, int]:
    """Return what a quota counts for an attempt by now."""
    made = flight.made
    amounts = {name: amount * made.active for name, amount in flight.use.each.items()}
    for name, amount in flight.use.once.items():
        there = min(made.active + made.ended, amount) if name == ALL_PODS else amount * (made.job if name == JOBS else made.dependents)
        amounts[name] = amounts.get(name, 0) + there
    return amounts


def unreserved(flights: Iterable[Flight], reserved: Mapping[str, int] | None) -> dict[str, int]:
    """Return what the attempts in one queue will reserve and have not; `reserved`: what the queue says, None where it does not.

    Where the queue does not say, an attempt that it let in counts as reserved.
    """
    wanted: dict[str, int] = {}
    for flight in flights:
        if reserved is None and flight.made.admitted:
            continue
        running = max(flight.replicas - flight.finished, 0)
        for name, amount in flight.use.each.items():
            wanted[name] = wanted.get(name, 0) + amount * running
    return {name: max(amount - (reserved or {}).get(name, 0), 0) for name, amount in wanted.items()}


def total(amounts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return the sum of amounts by name."""
    summed: dict[str, int] = {}
    for each in amounts:
        for name, amount in each.items():
            summed[name] = summed.get(name, 0) + amount
    return summed
