"""Simulated time: a few jobs whose outcome can be told by hand, and a trace that cannot end."""

import pytest

from sampan.sim.replay import Outcome, Rules, play
from sampan.sim.world import SimJob, World, node_of


def job(name: str, submitted: int, seconds: int, devices: int) -> SimJob:
    return SimJob(name=name, group="vc", submitted=submitted, seconds=seconds, devices=devices)


def world() -> World:
    return World({"vc": [node_of("n1", 8)]}, devices_per_node=8)


LINE = [job("long", 0, 100, 6), job("wide", 1, 10, 8), job("small", 2, 10, 2)]


def test_blocking_lets_nobody_pass_the_first_that_does_not_fit() -> None:
    outcome = play(LINE, world(), Rules(devices_per_node=8, blocking=True))
    assert outcome.waiting == 0 + 99 + 108
    assert outcome.completion == outcome.waiting + 120


def test_our_order_fills_the_hole_that_the_first_leaves() -> None:
    outcome = play(LINE, world(), Rules(devices_per_node=8, declared=True))
    assert outcome.waiting == 0 + 99 + 0, "small ends before wide can start: it delays nobody"


def test_a_job_that_never_fits_is_named() -> None:
    with pytest.raises(LookupError, match="huge"):
        play([job("huge", 0, 1, 64)], world(), Rules(devices_per_node=8))


def test_means_are_over_all_jobs_of_all_parts() -> None:
    both = Outcome(jobs=1, completion=10, waiting=0) + Outcome(jobs=3, completion=50, waiting=4)
    assert (both.mean_completion, both.mean_waiting) == (15, 1)
