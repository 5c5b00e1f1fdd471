"""Where a job may run: the tenant's limits on offers. What an offer may claim is granted by its Provider, not here."""

from typing import Annotated

from pydantic import Field

from sampan.api.fields.common import ApiModel, as_set
from sampan.api.fields.quantities import Decimal
from sampan.api.fields.scalars import Country, DnsLabel, DnsSubdomain
from sampan.api.fields.selector import LabelSelector
from sampan.model.job import Domestic, Interconnect
from sampan.model.members.offer import Terms


class Placement(ApiModel):
    """Limits on the offers that may run the job; what is absent excludes nothing but offers of other terms than OnDemand."""

    regions: Annotated[tuple[DnsLabel, ...], as_set(64)] = Field(
        (), description="Regions that may run the job, such as cn-east; empty: any."
    )
    jurisdictions: Annotated[tuple[Country, ...], as_set(64)] = Field(
        (), description="Countries whose law may apply, as ISO 3166-1 alpha-2 codes such as CN; empty: any."
    )
    domestic: Domestic = Field(
        Domestic.ANY,
        description="Whether devices must come from the hub's home country: Any, Preferred (scores higher) or Required. Needs "
        "alternatives: the law that holds for a job without devices is chosen by jurisdictions.",
    )
    providers: Annotated[tuple[DnsSubdomain, ...], as_set(64)] = Field(
        (), description="Names of the Providers that may run the job; empty: any."
    )
    offer_selector: LabelSelector | None = Field(
        None, description="Labels that an offer must carry; only labels that its Provider may set count."
    )
    terms: Annotated[tuple[Terms, ...], as_set(4)] = Field(
        (),
        description="Terms that the job accepts: OnDemand, Reserved, Interruptible, Trial. Absent or empty: OnDemand alone; what may be "
        "taken away, is on trial or is set aside is accepted only by name.",
    )
    max_price_per_device_hour: Decimal | None = Field(
        None,
        description='Highest price of one device for an hour in the hub\'s currency, such as "15.00": with quotes or without, '
        "at most six decimal places. Needs alternatives.",
    )
    interconnect: Interconnect = Field(
        Interconnect.ANY,
        description="SameDomain: all replicas of a gang in one fabric domain (NVLink clique, super pod, rack). Needs gang: true and "
        "alternatives. Default Any.",
    )
