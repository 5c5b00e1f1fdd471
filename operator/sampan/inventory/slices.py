"""Turns the ResourceSlices of a member into what the catalogue reads. No meaning of attributes here, and nothing of claims."""

from collections.abc import Iterable, Mapping
from typing import Final

from sampan.kube.objects import dra
from sampan.model.members.device import DeviceSlice, DraDevice
from sampan.model.values.quantity import QuantityError, parse_quantity

_KEEPS_AWAY: Final = ("NoSchedule", "NoExecute")


def to_slice(one: dra.ResourceSlice) -> DeviceSlice | None:
    """Return a slice as the catalogue reads it; None for one that belongs to no single node."""
    spec = one.spec
    if not spec.node_name:
        return None
    return DeviceSlice(
        name=one.metadata.name,
        driver=spec.driver,
        pool=spec.pool.name,
        node=spec.node_name,
        generation=spec.pool.generation,
        expected_slices=spec.pool.resource_slice_count,
        devices=tuple(_device(device) for device in spec.devices),
        counters=_counters((each.name, each.counters) for each in spec.shared_counters),
    )


def _device(device: dra.Device) -> DraDevice:
    told = device.basic or device
    return DraDevice(
        name=device.name,
        attributes={name: _text(attribute) for name, attribute in told.attributes.items()},
        capacity={name: amount for name, each in told.capacity.items() if (amount := _amount(each.value)) is not None},
        tainted=any(taint.effect in _KEEPS_AWAY for taint in told.taints),
        consumable=told.allow_multiple_allocations,
        counters=_counters((each.counter_set, each.counters) for each in told.consumes_counters),
    )


def _counters(sets: Iterable[tuple[str, Mapping[str, dra.Counter]]]) -> tuple[tuple[str, str, int], ...]:
    return tuple(sorted((name, key, _amount(each.value) or 0) for name, counters in sets for key, each in counters.items()))


def _text(attribute: dra.DeviceAttribute) -> str:
    if attribute.bool_ is not None:
        return "true" if attribute.bool_ else "false"
    if attribute.int_ is not None:
        return str(attribute.int_)
    return attribute.string or attribute.version or ""


def _amount(text: str) -> int | None:
    try:
        return parse_quantity(text)
    except QuantityError:
        return None  # a capacity without an amount is one that nothing can be told by
