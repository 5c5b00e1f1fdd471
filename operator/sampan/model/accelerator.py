"""Accelerator classes: one model as a user would buy it, its facts and its count rules."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MAX_DEVICES_PER_NODE: Final = 1024
"""More devices of one resource than this are no devices: such an amount on a node is not believed."""


class Sharing(StrEnum):
    """How a pool hands out its devices."""

    WHOLE = "Whole"
    PARTITION = "Partition"
    TIME_SLICED = "TimeSliced"
    VIRTUAL = "Virtual"


@dataclass(frozen=True, slots=True, kw_only=True)
class CountRule:
    """Which device counts per replica a class accepts; no rule accepts every positive count."""

    allowed: tuple[int, ...] = ()
    multiple_of: int = 1

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
    fp16_tflops: int | None = None
    """Dense FP16 or BF16 throughput per device, in micro-TFLOPS."""
    memory_bandwidth: int | None = None
    """Bytes per second per device."""
    units_per_device: int = 1
    devices_per_package: int = 1
    count_rule: CountRule = CountRule()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceGroup:
    """Devices of one kind on one node, as the catalogue tells them apart."""

    resource: str
    """Extended resource to ask for, such as `nvidia.com/gpu`."""
    devices: int
    vendor: str
    accelerator_class: str | None
    """None where the model cannot be told: such devices are shown and counted, but never matched."""
    sharing: Sharing = Sharing.WHOLE
    telling_labels: tuple[tuple[str, str], ...] = ()
    """Node labels (key, value) that tell this class, so that a pod can be kept to such nodes."""
    evidence: tuple[str, ...] = ()
    """What told the class, such as `label nvidia.com/gpu.product=NVIDIA-H100-80GB-HBM3`."""
