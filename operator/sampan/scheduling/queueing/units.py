"""The common unit: how much of an A100 80 GB one device counts in fair share, in milli-units. Neither money nor speed of a job.

A rate that the platform set holds; else the geometric mean of what is known of FP16 throughput and memory bandwidth; else 1000, assumed.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import isqrt
from typing import Final

from sampan.model.job import Demand
from sampan.model.members.accelerator import AcceleratorClass, Sharing
from sampan.model.members.cluster import Pool

A100: Final = 1000
"""Milli-units of the device that the unit is named after, and of one about which nothing is known."""
_FP16: Final = 312_000_000
"""Its dense FP16 throughput in micro-TFLOPS. Source: NVIDIA A100 datasheet."""
_BANDWIDTH: Final = 2_039_000_000_000
"""Its memory bandwidth (SXM) in bytes per second. Source: NVIDIA A100 datasheet."""
_MIG_SLICES: Final = 7
"""Compute slices of a device that NVIDIA partitions: profile `2g.20gb` has two. Source: NVIDIA MIG User Guide."""


class Basis(StrEnum):
    """What a rate rests on, best first."""

    SET = "set"
    RATIOS = "ratios"
    ASSUMED = "assumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Milli-units per device, at least 1, and what they rest on."""

    milli: int
    basis: Basis


def share_rate(of: AcceleratorClass | None) -> Rate:
    """Return the rate of one whole device of a class; None: its class cannot be told."""
    if of is None:
        return Rate(milli=A100, basis=Basis.ASSUMED)
    if of.share_rate is not None:
        return Rate(milli=max(of.share_rate, 1), basis=Basis.SET)
    known = [(of.fp16_tflops, _FP16), (of.memory_bandwidth, _BANDWIDTH)]
    ratios = [amount * A100**2 // whole for amount, whole in known if amount is not None]
    if not ratios:
        return Rate(milli=A100, basis=Basis.ASSUMED)
    milli = isqrt(ratios[0] * ratios[-1]) // A100  # one missing: the other twice
    return Rate(milli=max(milli, 1), basis=Basis.RATIOS)


def device_rate(demand: Demand, pool: Pool) -> int:
    """Return milli-units per device that a demand takes of a pool: of a partition or share, the larger of its memory and compute."""
    whole, parts = share_rate(pool.accelerator).milli, _parts(demand, pool)
    return max([1, *(min(whole, -(-whole * part // of)) for part, of in parts)]) if parts else whole


def _parts(demand: Demand, pool: Pool) -> list[tuple[int, int]]:
    """Return the known (part, whole) of memory and of compute; none where the device is whole or no part is known."""
    need = demand.requirement
    memory = pool.accelerator.memory if pool.accelerator else None
    parts: list[tuple[int, int]] = []
    if pool.sharing is Sharing.PARTITION:
        if pool.memory is not None and memory:
            parts.append((pool.memory, memory))
        slices, mark, _ = pool.profile.partition("g.")
        if pool.vendor == "nvidia" and mark and slices.isdecimal():
            parts.append((int(slices), _MIG_SLICES))
    elif need is not None and need.share is not None:
        if memory:
            parts.append((need.share.memory, memory))
        parts.append((need.share.compute_percent, 100))
    return parts
