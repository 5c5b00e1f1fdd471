"""The same thing again and again: ever later, whether it failed or came to nothing; another thing at once."""

from typing import get_args

import pytest

from jobs import NOW, copy
from sampan.controller.reconcile import actions as a
from sampan.controller.reconcile.member_words import CallFailure
from sampan.controller.reconcile.retries import RetryTracker, key_of

ONCE = ("Start", "remote-1")
BROKEN = CallFailure(reason="InternalError", message="no")
SAMPLES: tuple[a.Action, ...] = (
    a.Wait(),
    a.Patch({}),
    a.Create(),
    a.Start(copy()),
    a.Extend(copy(), 5),
    a.Remove("r"),
    a.Sweep(),
    a.Confirm(),
    a.Inquire(copy()),
    a.Release(),
    a.Expire(),
    a.Refresh(),
)


def tries(jitter: float = 1.0) -> RetryTracker:
    """Tries with a known jitter."""
    return RetryTracker(lambda low, high: low + (high - low) * jitter)


def pauses(of: RetryTracker, times: int) -> list[int]:
    """How long each further try of one thing has to wait, if each is made as soon as it may be."""
    now, found = NOW, []
    for _ in range(times):
        of.succeeded("u1", ONCE, now)
        left = of.of("u1")["Start"].remaining(now)
        found.append(left)
        now += left
    return found


def test_pauses_double_up_to_a_minute_and_stay_there() -> None:
    assert pauses(tries(), 9) == [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]
    assert pauses(tries(jitter=0), 2) == [500, 1_000]


@pytest.mark.parametrize("kind", ["Inquire", "Extend"])
def test_what_is_not_urgent_is_done_again_less_often(kind: str) -> None:
    of = tries()
    of.succeeded("u1", (kind, "r"), NOW)
    assert of.of("u1")[kind].remaining(NOW) == 4_000


def test_another_target_is_another_matter_and_another_kind_too() -> None:
    of = tries()
    of.succeeded("u1", ONCE, NOW)
    of.succeeded("u1", ONCE, NOW)
    assert of.of("u1")["Start"].times == 2
    of.succeeded("u1", ("Start", "remote-2"), NOW)
    assert of.of("u1")["Start"].times == 1
    assert "Remove" not in of.of("u1")
    assert of.of("u2") == {}


def test_a_server_that_names_a_moment_is_obeyed_within_reason() -> None:
    of = tries()
    patient = CallFailure(reason="TooManyRequests", message="", retry_after=45_000)
    assert of.failed("u1", ONCE, NOW, failure=patient).remaining(NOW) == 45_000
    absurd = CallFailure(reason="TooManyRequests", message="", retry_after=10**9)
    assert of.failed("u1", ONCE, NOW, failure=absurd).remaining(NOW) == 300_000


def test_what_works_again_is_forgiven_where_its_effect_is_seen_at_once() -> None:
    of = tries()
    for kind in ("Patch", "Confirm"):
        of.failed("u1", (kind, "1"), NOW, failure=BROKEN)
        of.succeeded("u1", (kind, "1"), NOW)
        assert kind not in of.of("u1")
    of.failed("u1", ONCE, NOW, failure=BROKEN)
    of.succeeded("u1", ONCE, NOW)
    assert (of.of("u1")["Start"].times, of.of("u1")["Start"].reason) == (2, ""), "carried out, but perhaps undone again"


def test_a_clock_that_was_set_back_does_not_hold_anything_up() -> None:
    of = tries()
    of.succeeded("u1", ONCE, NOW)
    assert of.of("u1")["Start"].remaining(NOW - 3_600_000) == 0


def test_a_job_that_is_gone_is_forgotten() -> None:
    of = tries()
    of.succeeded("u1", ONCE, NOW)
    of.forget("u1")
    assert of.of("u1") == {}


@pytest.mark.parametrize("action", SAMPLES, ids=lambda action: type(action).__name__)
def test_every_call_is_counted_under_its_own_name(action: a.Action) -> None:
    key = key_of(action, attempt=3, version="77")
    assert (key is None) == isinstance(action, a.Wait)
    assert key is None or key[0] == type(action).__name__


def test_the_samples_are_all_actions() -> None:
    assert {type(sample) for sample in SAMPLES} == set(get_args(a.Action))
