"""Accelerator classes: one model as a user would buy it, its facts and its count rules."""

from dataclasses import dataclass
from enum import StrEnum

from sampan.model.launch import Launch


class Sharing(StrEnum):
    """How a pool hands out its devices."""

    WHOLE = "Whole"
    PARTITION = "Partition"
    TIME_SLICED = "TimeSliced"
    VIRTUAL = "Virtual"


class Precision(StrEnum):
    """A number format, as throughput figures name it."""

    FP64 = "FP64"
    FP32 = "FP32"
    FP16 = "FP16"  # or BF16: vendors print one figure for both
    FP8 = "FP8"
    INT8 = "INT8"


class Span(StrEnum):
    """Whether one replica's devices may lie in several groups (rings, boards) of a node."""

    NEVER = "Never"
    WHOLE = "Whole"
    """Only where it takes every group whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountRule:
    """Which device counts per replica a class accepts; no rule accepts every positive count."""

    allowed: tuple[int, ...] = ()
    multiple_of: int = 1
    group_size: int = 0
    """Devices per group of a node (a 910A node is two rings of 4); 0: a node is one group."""
    span: Span = Span.WHOLE

    def accepts(self, count: int) -> bool:
        """Tell whether a replica may have so many devices."""
        return count >= 1 and count % self.multiple_of == 0 and (not self.allowed or count in self.allowed)

    def largest(self, at_most: int) -> int:
        """Return the most devices that a replica may have out of so many, 0 for none; as quick for a billion as for one."""
        if self.allowed:
            return max((count for count in self.allowed if count <= at_most and self.accepts(count)), default=0)
        return max(at_most - at_most % self.multiple_of, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceleratorClass:
    """Facts about one model. A figure that is not known is None, never a guess."""

    name: str
    vendor: str
    family: str
    stack: str
    origin: str
    """ISO 3166 alpha-2 country of the vendor; a class is domestic where the hub lists its origin as home."""
    memory: int | None = None
    """Nominal bytes per device."""
    memory_bandwidth: int | None = None
    """Bytes per second per device."""
    throughput: tuple[tuple[Precision, int], ...] = ()
    """Dense throughput by precision per device in micro-TFLOPS or micro-TOPS, for every precision that is known."""
    generation: str = ""
    """What an image must be built for inside the family where that matters: `gfx942`, `ascend910b`, `sm_90`."""
    units_per_device: int = 1
    devices_per_package: int = 1
    count_rule: CountRule = CountRule()
    share_rate: int | None = None
    """Milli-units of the common unit per device (A100-80 = 1000), as the platform set it; None: derived."""
    launch: Launch | None = None
    """What a pod needs to run on such devices, whoever offers them."""
    sources: tuple[str, ...] = ()

    @property
    def names(self) -> dict[str, str]:
        """Return the names by which such devices can be asked for, by word of the manifest; what is not known is left out."""
        named = {"class": self.name, "family": self.family, "vendor": self.vendor, "stack": self.stack}
        return {word: name for word, name in named.items() if name}

    def tflops(self, precision: Precision) -> int | None:
        """Return the dense throughput at a precision in micro-TFLOPS (micro-TOPS), None where it is not known."""
        return next((amount for known, amount in self.throughput if known is precision), None)

    @property
    def fp16_tflops(self) -> int | None:
        """Return the dense FP16 or BF16 throughput per device in micro-TFLOPS, None where it is not known."""
        return self.tflops(Precision.FP16)
