"""Queue: namespaces that share turns, and within what limits their jobs compete. The order itself is in `scheduling`."""

from typing import Annotated

from pydantic import Field

from sampan.api.fields.common import ApiModel, as_set
from sampan.api.fields.quantities import PositiveDecimal
from sampan.api.fields.scalars import DnsLabel, Int, Seconds


class QueueSpec(ApiModel):
    """Whose jobs are meant, how they share, and what they may ask for."""

    namespaces: Annotated[tuple[DnsLabel, ...], as_set(256)] = Field(
        (), description="Namespaces whose jobs may name this queue. It is the default of those that no older Queue names."
    )
    weight: PositiveDecimal = Field(
        "1",
        description="Share against its siblings, such as 2 or 0.5: twice the weight may use twice as much. Above 0: to keep its jobs "
        'back, take its namespaces out. Default "1".',
    )
    parent: DnsLabel | None = Field(None, description="Queue whose share this one divides with its siblings; absent: the hub's.")
    highest_priority: Int | None = Field(None, ge=-1000, le=1000, description="Highest priority of its jobs; absent: any.")
    policies: Annotated[tuple[DnsLabel, ...], as_set(32)] = Field(
        (), description="PlacementPolicies that its jobs may name; empty: all of them."
    )
    default_run_seconds: Seconds | None = Field(
        None,
        description="Run limit that counts for jobs without activeDeadlineSeconds when others are promised starts; absent: endless.",
    )
