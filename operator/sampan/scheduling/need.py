"""What one replica takes from a node. One function for the scheduler and for the picture of what is under way, so that both agree."""

from sampan.model.cluster import Pool
from sampan.model.job import Demand
from sampan.model.vector import Vector


def need_of(demand: Demand, pool: Pool) -> Vector:
    """Return the amounts of one replica on a node of the pool: the pod's own, its devices in units, and what its launch recipe adds."""
    extra = pool.launch.extra_resources
    if demand.requirement is None or not pool.resource:
        return demand.per_replica + extra if extra.amounts else demand.per_replica
    units = demand.requirement.count * (pool.accelerator.units_per_device if pool.accelerator else 1)
    return Vector.total((demand.per_replica, Vector.of({pool.resource: units}), extra))
