"""How devices are handed out, whole or in parts and how many at once, and which nodes they are on."""

from collections.abc import Iterator
from typing import Final

from sampan.catalog.devices.share import companions
from sampan.model.job import Shape
from sampan.model.members.accelerator import CountRule, Sharing
from sampan.model.reason import Reason
from sampan.scheduling.feasibility.constraints.context import FilterContext
from sampan.scheduling.feasibility.constraints.fields import COUNT, PART_OF_A_DEVICE
from sampan.scheduling.feasibility.constraints.phrases import either
from sampan.scheduling.feasibility.constraints.record import Constraint, Field, Part, Reads, Words


def _kind(sharing: Sharing, profile: str = "") -> str:
    kinds = {
        Sharing.WHOLE: "whole devices",
        Sharing.PARTITION: f"partitions {profile}".strip(),
        Sharing.TIME_SLICED: "time slices of devices",
        Sharing.VIRTUAL: "shares of devices",
    }
    return kinds[sharing]


def _asked(c: FilterContext) -> Sharing | None:
    """Return how the job wants its devices, None where it wants none."""
    need = c.demand.requirement
    if need is None:
        return None
    return Sharing.PARTITION if need.partition else Sharing.VIRTUAL if need.share else Sharing.WHOLE


def _share_unknown(c: FilterContext) -> bool:
    """Tell whether nobody knows how to ask for the share in the units of this resource."""
    share = c.demand.requirement.share if c.demand.requirement else None
    return share is not None and companions(c.pool.resource, share) is None


def _words(c: FilterContext) -> Words:
    need, asked = c.demand.requirement, _asked(c) or Sharing.WHOLE
    wanted = _kind(asked, need.partition if need else "")
    if asked is Sharing.VIRTUAL and c.pool.sharing is Sharing.VIRTUAL:
        return wanted, f"{c.pool.resource}, in whose units nobody knows how to ask for such a share"
    return wanted, _kind(c.pool.sharing, c.pool.profile) if c.pool.resource else "no devices"


def _as_handed_out(c: FilterContext) -> Iterator[FilterContext]:
    need = c.demand.requirement
    if need is not None and c.pool.sharing is Sharing.WHOLE:
        yield from c.requiring(partition="", share=None)
    elif need is not None and c.pool.sharing is Sharing.PARTITION and need.count == 1:
        yield from c.requiring(partition=c.pool.profile, share=None)


SHARING: Final = Constraint(
    reason=Reason.SHARING_MISMATCH,
    reads=Reads.POOL,
    violated=lambda c: (asked := _asked(c)) is not None and (c.pool.sharing is not asked or _share_unknown(c)),
    words=_words,
    headline=lambda _: "the job asks for whole devices and these are given in parts, or the other way round",
    relax=_as_handed_out,
    fields=PART_OF_A_DEVICE,
)


def _other_partition(c: FilterContext) -> bool:
    need = c.demand.requirement
    return need is not None and c.pool.sharing is Sharing.PARTITION and need.partition not in ("", c.pool.profile)


PARTITION: Final = Constraint(
    reason=Reason.PARTITION_MISMATCH,
    reads=Reads.POOL,
    violated=_other_partition,
    words=_words,
    headline=lambda _: "the devices are not the partition asked for",
    relax=lambda c: c.requiring(partition=c.pool.profile),
    fields=PART_OF_A_DEVICE,
)


def _not_handed_out(c: FilterContext) -> bool:
    need, have = c.demand.requirement, c.pool.accelerator
    if need is None or have is None or need.partition or need.share:
        return False
    return not have.count_rule.accepts(need.count)


def next_count(c: FilterContext) -> int | None:
    """Return the least count above the demand's that the class hands out, None where there is none."""
    rule, count = c.pool.accelerator.count_rule if c.pool.accelerator else None, c.demand.devices
    if rule is None:
        return None
    above = rule.allowed or (count + rule.multiple_of - count % rule.multiple_of,)
    return min((each for each in above if each > count and rule.accepts(each)), default=None)


def _count_words(c: FilterContext) -> Words:
    rule, more = c.pool.accelerator.count_rule if c.pool.accelerator else CountRule(), next_count(c)
    allowed = f"{', '.join(map(str, rule.allowed))} devices at once" if rule.allowed else f"multiples of {rule.multiple_of}"
    return f"{c.demand.devices} devices per replica", f"handed out by {allowed}" + (f"; the next is {more}" if more else "")


def _other_counts(c: FilterContext) -> Iterator[FilterContext]:
    if c.pool.accelerator is not None:
        for count in (c.pool.accelerator.count_rule.largest(c.demand.devices), next_count(c)):
            if count:
                yield from c.requiring(count=count)


def _counts(shape: Shape) -> str:
    counts = dict.fromkeys(demand.requirement.count for demand in shape.demands if demand.requirement)
    return f"these devices are not handed out by {either(counts)}"


COUNTS: Final = Constraint(
    reason=Reason.COUNT_NOT_ALLOWED,
    reads=Reads.POOL,
    violated=_not_handed_out,  # a count is never rounded
    words=_count_words,
    headline=_counts,
    relax=_other_counts,
    fields=(COUNT,),
)


def _architectures(shape: Shape) -> str:
    names = dict.fromkeys(name for demand in shape.demands for name in demand.architectures)
    return f"the nodes' CPU is not {either(names)}"


ARCHITECTURE: Final = Constraint(
    reason=Reason.ARCHITECTURE_MISMATCH,
    reads=Reads.POOL,
    violated=lambda c: bool(c.demand.architectures) and c.pool.architecture not in c.demand.architectures,
    words=lambda c: (f"CPU architecture {either(c.demand.architectures)}", c.pool.architecture),
    headline=_architectures,
    relax=lambda c: c.demanding(architectures=tuple(sorted({*c.demand.architectures, c.pool.architecture}))),
    fields=(Field(part=Part.POD, name="architectures", read=lambda _, demand: demand.architectures),),
)


def _kept_for_devices(c: FilterContext) -> bool:
    """Jobs without devices stay off nodes with devices, unless the policy lets them and no taint of the device plugin keeps them away."""
    return c.demand.requirement is None and bool(c.pool.resource) and (c.pool.for_devices_only or not c.cpu_on_accelerators)


RESERVED_FOR_DEVICES: Final = Constraint(
    reason=Reason.ACCELERATOR_NODE_RESERVED,
    reads=Reads.POOL,
    violated=_kept_for_devices,
    words=lambda c: (
        "nodes without accelerators",
        "nodes with accelerators, kept for jobs that use them" + (" by a taint" if c.pool.for_devices_only else ""),
    ),
    headline=lambda _: "nodes with accelerators are kept for jobs that use them",
)

HANDOUT: Final = (SHARING, PARTITION, COUNTS, ARCHITECTURE, RESERVED_FOR_DEVICES)
