"""Nodes as a source of capacity: how soon they suffice."""

from dataclasses import replace
from random import Random

from builders import H100, NOW, cluster, demand, job, nodes, offer, requirement, running, shape, snapshot, vector
from sampan.model.members.cluster import Cluster
from sampan.model.plan import StartUnknown
from sampan.scheduling.cache import SchedulerCache
from sampan.scheduling.reservations.node_capacity import NodeCapacity
from sampan.scheduling.state import CycleState


def member(chance: Random, at: int) -> Cluster:
    """Of three nodes some are held by a job that may declare its end, which may be over."""
    held = [f"n{at}-{each}" for each in range(3) if chance.randint(0, 2)]
    runs = {name: running(name, name, ends=chance.choice((None, NOW - 5, NOW + 5, NOW + 60))) for name in held}
    return replace(cluster(*nodes(f"n{at}", 3, H100), uid=f"c{at}"), used={name: vector(gpu=8) for name in held}, running=runs)


def test_what_is_known_without_releases_is_never_later_than_what_is_known_with_them() -> None:
    """30 worlds: where devices suffice now both say now."""
    chance = Random(3)
    for _ in range(30):
        world = snapshot([], [offer(f"o{at}", cluster_uid=f"c{at}") for at in range(4)], [member(chance, at) for at in range(4)])
        cache = SchedulerCache()
        cache.update(world)
        state = CycleState.open(world, cache)
        wanted = [demand(requirement(), replicas=replicas) for replicas in (1, 2, 3)]
        entry = state.entry(job("asks", shape(*(replace(each, alternative=at) for at, each in enumerate(wanted)))))
        requests = {index: state.request(entry, index) for index in range(3)}
        candidates = [(column, index) for column in range(4) for index in range(3)]
        first_ends = {uid: cache.backfill.first_ends.of(each) for uid, each in world.clusters.items()}
        capacity = NodeCapacity(cache.matrix, state.releases, first_end=first_ends.__getitem__, now=NOW)
        found = list(capacity.soonest(requests, candidates))
        assert sorted((column, index) for _, column, index in found) == candidates
        for moment, column, index in found:
            exact = capacity.available_from(requests[index], column, beside=())
            assert isinstance(exact, StartUnknown) or NOW <= moment <= exact
            suffices = cache.matrix.fits_now[requests[index].row, column] >= index + 1
            assert not suffices or moment == exact == NOW
