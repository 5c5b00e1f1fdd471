"""What a plan leaves behind, worked out from model values only: what is taken of nodes, cards, quotas and queues. No judging here."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from sampan.model.members.cluster import CardUse, Cluster, Pool, Running
from sampan.model.plan import Assignment, Plan
from sampan.model.snapshot import Snapshot
from sampan.model.values.vector import Vector
from sampan.scheduling.capacity.request import replica_request, started


def units_of(world: Snapshot, done: Assignment) -> Vector:
    """What one replica of an assignment takes, worked out here from model values only."""
    pool = next(cell.pool for cell in world.cells if (cell.offer, cell.pool.name) == (done.offer, done.pool))
    if done.demand.requirement is None:
        return done.demand.per_replica
    assert pool.accelerator is not None
    return done.demand.per_replica + Vector.of({pool.resource: done.demand.requirement.count * pool.accelerator.units_per_device})


def taken_by(world: Snapshot, plan: Plan) -> dict[tuple[str, str], Vector]:
    taken: dict[tuple[str, str], Vector] = defaultdict(Vector)
    for done in plan.assignments:
        for name, replicas in done.nodes:
            taken[done.cluster_uid, name] = taken[done.cluster_uid, name] + units_of(world, done).times(replicas)
    return taken


def after(world: Snapshot, done: Iterable[Assignment]) -> Snapshot:
    """The world once the assignments hold their nodes and cards, and count against what offers, quotas and member queues give."""
    done = tuple(done)
    taken = taken_by(world, Plan(assignments=done))
    pools = {cell.id: cell.pool for cell in world.cells}
    clusters: dict[str, Cluster] = {}
    for uid, member in world.clusters.items():
        used = {name: member.used.get(name, Vector()) + taken.get((uid, name), Vector()) for name in member.nodes}
        ours = {each.job.uid: running(each, pools[each.offer, each.pool]) for each in done if each.cluster_uid == uid}
        mine = [each for each in done if each.cluster_uid == uid]
        rings = {name: free for name, free in member.rings.items() if not taken.get((uid, name), Vector())["huawei.com/Ascend910"]}
        clusters[uid] = replace(
            member,
            used=used,
            running={**member.running, **ours},
            rings=rings,
            cards=cards_after(world, member, mine),
            quotas={
                space: tuple(replace(each, left=less(each.left, needs_of(world, mine))) for each in told)
                for space, told in member.quotas.items()
            },
            queues={
                key: replace(queue, free=less(queue.free, needs_of(world, [e for e in mine if pools[e.offer, e.pool].member_queue == key])))
                for key, queue in member.queues.items()
            },
        )
    return replace(world, clusters=clusters)


def needs_of(world: Snapshot, done: Iterable[Assignment]) -> Vector:
    """What assignments take, all together."""
    return Vector.total(units_of(world, each).times(each.replicas) for each in done)


def less(left: Mapping[str, int], taken: Vector) -> dict[str, int]:
    return {name: amount - taken[name] for name, amount in left.items()}


def cards_after(world: Snapshot, member: Cluster, done: Iterable[Assignment]) -> dict[tuple[str, str], CardUse]:
    """What is taken of cards once shares were put, one by one, on the fullest card that has room; AssertionError where none has."""
    have = {(name, card.id): card for name, groups in member.devices.items() for group in groups for card in group.cards}
    used = {key: member.cards.get(key, CardUse()) for key in have}
    for each in done:
        share = each.demand.requirement.share if each.demand.requirement else None
        for name, replicas in each.nodes if share else ():
            assert share is not None
            for _ in range(replicas):
                able = [
                    key
                    for key, use in used.items()
                    if key[0] == name
                    and have[key].slots - use.slots > 0
                    and have[key].memory - use.memory >= share.memory
                    and have[key].cores - use.cores >= share.compute_percent
                ]
                assert able, f"no card of {name} has room for {each.job.uid}"
                key = min(able, key=lambda key: (have[key].cores - used[key].cores, have[key].memory - used[key].memory, int(key[1])))
                use = used[key]
                used[key] = CardUse(memory=use.memory + share.memory, cores=use.cores + share.compute_percent, slots=use.slots + 1)
    return used


def running(done: Assignment, pool: Pool) -> Running:
    return started(done, replica_request(done.demand, pool), ends=None)


def refused_in(plan: Plan) -> list[str]:
    return [job.uid for refusal in plan.refusals for job in refusal.jobs]


def placed(plan: Plan) -> dict[str, tuple[object, ...]]:
    return {done.job.uid: (done.offer, done.pool, done.demand.alternative, done.nodes) for done in plan.assignments}
