"""What one replica takes from a node, and a job once it is placed. For the scheduler and for what is in flight alike."""

from typing import Final

from sampan.model.job import Demand
from sampan.model.members.admission import Admission
from sampan.model.members.cluster import Pool, Running
from sampan.model.plan import Assignment
from sampan.model.values.vector import CPU, MEMORY, STORAGE, Vector

OF_COMPUTE: Final = (CPU, MEMORY, STORAGE)


def replica_request(demand: Demand, pool: Pool) -> Vector:
    """Return the amounts of one replica on a node of the pool: the pod's own, its devices in units, and what launching it adds.

    What LimitRanges of the namespace give to a container that names none counts as the pod's own.
    """
    extra = pool.extra
    if pool.admission.limits:
        extra = extra + fill(demand.per_replica, zeros=demand.zeros, fills=fills_of(pool.admission))
    if demand.requirement is None or not pool.resource:
        return demand.per_replica + extra if extra.amounts else demand.per_replica
    units = demand.requirement.count * pool.units_per_device
    return Vector.total((demand.per_replica, Vector.of({pool.resource: units}), extra))


def fills_of(admission: Admission) -> Vector:
    """Return the requests that LimitRanges give a container that names none: the most of them, of what every node has."""
    most: dict[str, int] = {}
    for item in admission.limits:
        for name, amount in item.default_request:
            if name in OF_COMPUTE:
                most[name] = max(most.get(name, 0), amount)
    return Vector.of(most)


def fill(per_replica: Vector, *, zeros: tuple[str, ...], fills: Vector) -> Vector:
    """Return what is filled in where a pod names nothing."""
    return Vector.of({name: amount for name, amount in fills if not per_replica[name] and name not in zeros})


def started(done: Assignment, per_replica: Vector, *, ends: int | None, likely_ends: int | None = None) -> Running:
    """Return what runs once an assignment is carried out; ends in milliseconds since the epoch."""
    return Running(
        job_uid=done.job.uid,
        namespace=done.job.namespace,
        queue=done.job.queue,
        priority=done.job.priority,
        offer=done.offer,
        pool=done.pool,
        nodes=done.nodes,
        per_replica=per_replica,
        limits=done.demand.limits,
        ends=ends,
        likely_ends=likely_ends,
    )
