"""A placement policy: how the parts of a score weigh, and the fixed reference points of each part. The arithmetic is in `scheduling`."""

from dataclasses import dataclass
from typing import Final

from sampan.model.values.quantity import MICRO


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Weights in percent that sum to 100, and the value at which a part scores 50."""

    name: str
    cost: int = 0
    """Price of the whole job on these devices."""
    performance: int = 0
    """Expected run time on these devices."""
    packing: int = 0
    """Filling nodes, so that large holes stay for gangs."""
    domestic: int = 0
    """Devices from the hub's home country, for jobs that prefer them."""
    green: int = 0
    """Power with little CO2."""
    prefers_domestic: bool = False
    """The domestic part counts for every job with devices, not only for those that ask."""
    reference_price: int = 10 * MICRO
    """Micro-units of the hub's currency per device-hour that score 50 for cost."""
    reference_grams: int = 400
    """Grams of CO2 per kilowatt-hour of computing (grid x PUE x what is not renewable) that score 50 for green."""
    cpu_on_accelerators: bool = False
    """Jobs without devices may use nodes with devices."""
    cpu_reserve_per_device: int = 4000
    """Thousandths of a core that such jobs leave free for each device of the node."""

    @property
    def weights(self) -> dict[str, int]:
        """Return the weights by part."""
        return {
            "cost": self.cost,
            "performance": self.performance,
            "packing": self.packing,
            "domestic": self.domestic,
            "green": self.green,
        }


BALANCED: Final = Policy(name="balanced", cost=50, packing=25, domestic=25)
"""Used for a job that names no policy. Cost is of the whole job, so time is in it already."""
BUILT_IN: Final = {
    policy.name: policy
    for policy in (
        BALANCED,
        Policy(name="cost", cost=85, packing=15),
        Policy(name="performance", performance=80, cost=10, packing=10),
        Policy(name="green", green=75, cost=15, packing=10),
        Policy(name="domestic", domestic=70, cost=20, packing=10, prefers_domestic=True),
        Policy(name="pack", packing=80, cost=20),
    )
}
"""Policies that are there without any object; a PlacementPolicy of the same name replaces one."""
