"""One way to run a job: the devices it needs, and what of the template changes with them. How cells match is in `scheduling`."""

from typing import Annotated, ClassVar

from pydantic import Field

from sampan.api.fields.common import ApiModel, Rule, as_atomic, as_map, as_set
from sampan.api.fields.environment import EnvVar
from sampan.api.fields.quantities import Decimal, PositiveAmount
from sampan.api.fields.scalars import (
    Architecture,
    Argument,
    DeviceCount,
    DnsLabel,
    DottedVersion,
    ExtendedResource,
    Image,
    Int,
    Profile,
    Replicas,
    Seconds,
)
from sampan.api.fields.template import Resources
from sampan.model.members.accelerator import Precision


class Capability(ApiModel):
    """Least figures of one device. A class of which a figure is not known does not meet it."""

    RULES: ClassVar = (
        Rule(
            cel="has(dyn(self).memoryPerDevice) || has(self.memoryBandwidthGBps) || has(dyn(self).fp16TFLOPS) || has(dyn(self).fp64TFLOPS)"
            " || has(self.precisions) || has(self.minDriver) || has(self.minComputeCapability)",
            message="at least one figure must be given, such as memoryPerDevice or fp16TFLOPS",
            is_met=lambda c: bool(c.model_fields_set),
        ),
    )
    memory_per_device: PositiveAmount | None = Field(None, description="Least nominal memory of one device, such as 64Gi.")
    memory_bandwidth: Int | None = Field(
        None, ge=1, le=1_000_000, alias="memoryBandwidthGBps", description="Least memory bandwidth of one device in 10^9 bytes per second."
    )
    fp16_tflops: Decimal | None = Field(
        None,
        alias="fp16TFLOPS",
        description='Least dense FP16 or BF16 throughput of one device in TFLOPS, such as 250 or "250.5".',
    )
    fp64_tflops: Decimal | None = Field(
        None, alias="fp64TFLOPS", description='Least dense FP64 throughput of one device in TFLOPS, such as 30 or "33.5".'
    )
    precisions: Annotated[tuple[Precision, ...], as_set(5, min_items=1)] | None = Field(
        None, description="Number formats that the device must compute in natively: FP64, FP32, FP16, FP8, INT8."
    )
    min_driver: DottedVersion | None = Field(None, description="Least driver version on the node, such as 550.54.")
    min_compute_capability: DottedVersion | None = Field(None, description="Least CUDA compute capability, such as 8.0.")


class Partition(ApiModel):
    """A hardware partition of one device."""

    profile: Profile = Field(description="Partition as its vendor names it, such as 1g.10gb.")


class ShareSpec(ApiModel):
    """A part of one card that others may use at the same time."""

    memory: PositiveAmount = Field(description="Memory of the card that the replica may use, such as 8Gi.")
    compute_percent: Annotated[Int, Field(ge=0, le=100)] = Field(
        0, description="Percent of the card's compute; 0: whatever the others leave. Default 0."
    )


class Accelerator(ApiModel):
    """Which devices one replica needs; everything that is given must hold."""

    RULES: ClassVar = (
        Rule(
            cel="has(self.class) || has(self.family) || has(self.vendor) || has(self.stack) || has(self.resource)",
            message="one of class, family, vendor, stack and resource must be given: an image does not run on every device",
            is_met=lambda a: any((a.class_, a.family, a.vendor, a.stack, a.resource)),
        ),
        Rule(
            cel="!(has(self.partition) && has(self.share))",
            message="partition and share exclude each other",
            is_met=lambda a: a.partition is None or a.share is None,
        ),
        Rule(
            cel="(!has(self.partition) && !has(self.share)) || self.count == 1",
            message="a partition or share has count 1: several of them are no larger device",
            is_met=lambda a: (a.partition is None and a.share is None) or a.count == 1,
        ),
    )
    class_: DnsLabel | None = Field(None, alias="class", description="One model, such as nvidia-h100-sxm-80gb (see sampan catalog).")
    family: DnsLabel | None = Field(None, description="Models that one image runs on alike, such as ascend-910b.")
    vendor: DnsLabel | None = Field(None, description="Maker of the device, such as nvidia, huawei or hygon.")
    stack: DnsLabel | None = Field(None, description="Software stack that the image is built for, such as cuda, cann or dtk.")
    resource: ExtendedResource | None = Field(
        None,
        description="Extended resource that the devices are published as, such as nvidia.com/gpu. It and vendor reach devices of no known "
        "class too; an AcceleratorClass object makes such a class known.",
    )
    capability: Capability | None = Field(None, description="Least figures of one device.")
    partition: Partition | None = Field(None, description="A hardware partition of one device instead of a whole one.")
    share: ShareSpec | None = Field(None, description="A part of one card instead of a whole one.")
    count: DeviceCount = Field(description="Devices per replica, as the framework counts them (torch.cuda.device_count()).")


def _deadline_rule() -> Rule:
    return Rule(
        cel="!has(self.expectedSeconds) || !has(self.activeDeadlineSeconds) || self.expectedSeconds <= self.activeDeadlineSeconds",
        message="expectedSeconds must not be above activeDeadlineSeconds: the job would be stopped before it can end",
        is_met=lambda s: s.expected_seconds is None or s.active_deadline_seconds is None or s.expected_seconds <= s.active_deadline_seconds,
    )


DEADLINE_RULE = _deadline_rule()
"""A job is not expected to run longer than it may; shared by spec and alternatives."""


class Alternative(ApiModel):
    """One way to run the job: devices, and what of the template differs with them."""

    RULES: ClassVar = (DEADLINE_RULE,)
    accelerator: Accelerator = Field(description="Which devices one replica needs, and how many.")
    image: Image | None = Field(None, description="Image instead of the template's.")
    command: Annotated[tuple[Argument, ...], as_atomic(64)] = Field(
        (), description="Command instead of the template's; empty: the template's."
    )
    args: Annotated[tuple[Argument, ...], as_atomic(128)] = Field(
        (), description="Arguments instead of the template's; empty: the template's."
    )
    env: Annotated[tuple[EnvVar, ...], as_map("name", 128)] = Field(
        (), description="Variables added to the template's; one of equal name replaces the template's."
    )
    resources: Resources | None = Field(None, description="CPU, memory and disk instead of the template's, as a whole.")
    replicas: Replicas | None = Field(None, description="Replicas instead of the job's: fewer of a larger device may do the same work.")
    architectures: Annotated[tuple[Architecture, ...], as_set(8)] = Field(
        (), description="CPU architectures that this alternative's image runs on; empty: the template's."
    )
    expected_seconds: Seconds | None = Field(None, description="How long the job probably runs on these devices; weighs the cost per job.")
    active_deadline_seconds: Seconds | None = Field(
        None, description="Most seconds an attempt may run on these devices, instead of the job's."
    )
    wait_seconds: Int = Field(
        0,
        ge=0,
        le=604_800,
        description="Seconds from the job's creation that the earlier alternatives have to themselves, in either order. 0 for the first. "
        "Default 0.",
    )
