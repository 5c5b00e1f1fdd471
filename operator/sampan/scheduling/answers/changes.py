"""Two shapes of a job, compared field by field as its manifest names them. Which change to propose is in `smallest`."""

from dataclasses import dataclass
from typing import Final

from sampan.model.job import Demand, Placement, Requirement, Shape
from sampan.model.values.quantity import format_bytes, format_micro
from sampan.model.values.selector import Selector
from sampan.model.values.vector import CPU, MEMORY, STORAGE
from sampan.scheduling.answers.values import Change

WHOLE: Final = 1_000
"""Relative size, in thousandths, of a change that is no number: a field set, taken away or widened."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A changed field and how much it changes, in thousandths of what it was."""

    change: Change
    size: int


def differences(before: Shape, after: Shape, index: int) -> tuple[Difference, ...]:
    """Return what differs between two shapes in the placement and in one demand."""
    pairs = [*_placement(before.placement, after.placement), *_demand(before.demands[index], after.demands[index])]
    found = []
    for field, old, new, show in pairs:
        if old != new:
            number = isinstance(old, int) and isinstance(new, int) and old > 0
            size = abs(int(str(new)) - int(str(old))) * WHOLE // int(str(old)) if number else WHOLE
            found.append(Difference(Change(f"spec.{field}", _text(old, show), _text(new, show)), size))
    return tuple(found)


_Pair = tuple[str, object, object, str]
"""Field, value before, value after, and how to write it: a unit name or nothing."""


def _placement(old: Placement, new: Placement) -> list[_Pair]:
    return [
        ("placement.regions", old.regions, new.regions, ""),
        ("placement.jurisdictions", old.jurisdictions, new.jurisdictions, ""),
        ("placement.providers", old.providers, new.providers, ""),
        ("placement.terms", old.terms, new.terms, ""),
        ("placement.domestic", old.domestic, new.domestic, ""),
        ("placement.offerSelector", old.offer_selector, new.offer_selector, ""),
        ("placement.maxPricePerDeviceHour", old.max_price, new.max_price, "micro"),
        ("placement.interconnect", old.interconnect, new.interconnect, ""),
    ]


def _demand(old: Demand, new: Demand) -> list[_Pair]:
    own = "" if old.alternative is None else f"alternatives[{old.alternative}]."
    pod = own or "template."
    pairs: list[_Pair] = [
        (f"{own}replicas", old.least_replicas, new.least_replicas, ""),
        (f"{pod}architectures", old.architectures, new.architectures, ""),
        (f"{own}activeDeadlineSeconds", old.limit_seconds, new.limit_seconds, ""),
    ]
    for name, unit in ((CPU, "milli"), (MEMORY, "bytes"), (STORAGE, "bytes")):
        pairs.append((f"{pod}resources.requests.{name}", _request(old, name), _request(new, name), unit))
        pairs.append((f"{pod}resources.limits.{name}", dict(old.limits).get(name), dict(new.limits).get(name), unit))
    if old.requirement is not None and new.requirement is not None:
        pairs += _requirement(old.requirement, new.requirement, f"{own}accelerator.")
    return pairs


def _request(demand: Demand, name: str) -> int | None:
    """Return what a pod asks of a resource, None where it does not name it."""
    return demand.per_replica[name] or (0 if name in demand.zeros else None)


def _requirement(old: Requirement, new: Requirement, at: str) -> list[_Pair]:
    least = f"{at}capability."
    return [
        (f"{at}count", old.count, new.count, ""),
        (f"{at}class", old.accelerator_class, new.accelerator_class, ""),
        (f"{at}family", old.family, new.family, ""),
        (f"{at}vendor", old.vendor, new.vendor, ""),
        (f"{at}stack", old.stack, new.stack, ""),
        (f"{at}resource", old.resource, new.resource, ""),
        (f"{least}memoryPerDevice", old.memory_per_device, new.memory_per_device, "bytes"),
        (f"{least}memoryBandwidthGBps", old.memory_bandwidth, new.memory_bandwidth, "giga"),
        (f"{least}fp16TFLOPS", old.fp16_tflops, new.fp16_tflops, "micro"),
        (f"{least}fp64TFLOPS", old.fp64_tflops, new.fp64_tflops, "micro"),
        (f"{least}precisions", old.precisions, new.precisions, ""),
        (f"{least}minDriver", old.min_driver, new.min_driver, ""),
        (f"{least}minComputeCapability", old.min_compute_capability, new.min_compute_capability, ""),
        (f"{at}partition.profile", old.partition, new.partition, ""),
        (f"{at}share", old.share, new.share, "share"),
    ]


def _text(value: object, show: str) -> str:
    """Return a value as a manifest has it, empty where the field is not set."""
    if value is None or value in ((), ""):
        return ""
    if isinstance(value, Selector):
        return "; ".join(" ".join((each.key, str(each.operator), ",".join(each.values))).strip() for each in value.expressions)
    if isinstance(value, tuple):
        return ", ".join(str(each) for each in value)
    if not isinstance(value, int):
        return "a share of a card" if show == "share" else str(value)
    if show == "milli":
        return str(value // 1000) if value % 1000 == 0 else f"{value}m"
    if show == "giga":
        return str(value // 10**9)
    return format_bytes(value) if show == "bytes" else format_micro(value) if show == "micro" else str(value)
