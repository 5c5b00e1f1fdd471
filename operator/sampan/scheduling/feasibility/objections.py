"""What a filter asked for and what it found, with values. Room is in `shortage`; nothing is judged here."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from sampan.model.members.accelerator import Precision, Sharing
from sampan.model.reason import Reason
from sampan.model.values.quantity import format_bytes, format_micro
from sampan.scheduling.answers.values import UnmetConstraint
from sampan.scheduling.feasibility.admission_words import not_covered, not_named, out_of_range
from sampan.scheduling.feasibility.device_names import names_in, names_of
from sampan.scheduling.feasibility.filters import FilterContext, memory_of
from sampan.scheduling.feasibility.versions import version_key

Words = tuple[str, str]
"""(needed, present)."""
_UNKNOWN: Final = "not known"
_ORDER: Final = ("class", "family", "vendor", "stack", "resource")
_WAYS: Final = "an AcceleratorClass can tell it; vendor and resource reach them as they are"


def unmet_constraint(reason: Reason, context: FilterContext, *, hint: str = "") -> UnmetConstraint:
    """Return a filter's reason with values; `hint` follows what is needed where the devices are others. Not for reasons of room."""
    needed, present = _WORDS[reason](context)
    return UnmetConstraint(reason, needed + (hint if reason is Reason.ACCELERATOR_MISMATCH else ""), present)


def moment(at: int) -> str:
    """Return a moment (milliseconds since the epoch) as Kubernetes writes it."""
    return datetime.fromtimestamp(at // 1000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _or(values: object) -> str:
    names = [str(each) for each in values] if isinstance(values, (tuple, list)) else [str(values)]
    return " or ".join(names)


def _validity(q: FilterContext) -> Words:
    since = "always" if q.offer.valid_from is None else moment(q.offer.valid_from)
    until = "open end" if q.offer.valid_until is None else moment(q.offer.valid_until)
    return f"an offer that is valid at {moment(q.now)}", f"valid from {since} until {until}"


def _selector(q: FilterContext) -> Words:
    missing = [each for each in q.placement.offer_selector.expressions if not each.matches(q.offer.labels)]
    wanted = [f"{each.key} {each.operator}" + (f" {', '.join(each.values)}" if each.values else "") for each in missing]
    have = [f"{each.key}={q.offer.labels[each.key]}" if each.key in q.offer.labels else f"no label {each.key}" for each in missing]
    return f"offer labels: {'; '.join(wanted)}", "; ".join(have)


def _accelerator(q: FilterContext) -> Words:
    need, told = q.demand.requirement, dict(names_in(q.pool))
    wrong = sorted(names_of(need) - names_in(q.pool), key=lambda each: _ORDER.index(each[0])) if need else []
    wanted = " and ".join(f"{word} {name}" for word, name in wrong) or "devices whose class is known"
    if not q.pool.resource:
        return wanted, "no devices"
    if q.pool.accelerator is None and any(word not in told for word, _ in wrong):
        return wanted, f"devices of {q.pool.resource} whose class cannot be told ({_WAYS})"
    return wanted, " and ".join(f"{word} {told[word]}" for word, _ in wrong)


def _way(sharing: Sharing, profile: str = "") -> str:
    kinds = {
        Sharing.WHOLE: "whole devices",
        Sharing.PARTITION: f"partitions {profile}".strip(),
        Sharing.TIME_SLICED: "time slices of devices",
        Sharing.VIRTUAL: "shares of devices",
    }
    return kinds[sharing]


def _sharing(q: FilterContext) -> Words:
    need = q.demand.requirement
    wanted = _way(Sharing.PARTITION, need.partition) if need and need.partition else "shares of devices" if need and need.share else ""
    if need and need.share and q.pool.sharing is Sharing.VIRTUAL:
        return wanted, f"{q.pool.resource}, in whose units nobody knows how to ask for such a share"
    return wanted or "whole devices", _way(q.pool.sharing, q.pool.profile) if q.pool.resource else "no devices"


def _capability(q: FilterContext) -> Words:
    need, have = q.demand.requirement, q.pool.accelerator
    assert need is not None  # the filter asks only about devices
    figures = (
        ("memory", need.memory_per_device, memory_of(q.pool), format_bytes),
        ("FP16 TFLOPS", need.fp16_tflops, have.fp16_tflops if have else None, format_micro),
        ("memory bandwidth", need.memory_bandwidth, have.memory_bandwidth if have else None, lambda amount: f"{amount // 10**9} GB/s"),
        ("FP64 TFLOPS", need.fp64_tflops, have.tflops(Precision.FP64) if have else None, format_micro),
    )
    short = [(name, wanted, had, show) for name, wanted, had, show in figures if wanted is not None and (had is None or had < wanted)]
    wanted = [f"{name} of at least {show(amount)}" for name, amount, _, show in short]
    present = [f"{name} {_UNKNOWN if had is None else show(had)}" for name, _, had, show in short]
    missing = [precision for precision in need.precisions if have is None or not have.tflops(precision)]
    wanted += [f"a known figure for {precision}" for precision in missing]
    present += [f"{precision} {_UNKNOWN}" for precision in missing]
    return " and ".join(wanted) + " per device", " and ".join(present)


def _driver(q: FilterContext) -> Words:
    need = q.demand.requirement
    assert need is not None  # the filter asks about demands with devices only
    pairs = (("driver", need.min_driver, q.pool.driver), ("compute capability", need.min_compute_capability, q.pool.compute_capability))
    old = [(name, wanted, have) for name, wanted, have in pairs if wanted and (not have or version_key(have) < version_key(wanted))]
    return " and ".join(f"{n} {w} or newer" for n, w, _ in old), " and ".join(f"{n} {have or _UNKNOWN}" for n, _, have in old)


def _count(q: FilterContext) -> Words:
    need, have = q.demand.requirement, q.pool.accelerator
    assert need is not None  # the filter asks only about devices
    assert have is not None  # and only about those that are told
    rule = have.count_rule
    allowed = f"{', '.join(map(str, rule.allowed))} devices at once" if rule.allowed else f"multiples of {rule.multiple_of}"
    next_ = next_count(need.count, q)
    return f"{need.count} devices per replica", f"handed out by {allowed}" + (f"; the next is {next_}" if next_ else "")


def next_count(count: int, q: FilterContext) -> int | None:
    """Return the least count above this one that the class hands out, None where there is none."""
    rule = q.pool.accelerator.count_rule if q.pool.accelerator else None
    if rule is None:
        return None
    above = rule.allowed or (count + rule.multiple_of - count % rule.multiple_of,)
    return min((each for each in above if each > count and rule.accepts(each)), default=None)


def _run_limit(q: FilterContext) -> Words:
    limit = q.demand.limit_seconds
    told = "a job that declares no activeDeadlineSeconds" if limit is None else f"a run of up to {limit} s"
    return told, f"at most {q.offer.max_run_seconds} s"


def _per_job(q: FilterContext) -> Words:
    count = q.demand.requirement.count if q.demand.requirement else 0
    return f"{count * q.demand.least_replicas} devices for one job", f"at most {q.offer.max_devices_per_job}"


def _origin(q: FilterContext) -> Words:
    if q.pool.accelerator is None:
        return "domestic devices", "devices whose origin is not known" if q.pool.resource else "no devices"
    return "domestic devices", f"devices from {q.pool.accelerator.origin}"


def _cap(q: FilterContext) -> Words:
    cap = f"at most {format_micro(q.placement.max_price or 0)} {q.currency} per device-hour"
    return cap, "no price in this currency" if q.price is None else f"{format_micro(q.price)} {q.currency}"


_WORDS: Final[Mapping[Reason, Callable[[FilterContext], Words]]] = {
    Reason.POLICY_NOT_FOUND: lambda _: ("a PlacementPolicy of the name in spec.policy", "there is none"),
    Reason.QUEUE_NOT_ALLOWED: lambda _: ("a queue that admits the job's namespace", "the queue does not"),
    Reason.PRIORITY_NOT_ALLOWED: lambda _: ("a queue that admits the job's priority", "the queue does not"),
    Reason.POLICY_NOT_ALLOWED: lambda _: ("a queue that admits the job's policy", "the queue does not"),
    Reason.OFFER_NOT_APPROVED: lambda _: ("an approved offer", "the platform team has not approved it"),
    Reason.OFFER_NOT_ACCEPTING: lambda _: ("an offer that takes new jobs", "the provider takes none"),
    Reason.OFFER_NOT_VALID: _validity,
    Reason.OFFER_NOT_CONNECTED: lambda _: ("a member cluster that answers", "it does not answer"),
    Reason.PERMISSIONS_MISSING: lambda _: ("the right to run jobs on the member", "it is not granted"),
    Reason.OFFER_COOLING_DOWN: lambda _: (
        "a pool that does not cool down",
        "a start here failed a short while ago, of this job or of one like it",
    ),
    Reason.TENANT_EXCLUDED: lambda _: ("an offer for jobs of this namespace", "the offer is for others"),
    Reason.MEMBER_QUEUE_NOT_READY: lambda q: ("a member queue that is open", f"queue {q.offer.member_queue} is missing or stopped"),
    Reason.TERMS_EXCLUDED: lambda q: (f"terms {_or(q.placement.terms)}", f"terms {q.offer.terms}"),
    Reason.PROVIDER_EXCLUDED: lambda q: (f"provider {_or(q.placement.providers)}", f"provider {q.offer.provider}"),
    Reason.REGION_EXCLUDED: lambda q: (f"region {_or(q.placement.regions)}", f"region {q.offer.region}"),
    Reason.JURISDICTION_EXCLUDED: lambda q: (f"jurisdiction {_or(q.placement.jurisdictions)}", f"jurisdiction {q.offer.jurisdiction}"),
    Reason.OFFER_SELECTOR_MISMATCH: _selector,
    Reason.NOT_DOMESTIC: _origin,
    Reason.PRICE_ABOVE_CAP: _cap,
    Reason.PRICE_UNKNOWN: _cap,
    Reason.ACCELERATOR_MISMATCH: _accelerator,
    Reason.CAPABILITY_INSUFFICIENT: _capability,
    Reason.PARTITION_MISMATCH: _sharing,
    Reason.SHARING_MISMATCH: _sharing,
    Reason.DRIVER_TOO_OLD: _driver,
    Reason.COUNT_NOT_ALLOWED: _count,
    Reason.INTERCONNECT_MISSING: lambda _: ("nodes of one fabric domain", "no fabric domain is known here"),
    Reason.ARCHITECTURE_MISMATCH: lambda q: (f"CPU architecture {_or(q.demand.architectures)}", q.pool.architecture),
    Reason.ACCELERATOR_NODE_RESERVED: lambda q: (
        "nodes without accelerators",
        "nodes with accelerators, kept for jobs that use them" + (" by a taint" if q.pool.for_devices_only else ""),
    ),
    Reason.RUN_LIMIT_EXCEEDED: _run_limit,
    Reason.DEVICES_PER_JOB_EXCEEDED: _per_job,
    Reason.LAUNCH_NOT_PERMITTED: lambda q: (
        f"a namespace that admits pods of level {q.pool.launch.pod_security}",
        f"it enforces {q.offer.pod_security}",
    ),
    Reason.RESOURCES_NOT_NAMED: lambda q: not_named(q.demand, q.pool),
    Reason.LIMIT_RANGE_VIOLATED: lambda q: out_of_range(q.demand, q.pool),
    Reason.MEMBER_QUEUE_NOT_COVERING: lambda q: not_covered(q.demand, q.pool),
    Reason.RUNTIME_CLASS_MISSING: lambda q: (f"RuntimeClass {q.pool.launch.runtime_class} on the member", "it does not exist there"),
}
