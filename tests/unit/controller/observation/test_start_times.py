"""What a member's starts took lately, and for how long that says anything."""

from dataclasses import replace

from jobs import NOW, binding
from sampan.controller.observation.start_times import RECENT_MILLIS, StartTimes

HERE = binding(bound_at=NOW - 40_000)


def test_a_start_counts_for_its_member_and_for_a_while() -> None:
    starts = StartTimes()
    assert starts.usual(HERE.cluster_uid, now=NOW) == 0
    starts.add(HERE, now=NOW)
    assert starts.usual(HERE.cluster_uid, now=NOW) == 40_000
    assert starts.usual("elsewhere", now=NOW) == 0
    assert starts.usual(HERE.cluster_uid, now=NOW + RECENT_MILLIS) == 0


def test_several_starts_are_averaged_and_a_clock_that_went_back_takes_nothing_off() -> None:
    starts = StartTimes()
    for bound_at in (NOW - 40_000, NOW - 80_000, NOW + 9_000):
        starts.add(replace(HERE, bound_at=bound_at), now=NOW)
    assert starts.usual(HERE.cluster_uid, now=NOW) == 37_500
