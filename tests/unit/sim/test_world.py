"""The simulated world: what starts takes its nodes, what ends gives them back, and a picture once taken never changes."""

import builders
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import schedule
from sampan.sim.world import RESOURCE, World, node_of, shape_of


def a_world(nodes: int = 2) -> World:
    return World({"vc": [node_of(f"n{i}", 8) for i in range(nodes)]}, devices_per_node=8)


def test_small_jobs_are_one_replica_and_large_ones_gangs_of_whole_nodes() -> None:
    small, large = shape_of(4, 8, limit=None).demands[0], shape_of(24, 8, limit=60).demands[0]
    assert small.requirement is not None
    assert large.requirement is not None
    assert (small.replicas, small.requirement.count) == (1, 4)
    assert (large.replicas, large.least_replicas, large.requirement.count, large.span_seconds) == (3, 3, 8, 60)


def _devices_used(world: World) -> int:
    clusters = world.snapshot(0, (), limit=1).clusters.values()
    return sum(used[RESOURCE] for cluster in clusters for used in cluster.used.values())


def test_starting_takes_and_ending_gives_back() -> None:
    world, job = a_world(), builders.job("a", shape_of(16, 8, limit=None))
    before = world.snapshot(0, (job,), limit=1)
    (assignment,) = schedule(before, Memo())[0].assignments
    world.start(assignment, ends=9000)
    assert _devices_used(world) == 16
    (running,) = world.snapshot(1, (), limit=1).clusters["vc"].running.values()
    assert (running.job_uid, running.ends) == ("a", 9000)
    assert not schedule(world.snapshot(1, (builders.job("b", shape_of(1, 8, limit=None)),), limit=1), Memo())[0].assignments
    world.end("a")
    after = world.snapshot(2, (), limit=1).clusters["vc"]
    assert (after.used, after.running) == ({}, {})
    assert before.clusters["vc"].used == {}
