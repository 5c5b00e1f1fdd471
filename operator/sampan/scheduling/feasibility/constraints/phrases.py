"""Phrases that words of several constraints are made of."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from sampan.model.job import Shape

_MOST_NAMES: Final = 4


def either(values: Iterable[object]) -> str:
    """Return values of which one will do: `cn-north or cn-east`."""
    return " or ".join(map(str, values))


def listed(values: Iterable[str]) -> str:
    """Return a list that is cut where it is long: `a, b, c, d and 5 more`."""
    names = list(values)
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


def moment(at: int) -> str:
    """Return a moment (milliseconds since the epoch) as Kubernetes writes it."""
    return datetime.fromtimestamp(at // 1000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def wanted(shape: Shape) -> str:
    """Return what the first alternative needs: `2 replicas of 8 devices each`."""
    demand = shape.demands[0]
    unit = f"{demand.devices} device{'s' * (demand.devices != 1)}" if demand.devices else "CPU and memory"
    if demand.least_replicas == 1:
        return f"{unit} on one node"
    return f"{demand.least_replicas} replicas of {unit} at once"
