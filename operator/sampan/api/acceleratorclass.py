"""AcceleratorClass: adds a model to the built-in catalogue, or corrects it. How nodes are matched is in `catalog`."""

from typing import Annotated

from pydantic import Field

from sampan.api.common import Border, Rule, as_atomic, as_set
from sampan.api.scalars import Country, Decimal, DeviceCount, DisplayText, DnsLabel, Int, Memory, ResourceName
from sampan.api.selector import LabelSelector


class CountRuleSpec(Border):
    """Which device counts one replica may ask for."""

    allowed: Annotated[tuple[DeviceCount, ...], as_set(32)] = Field((), description="Allowed counts, such as 1, 2, 4, 8; empty: any.")
    multiple_of: DeviceCount = Field(1, description="Counts must be a multiple of this. Default 1.")


class AcceleratorClassSpec(Border):
    """Facts about one model as a user would buy it. A figure that is not known is left out, never guessed."""

    display_name: DisplayText = Field("", description="Name shown to people, such as NVIDIA H100 SXM 80 GB.")
    vendor: DnsLabel = Field(description="Maker, such as nvidia, huawei or hygon.")
    family: DnsLabel = Field(description="Models that one image runs on alike, such as ascend-910b.")
    stack: DnsLabel = Field(description="Software stack, such as cuda, cann or dtk.")
    origin: Country = Field(description="Country of the maker, an ISO 3166-1 alpha-2 code; tells whether the class is domestic to the hub.")
    memory: Memory | None = Field(None, description="Nominal memory of one device, such as 80Gi.")
    resource_names: Annotated[tuple[ResourceName, ...], as_set(16, min_items=1)] = Field(
        description="Extended resources that publish it, such as nvidia.com/gpu; * stands for any run of characters."
    )
    node_selector: LabelSelector | None = Field(None, description="Labels that tell this model from others with the same resource name.")
    units_per_device: DeviceCount = Field(1, description="Units of the extended resource that one device is. Default 1.")
    devices_per_package: DeviceCount = Field(1, description="Devices on one card or module as it is sold. Default 1.")
    count_rule: CountRuleSpec | None = Field(None, description="Which device counts one replica may ask for; absent: any.")
    fp16_tflops: Decimal | None = Field(
        None, alias="fp16TFLOPS", description='Dense FP16 or BF16 throughput of one device in TFLOPS, as a decimal string such as "989".'
    )
    memory_bandwidth: Int | None = Field(
        None, ge=1, le=1_000_000, alias="memoryBandwidthGBps", description="Memory bandwidth of one device in 10^9 bytes per second."
    )
    sources: Annotated[tuple[DisplayText, ...], as_atomic(16)] = Field((), description="Where the figures come from.")


OBJECT_RULES = (
    Rule(
        cel="size(self.metadata.name) <= 63 && !self.metadata.name.contains('.')",
        message="the name of a class must be a DNS label of at most 63 characters, such as nvidia-h100-sxm-80gb",
    ),
)
"""Rules on the whole object: jobs and prices name a class by its metadata.name."""
