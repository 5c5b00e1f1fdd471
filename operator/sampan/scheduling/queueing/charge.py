"""What a job costs its queue in fair share: common-unit hours for the span that it may hold its devices, decayed forward. Not money.

The dominant resource, as of Slurm's MAX_TRES: SU-hours = max over resources (used / the node's) x the node's devices x share rate x
hours, in integers.
"""

from math import isqrt
from typing import Final

from sampan.model.members.cluster import Cell, Cluster
from sampan.model.plan import Assignment
from sampan.model.values.vector import CPU
from sampan.scheduling.capacity.request import replica_request
from sampan.scheduling.queueing.units import device_rate

HOUR: Final = 3600
UNDECLARED: Final = 24 * HOUR
"""Seconds charged for a job that declares no end; corrected when it ends."""
CORE_RATE: Final = 10
"""Milli-units per core of a node without devices."""
EPOCH: Final = 1_767_225_600_000
"""Moment (milliseconds) at which use counts as it is: 2026-01-01T00:00:00Z."""
_BITS: Final = 62
_STEPS: Final = 24


def _roots() -> tuple[int, ...]:
    """Return 2^(1/2), 2^(1/4), … in fixed point."""
    roots, value = [], 2 << _BITS
    for _ in range(_STEPS):
        value = isqrt(value << _BITS)
        roots.append(value)
    return tuple(roots)


_ROOTS: Final = _roots()


def usage_charge(done: Assignment, cell: Cell, cluster: Cluster) -> int:
    """Return micro-units of common-unit hours for what an assignment may hold, not decayed forward; at least 1."""
    seconds = UNDECLARED if done.demand.span_seconds is None else done.demand.span_seconds
    request, pool = replica_request(done.demand, cell.pool), cell.pool
    units = pool.units_per_device
    rate = device_rate(done.demand, pool)
    total = 0
    for node, replicas in done.nodes:
        has = cluster.nodes[node].allocatable
        size = has[pool.resource] // units * rate if pool.resource else has[CPU] * CORE_RATE // 1000
        total += max((amount * size * 1000 // max(has[name], 1) for name, amount in request), default=0) * replicas
    return max(total * seconds // HOUR, 1)


def decayed_forward(amount: int, now: int, half_life: int) -> int:
    """Return use at a moment in units of `EPOCH`: amount x 2^((now - EPOCH) / half-life), rounded down.

    New use grows in place of old use decaying, so that idle queues need no update (Slurm's half-life decay, seen from the other end).
    """
    doublings, rest = divmod(now - EPOCH, max(half_life, 1))
    factor, left = 1 << _BITS, rest
    for root in _ROOTS:
        left *= 2
        if left >= half_life:
            left -= half_life
            factor = factor * root >> _BITS
    grown = amount * factor
    return grown << doublings >> _BITS if doublings >= 0 else grown >> (_BITS - doublings)
