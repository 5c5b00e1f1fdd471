"""What an offer lets a job be, where the table of filters says too little."""

from dataclasses import replace

from builders import NOW, demand, offer, pool, requirement
from sampan.model.job import Placement
from sampan.model.reason import Reason
from sampan.model.values.names import NAMESPACE_NAME
from sampan.scheduling.feasibility.constraints.context import FilterContext
from sampan.scheduling.feasibility.constraints.table import violated


def test_a_tenant_needs_a_namespace_where_tenants_are_kept_apart() -> None:
    of = replace(offer(), tenant_namespaces={"team-a": "jobs-a"})
    context = FilterContext(demand=demand(requirement()), placement=Placement(), offer=of, pool=pool(), now=NOW, currency="CNY")
    assert violated(replace(context, tenant=((NAMESPACE_NAME, "team-a"),))) == ()
    assert violated(replace(context, tenant=((NAMESPACE_NAME, "team-b"),))) == (Reason.TENANT_NAMESPACE_MISSING,)
    assert violated(context) == (Reason.TENANT_NAMESPACE_MISSING,)
    assert violated(replace(context, offer=offer())) == ()
