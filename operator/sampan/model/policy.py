"""A placement policy: how the parts of a score weigh, and the fixed reference points of each part."""

from dataclasses import dataclass
from typing import Final

from sampan.model.quantity import MICRO


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Weights in percent that sum to 100, and the value at which a part scores 50."""

    name: str
    cost: int
    packing: int
    preference: int
    reference_price: int = 10 * MICRO
    """Micro-units of the hub's currency per device-hour that score 50 for cost."""


BALANCED: Final = Policy(name="balanced", cost=50, packing=25, preference=25)
"""Used for a job that names no policy, and for one whose policy does not exist."""
