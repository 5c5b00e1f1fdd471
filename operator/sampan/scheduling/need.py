"""What one replica takes from a node, and a job once it is placed. For the scheduler and the picture of what is under way alike."""

from sampan.model.cluster import Pool, Running
from sampan.model.job import Demand
from sampan.model.plan import Assignment
from sampan.model.vector import Vector


def need_of(demand: Demand, pool: Pool) -> Vector:
    """Return the amounts of one replica on a node of the pool: the pod's own, its devices in units, and what its launch recipe adds."""
    extra = pool.launch.extra_resources
    if demand.requirement is None or not pool.resource:
        return demand.per_replica + extra if extra.amounts else demand.per_replica
    units = demand.requirement.count * (pool.accelerator.units_per_device if pool.accelerator else 1)
    return Vector.total((demand.per_replica, Vector.of({pool.resource: units}), extra))


def started(done: Assignment, per_replica: Vector, *, ends: int | None, likely_ends: int | None = None) -> Running:
    """Return what an assignment holds once it is carried out; ends in milliseconds since the epoch."""
    return Running(
        job_uid=done.job.uid,
        namespace=done.job.namespace,
        queue=done.job.queue,
        priority=done.job.priority,
        offer=done.offer,
        pool=done.pool,
        nodes=done.nodes,
        per_replica=per_replica,
        ends=ends,
        likely_ends=likely_ends,
    )
