"""The figures of devices that a job may ask for, in one list: filters, words, remedies and changes all go through it.

A figure that is not known is never enough.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sampan.model.members.accelerator import AcceleratorClass, Precision
from sampan.model.values.quantity import format_bytes, format_micro


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """An amount that each device must have at least."""

    name: str
    """As people call it."""
    field: str
    """Below `accelerator.capability` of the manifest."""
    wanted: str
    """Attribute of Requirement, None there where it is not asked for."""
    known: Callable[[AcceleratorClass], int | None]
    show: Callable[[int], str]
    """Writes an amount as the manifest does."""
    unit: str = ""
    """What follows the amount in a sentence."""
    joint: str = " of "
    """Between an amount and the name."""

    def phrase(self, amount: int) -> str:
        """Return an amount with its name: `80Gi of memory`, `989.00 FP16 TFLOPS`."""
        return f"{self.told(amount)}{self.joint}{self.name}"

    def told(self, amount: int | None) -> str:
        """Return an amount as people read it."""
        return "not known" if amount is None else f"{self.show(amount)}{self.unit}"


FIGURES: Final = (
    Figure(name="memory", field="memoryPerDevice", wanted="memory_per_device", known=lambda have: have.memory, show=format_bytes),
    Figure(
        name="FP16 TFLOPS",
        field="fp16TFLOPS",
        wanted="fp16_tflops",
        known=lambda have: have.fp16_tflops,
        show=format_micro,
        joint=" ",
    ),
    Figure(
        name="memory bandwidth",
        field="memoryBandwidthGBps",
        wanted="memory_bandwidth",
        known=lambda have: have.memory_bandwidth,
        show=lambda amount: str(amount // 10**9),
        unit=" GB/s",
    ),
    Figure(
        name="FP64 TFLOPS",
        field="fp64TFLOPS",
        wanted="fp64_tflops",
        known=lambda have: have.tflops(Precision.FP64),
        show=format_micro,
        joint=" ",
    ),
)


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A figure that devices have too little of, or that is not known."""

    figure: Figure
    wanted: int
    present: int | None


@dataclass(frozen=True, slots=True)
class NoFigure:
    """A number format that devices are to support and have no known figure for."""

    precision: Precision
