"""PlacementPolicy and Queue objects as values. How a score or an order follows from them is in `scheduling`."""

from collections.abc import Mapping
from typing import Any

from sampan.api.convert.offers import InvalidObjectError, parse_object
from sampan.api.kinds.placementpolicy import PlacementPolicySpec
from sampan.api.kinds.queue_kind import QueueSpec
from sampan.model.policy import Policy
from sampan.model.queues import Queue
from sampan.model.values.quantity import QuantityError, parse_micro


def policy_of(body: Mapping[str, Any]) -> Policy:
    """Return a PlacementPolicy; raises `InvalidObjectError`."""
    name = body["metadata"]["name"]
    spec = parse_object(PlacementPolicySpec, body, f"PlacementPolicy {name}")
    try:
        reference = parse_micro(spec.references.price_per_device_hour)
    except QuantityError:
        raise InvalidObjectError(f"PlacementPolicy {name}: spec.references.pricePerDeviceHour is not a number") from None
    weights = spec.weights
    return Policy(
        name=name,
        cost=weights.cost,
        performance=weights.performance,
        packing=weights.packing,
        domestic=weights.domestic,
        green=weights.green,
        prefers_domestic=spec.prefers_domestic,
        reference_price=reference,
        reference_grams=spec.references.grams_co2_per_kwh,
        cpu_on_accelerators=spec.cpu_on_accelerators,
        cpu_reserve_per_device=spec.cpu_reserve_per_device * 1000,
    )


def queue_of(body: Mapping[str, Any]) -> Queue:
    """Return a Queue; raises `InvalidObjectError`."""
    name = body["metadata"]["name"]
    spec = parse_object(QueueSpec, body, f"Queue {name}")
    return Queue(
        name=name,
        namespaces=tuple(sorted(spec.namespaces)),
        weight=parse_micro(spec.weight),
        parent=spec.parent,
        highest_priority=spec.highest_priority,
        policies=tuple(sorted(spec.policies)),
        default_run_seconds=spec.default_run_seconds,
    )
