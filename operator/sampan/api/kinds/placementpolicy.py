"""PlacementPolicy: how the parts of a score weigh, and the points that score 50. The arithmetic is in `scheduling`."""

from typing import Annotated, ClassVar

from pydantic import Field

from sampan.api.fields.common import ApiModel, Rule
from sampan.api.fields.quantities import PositiveDecimal
from sampan.api.fields.scalars import Bool, Int

Percent = Annotated[Int, Field(ge=0, le=100)]


class Weights(ApiModel):
    """Weights of the parts in percent; they sum to 100."""

    RULES: ClassVar = (
        Rule(
            cel="self.cost + self.performance + self.packing + self.domestic + self.green == 100",
            message="cost, performance, packing, domestic and green must sum to 100",
            is_met=lambda w: w.cost + w.performance + w.packing + w.domestic + w.green == 100,
        ),
    )
    cost: Percent = Field(0, description="Weight of the price of the whole job: price per device-hour, devices and expected hours.")
    performance: Percent = Field(0, description="Weight of the expected run time on the devices.")
    packing: Percent = Field(0, description="Weight of filling nodes, so that large gangs still find whole ones.")
    domestic: Percent = Field(0, description="Weight of devices from the hub's home country, for jobs that prefer them.")
    green: Percent = Field(0, description="Weight of power with little CO2, as the offers declare it.")


class References(ApiModel):
    """Values at which a part scores 50. Fixed, so that the order of two offers never depends on a third."""

    price_per_device_hour: PositiveDecimal = Field(
        "10.00", description='Price of a device-hour in the hub\'s currency that scores 50, above 0. Default "10.00".'
    )
    grams_co2_per_kwh: Int = Field(
        400,
        ge=1,
        le=10_000,
        alias="gCO2PerKWh",
        description="Grams of CO2 per kilowatt-hour, PUE and renewable share counted in, that score 50. Default 400.",
    )


class PlacementPolicySpec(ApiModel):
    """How offers are scored for the jobs that name this policy."""

    weights: Weights = Field(description="Weights of the parts in percent; they sum to 100.")
    references: References = Field(References(), description="Values at which a part scores 50.", json_schema_extra={"default": {}})
    prefers_domestic: Bool = Field(
        False, description="true: domestic devices score higher for every job, not only for those that prefer them. Default false."
    )
    cpu_on_accelerators: Bool = Field(False, description="true: jobs without devices may use nodes with devices. Default false.")
    cpu_reserve_per_device: Int = Field(
        4, ge=0, le=1024, description="Cores that such jobs leave free on a node for each of its devices. Default 4."
    )
