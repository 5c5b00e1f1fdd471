"""AcceleratorClass: adds a model to the built-in catalogue, or corrects it. How nodes are matched is in `catalog`."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from sampan.api.fields.common import ApiModel, Rule, as_atomic, as_set
from sampan.api.fields.launch_spec import RecipeSpec
from sampan.api.fields.quantities import PositiveAmount, PositiveDecimal
from sampan.api.fields.scalars import (
    Country,
    DeviceCount,
    DisplayText,
    DnsLabel,
    Generation,
    Int,
    ResourceName,
)
from sampan.api.fields.selector import LabelSelector
from sampan.model.members.accelerator import Span


class CountRuleSpec(ApiModel):
    """Which device counts one replica may ask for."""

    RULES: ClassVar = (
        Rule(
            cel="!has(self.allowed) || self.allowed.all(c, c % self.multipleOf == 0)",
            message="every allowed count must be a multiple of multipleOf",
            is_met=lambda r: all(count % r.multiple_of == 0 for count in r.allowed),
        ),
        Rule(
            cel="self.span != 'Never' || has(self.groupSize)",
            message="span Never needs groupSize: without groups a node is one group",
            is_met=lambda r: r.span is not Span.NEVER or r.group_size is not None,
        ),
    )
    allowed: Annotated[tuple[DeviceCount, ...], as_set(32)] = Field((), description="Allowed counts, such as 1, 2, 4, 8; empty: any.")
    multiple_of: DeviceCount = Field(1, description="Counts must be a multiple of this. Default 1.")
    group_size: DeviceCount | None = Field(
        None, description="Devices of one ring or board of a node, such as 4 where a node of 8 is two rings; absent: a node is one group."
    )
    span: Span = Field(
        Span.WHOLE,
        description="Whether one replica may lie in several groups of a node: Whole only where it takes each of them whole, Never not at"
        " all. Default Whole.",
    )


def _throughput(precision: str, example: str, *, unit: str = "TFLOPS", words: str = "") -> Any:
    return Field(
        None,
        alias=f"{precision.lower()}{unit}",
        description=f"Dense {words or precision} throughput of one device in {unit}, not the sparse one, such as {example}; "
        "at most six decimal places.",
    )


class AcceleratorClassSpec(ApiModel):
    """Facts about one model as a user would buy it. A figure that is not known is left out, never guessed."""

    vendor: DnsLabel = Field(description="Maker, such as nvidia, huawei or hygon.")
    family: DnsLabel = Field(description="Models that one image runs on alike, such as ascend-910b.")
    stack: DnsLabel = Field(description="Software stack, such as cuda, cann or dtk.")
    generation: Generation | None = Field(
        None, description="What an image must be built for inside the family, such as gfx942, sm_90 or ascend910b; absent: nothing."
    )
    origin: Country = Field(description="Country of the maker, an ISO 3166-1 alpha-2 code; tells whether the class is domestic to the hub.")
    memory: PositiveAmount | None = Field(None, description="Nominal memory of one device, such as 80Gi.")
    resource_names: Annotated[tuple[ResourceName, ...], as_set(16, min_items=1)] = Field(
        description="Extended resources that publish it, such as nvidia.com/gpu; * stands for any run of characters."
    )
    node_selector: LabelSelector | None = Field(None, description="Labels that tell this model from others with the same resource name.")
    units_per_device: DeviceCount = Field(1, description="Units of the extended resource that one device is. Default 1.")
    devices_per_package: DeviceCount = Field(1, description="Devices on one card or module as it is sold. Default 1.")
    count_rule: CountRuleSpec | None = Field(None, description="Which device counts one replica may ask for; absent: any.")
    fp64_tflops: PositiveDecimal | None = _throughput("FP64", "67")
    fp32_tflops: PositiveDecimal | None = _throughput("FP32", "67")
    fp16_tflops: PositiveDecimal | None = _throughput("FP16", "989", words="FP16 or BF16")
    fp8_tflops: PositiveDecimal | None = _throughput("FP8", "1979")
    int8_tops: PositiveDecimal | None = _throughput("INT8", "1979", unit="TOPS")
    memory_bandwidth: Int | None = Field(
        None, ge=1, le=1_000_000, alias="memoryBandwidthGBps", description="Memory bandwidth of one device in 10^9 bytes per second."
    )
    share_rate_milli: Int | None = Field(
        None,
        ge=1,
        le=1_000_000,
        description="What a device-hour counts in the queues' turns, in thousandths of an A100 80 GB; absent: derived from the figures.",
    )
    launch: RecipeSpec | None = Field(
        None,
        description="What every pod on such devices needs besides, over the built-in recipe; the offer's own has the last word.",
    )
    sources: Annotated[tuple[DisplayText, ...], as_atomic(16)] = Field((), description="Where the figures come from.")


OBJECT_RULES = (
    Rule(
        cel="size(self.metadata.name) <= 63 && !self.metadata.name.contains('.')",
        message="the name of a class must be a DNS label of at most 63 characters, such as nvidia-h100-sxm-80gb",
    ),
)
"""Rules on the whole object: jobs and prices name a class by its metadata.name."""
