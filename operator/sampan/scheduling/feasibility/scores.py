"""What makes a cell good, as integers 1..100 per part, 0 for what is not known. No filter here: every cell that arrives may be used.

Part = clamp(50 - 12.5 * log2(x / reference), 1, 100): half the reference gains 12.5 points. Because each part looks at one cell
and at fixed references, the order of two cells never depends on a third.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from sampan.model.job import Demand, Domestic, Shape
from sampan.model.members.accelerator import AcceleratorClass
from sampan.model.policy import Policy
from sampan.model.values.quantity import INFINITE, MICRO
from sampan.scheduling.feasibility.constraints.context import FilterContext

HOUR: Final = 3600
FULL: Final = 100
_SHIFT: Final = 64


def _root25(number: int) -> int:
    """Return the integer 25th root, by bisection."""
    low, high = 0, 1 << (number.bit_length() // 25 + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**25 <= number else (low, middle - 1)
    return low


_LIMITS: Final = tuple(_root25(1 << (25 * _SHIFT + 100 - 2 * part)) for part in range(100, 0, -1))
"""Greatest x / reference (in units of 2^-64) that still earns 100, 99, … 1: 2^((100 - 2 part) / 25)."""


def log_part(amount: int, reference: int) -> int:
    """Return the points 1..100 of an amount of which less is better; equal to the reference earns 50."""
    if amount <= 0:
        return FULL
    ratio = -(-(amount << _SHIFT) // max(reference, 1))
    return max(FULL - bisect_left(_LIMITS, ratio), 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreContext:
    """All that the parts which do not depend on the moment's room may read."""

    context: FilterContext
    shape: Shape
    policy: Policy
    classes: Mapping[str, AcceleratorClass]


def cost(r: ScoreContext) -> int:
    """Price of the whole job on these devices: price per device-hour x devices x expected time on that class."""
    demand, price = r.context.demand, r.context.price
    if demand.requirement is None or price is None:
        return 0
    seconds = expected_seconds(r.shape, demand, on=r.context.pool.accelerator, classes=r.classes)
    if seconds is None:
        return 0
    return log_part(price * _devices(demand) * seconds, _reference(r))


def cost_steps(r: ScoreContext) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]] | None:
    """Return the greatest prices that still earn 100, 99, … 1 for cost on these devices; None where cost is not known at any price.

    price x unit > limit x reference / 2^64 exactly where price > floor(floor(limit x reference / 2^64) / unit), so that comparing
    prices with these integers earns what `cost` says; clipped where no price reaches.
    """
    demand = r.context.demand
    seconds = expected_seconds(r.shape, demand, on=r.context.pool.accelerator, classes=r.classes)
    if demand.requirement is None or seconds is None:
        return None
    unit, reference = _devices(demand) * seconds, max(_reference(r), 1)
    steps = [INFINITE if unit <= 0 else min((limit * reference >> _SHIFT) // unit, INFINITE) for limit in _LIMITS]
    return np.array(steps, dtype=np.int64)


def performance(r: ScoreContext) -> int:
    """Expected time on these devices against the time that the job's first alternative is told to take."""
    demand = r.context.demand
    if demand.requirement is None:
        return 0
    seconds = expected_seconds(r.shape, demand, on=r.context.pool.accelerator, classes=r.classes)
    return 0 if seconds is None else log_part(seconds, _reference_seconds(r))


def domestic(r: ScoreContext) -> int:
    """Devices from the hub's home country, where job or policy prefers them; where nobody does, every cell is liked."""
    wishes = r.context.placement.domestic is Domestic.PREFERRED or r.policy.prefers_domestic
    return FULL if not wishes or r.context.demand.requirement is None or r.context.pool.domestic else 1


def green(r: ScoreContext) -> int:
    """CO2 per kilowatt-hour of computing: grid x PUE x what is not renewable; unknown where one is not told, or is out of date."""
    energy = r.context.offer.energy
    if energy.grams_co2_per_kwh is None or energy.pue is None or energy.span is None:
        return 0
    if not energy.span[0] <= r.context.now < energy.span[1]:
        return 0
    other = MICRO - (energy.renewable_share or 0)  # no word on renewables claims none
    return log_part(energy.grams_co2_per_kwh * energy.pue * other, r.policy.reference_grams * MICRO * MICRO)


SCORERS: Final[tuple[tuple[str, Callable[[ScoreContext], int]], ...]] = (
    ("cost", cost),
    ("performance", performance),
    ("domestic", domestic),
    ("green", green),
)
"""Parts that rest on shape and cell alone; `packing` joins them when the nodes are picked."""


def weighted(policy: Policy, name: str, part: int) -> int:
    """Return what a part of 0..100 adds to the score under the policy's weights, rounded down."""
    return policy.weights[name] * part // FULL


def expected_seconds(shape: Shape, demand: Demand, *, on: AcceleratorClass | None, classes: Mapping[str, AcceleratorClass]) -> int | None:
    """Return how long the job probably runs by this demand on a class, None where that is not known.

    The alternative's own figure; else the job's figure, which holds for its first alternative and scales with throughput from the
    class named there. A job that tells no time at all is compared at one hour everywhere.
    """
    if demand.expected_seconds is not None:
        return demand.expected_seconds
    if shape.expected_seconds is None:
        return None if any(d.expected_seconds is not None for d in shape.demands) else HOUR
    first = shape.demands[0].requirement
    named = first.accelerator_class if first else None
    if on is not None and on.name == named:
        return shape.expected_seconds
    reference = classes.get(named) if named else None
    if named is None:
        return shape.expected_seconds if demand == shape.demands[0] else None
    if reference is None or on is None or reference.fp16_tflops is None or on.fp16_tflops is None:
        return None
    return max(shape.expected_seconds * reference.fp16_tflops // on.fp16_tflops, 1)


def _reference(r: ScoreContext) -> int:
    """Return the cost that scores 50: the policy's price for the devices and hours of the job's first alternative."""
    return r.policy.reference_price * max(_devices(r.shape.demands[0]), 1) * _reference_seconds(r)


def _reference_seconds(r: ScoreContext) -> int:
    """Return the time that the first alternative is told to take; an hour where no time is told at all."""
    first = r.shape.demands[0]
    told = (first.expected_seconds, r.shape.expected_seconds, *(d.expected_seconds for d in r.shape.demands))
    return next((seconds for seconds in told if seconds is not None), HOUR)


def _devices(demand: Demand) -> int:
    return demand.devices * demand.replicas
