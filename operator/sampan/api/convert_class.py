"""AcceleratorClass objects as values: the facts, and what tells such devices. What a node's devices are is decided in `catalog`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sampan.api.acceleratorclass import AcceleratorClassSpec
from sampan.api.convert_offer import InvalidObjectError, parse_object, selector_of
from sampan.model.accelerator import AcceleratorClass, CountRule, Precision
from sampan.model.quantity import QuantityError, parse_micro, parse_quantity
from sampan.model.selector import Selector


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
    rule = spec.count_rule
    try:
        accelerator = AcceleratorClass(
            name=name,
            vendor=spec.vendor,
            family=spec.family,
            stack=spec.stack,
            origin=spec.origin,
            memory=None if spec.memory is None else parse_quantity(spec.memory),
            throughput=() if spec.fp16_tflops is None else ((Precision.FP16, parse_micro(spec.fp16_tflops)),),
            memory_bandwidth=None if spec.memory_bandwidth is None else spec.memory_bandwidth * 10**9,
            units_per_device=spec.units_per_device,
            devices_per_package=spec.devices_per_package,
            count_rule=CountRule() if rule is None else CountRule(allowed=tuple(sorted(rule.allowed)), multiple_of=rule.multiple_of),
            sources=spec.sources,
        )
    except QuantityError:
        raise InvalidObjectError(f"AcceleratorClass {name}: spec.memory or spec.fp16TFLOPS is not a number") from None
    return ClassDeclaration(accelerator=accelerator, resource_names=spec.resource_names, node_selector=selector_of(spec.node_selector))
