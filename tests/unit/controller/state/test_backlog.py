"""What the backlog shows is what a look at every job would show, however the changes come."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NOW, job
from sampan.controller.state.backlog import BacklogCache, Visibility
from sampan.model.backlog import Backlog

UIDS = [f"u{number}" for number in range(12)]
CHANGES = st.lists(
    st.tuples(st.sampled_from(UIDS), st.sampled_from(["gone", "shown", "newer", "other bucket"]), st.integers(0, 40), st.booleans()),
    max_size=60,
)


@given(CHANGES)
def test_it_shows_what_a_look_at_all_would_show(changes: list[tuple[str, str, int, bool]]) -> None:
    now, world = NOW, dict[str, tuple[int, str]]()

    def look(uid: str, at: int) -> Visibility:
        if uid not in world:
            return Visibility(None)
        since, kind = world[uid]
        if since > at:
            return Visibility(None, since)
        return Visibility(replace(job(uid), resource_version=kind, priority=int(kind == "other bucket")))

    waiting = BacklogCache(look)
    for uid, kind, delay, settle in changes:
        now += 7
        if kind == "gone":
            world.pop(uid, None)
        else:
            world[uid] = now + delay, kind
        waiting.invalidate(uid)
        if settle:
            waiting.backlog(now)
    want = Backlog.of(sight.job for uid in UIDS if (sight := look(uid, now)).job is not None)
    assert waiting.backlog(now).jobs == want.jobs
    later = now + 100
    assert [each.uid for each in waiting.backlog(later).jobs] == sorted(world), "what was to come has come"


def test_nothing_is_looked_at_that_did_not_change() -> None:
    looked: list[str] = []

    def look(uid: str, _: int) -> Visibility:
        looked.append(uid)
        return Visibility(job(uid))

    waiting = BacklogCache(look)
    waiting.invalidate_all(UIDS)
    first = waiting.backlog(NOW)
    assert sorted(looked) == sorted(UIDS)
    assert waiting.backlog(NOW + 1_000_000) is first
    assert len(looked) == len(UIDS)
    waiting.invalidate("u3")
    assert waiting.backlog(NOW) is first, "looked at, and the same"
    assert looked[len(UIDS) :] == ["u3"]


@pytest.mark.parametrize("amount", [1, 400])
def test_moments_that_no_longer_matter_are_dropped(amount: int) -> None:
    at = NOW

    def look(uid: str, _: int) -> Visibility:
        return Visibility(None, at)

    waiting = BacklogCache(look)
    for number in range(amount):
        at = NOW + 1_000 + number
        waiting.invalidate("u")
        waiting.backlog(NOW)
    assert len(waiting._timers) <= 70
