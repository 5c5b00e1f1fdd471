"""PlacementPolicy: how the parts of a score weigh, and the points that score 50. The arithmetic is in `scheduling`."""

from typing import Annotated, ClassVar

from pydantic import Field

from sampan.api.common import Border, Rule
from sampan.api.scalars import Decimal, Int

Percent = Annotated[Int, Field(ge=0, le=100)]


class Weights(Border):
    """Weights of the parts in percent; they sum to 100."""

    RULES: ClassVar = (
        Rule(
            cel="self.cost + self.packing + self.preference == 100",
            message="cost, packing and preference must sum to 100",
            holds=lambda w: w.cost + w.packing + w.preference == 100,
        ),
    )
    cost: Percent = Field(description="Weight of the price.")
    packing: Percent = Field(description="Weight of filling nodes, so that large gangs still find whole ones.")
    preference: Percent = Field(description="Weight of what the job prefers, such as domestic devices.")


class References(Border):
    """Values at which a part scores 50. Fixed, so that the order of two offers never depends on a third."""

    price_per_device_hour: Decimal = Field(
        "10.00", description='Price of a device-hour in the hub\'s currency that scores 50. Default "10.00".'
    )


class PlacementPolicySpec(Border):
    """How offers are scored for the jobs that name this policy."""

    weights: Weights = Field(description="Weights of the parts in percent; they sum to 100.")
    references: References = Field(References(), description="Values at which a part scores 50.", json_schema_extra={"default": {}})
