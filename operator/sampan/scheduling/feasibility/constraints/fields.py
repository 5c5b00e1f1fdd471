"""Fields of a job's manifest that more than one constraint may ask to change."""

from collections.abc import Callable
from typing import Any, Final

from sampan.model.job import Demand, Placement
from sampan.model.values.quantity import format_bytes
from sampan.model.values.vector import CPU, MEMORY, STORAGE
from sampan.scheduling.feasibility.constraints.record import Field, Part, written


def of_devices(name: str, attribute: str, show: Callable[[Any], str] = written) -> Field:
    """Return the field of `accelerator` that is an attribute of Requirement."""
    return Field(part=Part.DEVICES, name=name, read=lambda _, demand: getattr(demand.requirement, attribute, None), show=show)


def _cores(amount: int) -> str:
    return str(amount // 1000) if amount % 1000 == 0 else f"{amount}m"


def _request(name: str) -> Callable[[Placement, Demand], object]:
    """Return what reads a pod's request of a resource: None where it does not name it."""
    return lambda _, demand: demand.main.per_replica[name] or (0 if name in demand.zeros else None)


def _limit(name: str) -> Callable[[Placement, Demand], object]:
    return lambda _, demand: dict(demand.main.limits).get(name)


REPLICAS: Final = Field(part=Part.JOB, name="replicas", read=lambda _, demand: demand.least_replicas)
COUNT: Final = of_devices("count", "count")
_AMOUNTS: Final = ((CPU, _cores), (MEMORY, format_bytes), (STORAGE, format_bytes))
REQUESTS_AND_LIMITS: Final = tuple(
    Field(part=Part.POD, name=f"resources.{kind}.{name}", read=read(name), show=show)
    for name, show in _AMOUNTS
    for kind, read in (("requests", _request), ("limits", _limit))
)
PART_OF_A_DEVICE: Final = (
    of_devices("partition.profile", "partition"),
    of_devices("share", "share", show=lambda _: "a share of a card"),
)
