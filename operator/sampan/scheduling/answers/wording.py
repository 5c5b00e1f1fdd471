"""The only place that puts a "no" into words. Plain sentences for people; the machine-readable word is the Reason itself."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from sampan.model.job import Requirement, Shape
from sampan.model.plan import Refusal, UnknownName
from sampan.model.reason import Reason
from sampan.model.values.quantity import format_bytes, format_micro

_MOST_NAMES: Final = 4


def headline(refusal: Refusal) -> str:
    """Return why a job waits, in one line: every dominant reason with the number of pools that gave it, most helpful first.

    Names of devices that nobody knows come before all that, unless an alternative has none. Offers that are not for the job's
    namespace are not counted: that there are any is for their owners to tell.
    """
    told, remark = _no_pool(refusal), unknown_words(refusal.unknown)
    if not remark:
        return told
    remark = f"{remark}; an AcceleratorClass would add {'it' if len(refusal.unknown) == 1 else 'them'}"
    whole = len({each.index for each in refusal.unknown}) == len(refusal.job.shape.demands)
    return f"{remark}; {told}" if whole else f"{told}; {remark}"


def unknown_words(unknown: Iterable[UnknownName]) -> str:
    """Return which names nobody knows, with the nearest that a class bears: `no class h1000 is known, the nearest is h100`."""
    return "; ".join(dict.fromkeys(_unknown(each) for each in unknown))


def _unknown(one: UnknownName) -> str:
    what = one.name if one.word == "class" else f"of {one.word} {one.name}"
    return f"no class {what} is known" + (f", the nearest is {one.nearest}" if one.nearest else "")


def _no_pool(refusal: Refusal) -> str:
    counts = refusal.counts
    if not counts:
        return "no pool fits: no offer that is open to jobs of this namespace has one"
    dominant = refusal.dominant
    ordered = sorted(counts, key=lambda reason: (reason is not dominant, -counts[reason], reason.severity))
    parts = (f"{_pools(counts[reason])} {reason} ({word(reason, refusal.job.shape, room=refusal.room)})" for reason in ordered)
    have = "has" if refusal.other_devices == 1 else "have"
    others = f"; {_pools(refusal.other_devices)} {have} other devices than the job asks for" if refusal.other_devices else ""
    return f"no pool fits: {', '.join(parts)}{others}"


def word(reason: Reason, shape: Shape, *, room: int | None = None) -> str:
    """Return what a reason means for a job of this shape; `room`: most replicas that fit anywhere now, if known."""
    if reason is Reason.INSUFFICIENT_CAPACITY and room is not None:
        return f"needs {_wanted(shape)}, {_room(room)}"
    return _WORDS[reason](shape)


def _pools(count: int) -> str:
    return "1 pool" if count == 1 else f"{count} pools"


def _room(room: int) -> str:
    return "none fits now" if room == 0 else f"at most {room} {'fits' if room == 1 else 'fit'} now"


def _wanted(shape: Shape) -> str:
    """Return what the first alternative needs: `2 replicas of 8 devices each`."""
    demand = shape.demands[0]
    devices = demand.requirement.count if demand.requirement else 0
    unit = f"{devices} device{'s' * (devices != 1)}" if devices else "CPU and memory"
    if demand.least_replicas == 1:
        return f"{unit} on one node"
    return f"{demand.least_replicas} replicas of {unit} at once"


def _listed(values: Iterable[str]) -> str:
    names = list(values)
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


def _devices(shape: Shape) -> str:
    """Return what the alternatives ask for: `class nvidia-h100-sxm-80gb, or family ascend-910b`."""
    needs = [_requirement(demand.requirement) for demand in shape.demands if demand.requirement]
    return ", or ".join(dict.fromkeys(needs)) or "no devices"


def _requirement(need: Requirement) -> str:
    named = (
        *(("class", need.accelerator_class), ("family", need.family), ("vendor", need.vendor), ("stack", need.stack)),
        ("resource", need.resource),
    )
    return " of ".join(f"{kind} {name}" for kind, name in named if name) or "any device"


def _capability(shape: Shape) -> str:
    wanted = []
    for demand in shape.demands:
        if demand.requirement and demand.requirement.memory_per_device is not None:
            wanted.append(f"{format_bytes(demand.requirement.memory_per_device)} of memory")
        if demand.requirement and demand.requirement.fp16_tflops is not None:
            wanted.append(f"{format_micro(demand.requirement.fp16_tflops)} FP16 TFLOPS")
    return f"a device has less than {_listed(dict.fromkeys(wanted))}, or its figure is not known"


def _counts(shape: Shape) -> str:
    counts = dict.fromkeys(str(demand.requirement.count) for demand in shape.demands if demand.requirement)
    return f"these devices are not handed out by {' or '.join(counts)}"


def _architectures(shape: Shape) -> str:
    names = dict.fromkeys(name for demand in shape.demands for name in demand.architectures)
    return f"the nodes' CPU is not {' or '.join(names)}"


def _cap(shape: Shape) -> str:
    return format_micro(shape.placement.max_price or 0)


_WORDS: Final[Mapping[Reason, Callable[[Shape], str]]] = {
    Reason.POLICY_NOT_FOUND: lambda shape: f"there is no PlacementPolicy {shape.policy}",
    Reason.OFFER_NOT_APPROVED: lambda _: "the platform team has not approved the offer",
    Reason.OFFER_NOT_ACCEPTING: lambda _: "the provider takes no new jobs",
    Reason.OFFER_NOT_VALID: lambda _: "now is outside the offer's validity",
    Reason.OFFER_NOT_CONNECTED: lambda _: "the member cluster does not answer",
    Reason.PERMISSIONS_MISSING: lambda _: "the member cluster does not let Sampan run jobs",
    Reason.OFFER_COOLING_DOWN: lambda _: "cools down: a start there, of this job or of one like it, failed a short while ago",
    Reason.QUEUE_NOT_ALLOWED: lambda _: "there is no such queue, or it is not for the job's namespace",
    Reason.PRIORITY_NOT_ALLOWED: lambda _: "the queue allows no such priority",
    Reason.POLICY_NOT_ALLOWED: lambda s: f"the queue does not allow the policy {s.policy}",
    Reason.TENANT_EXCLUDED: lambda _: "the offer is not for jobs of this namespace",
    Reason.MEMBER_QUEUE_NOT_READY: lambda _: "the member's own queue is missing or stopped",
    Reason.TERMS_EXCLUDED: lambda s: f"terms are not among {_listed(s.placement.terms)}",
    Reason.PROVIDER_EXCLUDED: lambda s: f"provider is not among {_listed(s.placement.providers)}",
    Reason.REGION_EXCLUDED: lambda s: f"region is not among {_listed(s.placement.regions)}",
    Reason.JURISDICTION_EXCLUDED: lambda s: f"jurisdiction is not among {_listed(s.placement.jurisdictions)}",
    Reason.OFFER_SELECTOR_MISMATCH: lambda _: "the offer's labels do not match spec.placement.offerSelector",
    Reason.NOT_DOMESTIC: lambda _: "the devices are not domestic",
    Reason.PRICE_ABOVE_CAP: lambda s: f"a device-hour costs more than {_cap(s)}",
    Reason.PRICE_UNKNOWN: lambda s: f"the offer names no price to hold against the cap of {_cap(s)}",
    Reason.ACCELERATOR_MISMATCH: lambda s: f"the devices are not {_devices(s)}",
    Reason.CAPABILITY_INSUFFICIENT: _capability,
    Reason.PARTITION_MISMATCH: lambda _: "the devices are not the partition asked for",
    Reason.SHARING_MISMATCH: lambda _: "the job asks for whole devices and these are given in parts, or the other way round",
    Reason.DRIVER_TOO_OLD: lambda _: "the driver or the compute capability is older than asked for, or not known",
    Reason.COUNT_NOT_ALLOWED: _counts,
    Reason.INTERCONNECT_MISSING: lambda _: "the nodes do not share one fabric domain",
    Reason.RUN_LIMIT_EXCEEDED: lambda _: "the job may run longer than the offer allows, or declares no limit",
    Reason.DEVICES_PER_JOB_EXCEEDED: lambda _: "the job takes more devices than the offer gives to one job",
    Reason.LAUNCH_NOT_PERMITTED: lambda _: "the namespace on the member forbids what such devices need to run",
    Reason.RESOURCES_NOT_NAMED: lambda _: (
        "a quota of the job namespace on the member asks for requests or limits that the job does not name"
    ),
    Reason.LIMIT_RANGE_VIOLATED: lambda _: "a LimitRange of the job namespace on the member does not admit the job's requests or limits",
    Reason.MEMBER_QUEUE_NOT_COVERING: lambda _: "the member's own queue does not hand out all that the job asks for",
    Reason.RUNTIME_CLASS_MISSING: lambda _: "the member has no RuntimeClass of the name that its offer gives to pods",
    Reason.ARCHITECTURE_MISMATCH: _architectures,
    Reason.ACCELERATOR_NODE_RESERVED: lambda _: "nodes with accelerators are kept for jobs that use them",
    Reason.TOO_LARGE: lambda s: f"needs {_wanted(s)}: more than the pool has even when empty",
    Reason.QUOTA_EXHAUSTED: lambda _: "a quota of the job namespace on the member leaves too little",
    Reason.MEMBER_QUEUE_FULL: lambda _: "the member's own queue admits no more now",
    Reason.RESERVED_FOR_OTHERS: lambda _: "free now, but held for a job that comes first",
    Reason.INSUFFICIENT_CAPACITY: lambda s: f"needs {_wanted(s)}, not free now",
}
