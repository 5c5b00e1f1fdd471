"""AcceleratorClass objects as values: the facts, and what tells such devices. What a node's devices are is decided in `catalog`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sampan.api.convert.launch import launch_of
from sampan.api.convert.offers import InvalidObjectError, parse_object, selector_of
from sampan.api.kinds.acceleratorclass import AcceleratorClassSpec, CountRuleSpec
from sampan.model.members.accelerator import AcceleratorClass, CountRule, Precision
from sampan.model.values.quantity import QuantityError, parse_micro, parse_quantity
from sampan.model.values.selector import Selector


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassDeclaration:
    """An AcceleratorClass object: the facts, and what tells such devices on a node."""

    accelerator: AcceleratorClass
    resource_names: tuple[str, ...]
    """Extended resources that publish it; `*` stands for any run of characters."""
    node_selector: Selector = Selector()


def class_of(body: Mapping[str, Any]) -> ClassDeclaration:
    """Return an AcceleratorClass object as facts; raises `InvalidObjectError`."""
    name = body["metadata"]["name"]
    spec = parse_object(AcceleratorClassSpec, body, f"AcceleratorClass {name}")
    try:
        accelerator = AcceleratorClass(
            name=name,
            vendor=spec.vendor,
            family=spec.family,
            stack=spec.stack,
            origin=spec.origin,
            memory=None if spec.memory is None else parse_quantity(spec.memory),
            memory_bandwidth=None if spec.memory_bandwidth is None else spec.memory_bandwidth * 10**9,
            throughput=_throughput(spec),
            generation=spec.generation or "",
            units_per_device=spec.units_per_device,
            devices_per_package=spec.devices_per_package,
            count_rule=_count_rule(spec.count_rule),
            share_rate=spec.share_rate_milli,
            launch=None if spec.launch is None else launch_of(spec.launch),
            sources=spec.sources,
        )
    except QuantityError:
        raise InvalidObjectError(f"AcceleratorClass {name}: spec.memory or a throughput is not a number") from None
    return ClassDeclaration(accelerator=accelerator, resource_names=spec.resource_names, node_selector=selector_of(spec.node_selector))


def _throughput(spec: AcceleratorClassSpec) -> tuple[tuple[Precision, int], ...]:
    figures = {
        Precision.FP64: spec.fp64_tflops,
        Precision.FP32: spec.fp32_tflops,
        Precision.FP16: spec.fp16_tflops,
        Precision.FP8: spec.fp8_tflops,
        Precision.INT8: spec.int8_tops,
    }
    return tuple((precision, parse_micro(figure)) for precision, figure in figures.items() if figure is not None)


def _count_rule(spec: CountRuleSpec | None) -> CountRule:
    if spec is None:
        return CountRule()
    return CountRule(allowed=tuple(sorted(spec.allowed)), multiple_of=spec.multiple_of, group_size=spec.group_size or 0, span=spec.span)
