"""The same thing again and again: ever later, whether it failed or came to nothing; another thing at once."""

from typing import get_args

import pytest

from jobs import NOW, copy
from sampan.controller.reconcile import actions as a
from sampan.controller.reconcile.member_words import CallFailure
from sampan.controller.reconcile.retries import Key, Retries, RetryPolicy, key_of
from sampan.controller.state.entry import ABSENCE, BIND, DEPENDENCIES, RetryState
from sampan.model.status.job_status import JobStatus
from sampan.model.status.reasons import MemberWord

ONCE = ("Start", "remote-1")
BROKEN = CallFailure(reason=MemberWord("InternalError"), message="no")
SAMPLES: tuple[a.Action, ...] = (
    a.Wait(),
    a.Patch(JobStatus()),
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


class Tries(RetryPolicy):
    """The tries of one job, with a known jitter."""

    def __init__(self, jitter: float = 1.0) -> None:
        super().__init__(lambda low, high: low + (high - low) * jitter)
        self.made: Retries = {}

    def succeed(self, key: Key, now: int = NOW) -> None:
        """A call was carried out."""
        self.succeeded(self.made, key, now)

    def fail(self, key: Key, failure: CallFailure) -> RetryState:
        """A call failed."""
        return self.failed(self.made, key, NOW, failure=failure)


def pauses(of: Tries, times: int) -> list[int]:
    """How long each further try of one thing has to wait, if each is made as soon as it may be."""
    now, found = NOW, []
    for _ in range(times):
        of.succeed(ONCE, now)
        left = of.made["Start"].remaining(now)
        found.append(left)
        now += left
    return found


def test_pauses_double_up_to_a_minute_and_stay_there() -> None:
    assert pauses(Tries(), 9) == [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]
    assert pauses(Tries(jitter=0), 2) == [500, 1_000]


@pytest.mark.parametrize("kind", ["Inquire", "Extend"])
def test_what_is_not_urgent_is_done_again_less_often(kind: str) -> None:
    of = Tries()
    of.succeed((kind, "r"))
    assert of.made[kind].remaining(NOW) == 4_000


def test_another_target_is_another_matter_and_another_kind_too() -> None:
    of = Tries()
    of.succeed(ONCE)
    of.succeed(ONCE)
    assert of.made["Start"].times == 2
    of.succeed(("Start", "remote-2"))
    assert of.made["Start"].times == 1
    assert "Remove" not in of.made


def test_a_server_that_names_a_moment_is_obeyed_within_reason() -> None:
    of = Tries()
    patient = CallFailure(reason=MemberWord("TooManyRequests"), message="", retry_after=45_000)
    assert of.fail(ONCE, patient).remaining(NOW) == 45_000
    absurd = CallFailure(reason=MemberWord("TooManyRequests"), message="", retry_after=10**9)
    assert of.fail(ONCE, absurd).remaining(NOW) == 300_000


def test_what_works_again_is_forgiven_where_its_effect_is_seen_at_once() -> None:
    of = Tries()
    for kind in ("Patch", "Confirm"):
        of.fail((kind, "1"), BROKEN)
        of.succeed((kind, "1"))
        assert kind not in of.made
    of.fail(ONCE, BROKEN)
    of.succeed(ONCE)
    assert (of.made["Start"].times, of.made["Start"].reason) == (2, ""), "carried out, but perhaps undone again"


def test_a_clock_that_was_set_back_does_not_hold_anything_up() -> None:
    of = Tries()
    of.succeed(ONCE)
    assert of.made["Start"].remaining(NOW - 3_600_000) == 0


@pytest.mark.parametrize(
    ("kind", "want"),
    [
        (BIND, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]),
        (DEPENDENCIES, [10_000, 20_000, 40_000, 60_000, 60_000]),
        (ABSENCE, [2_000, 4_000, 8_000, 10_000, 10_000]),
    ],
)
def test_each_kind_has_its_own_pace(kind: str, want: list[int]) -> None:
    of = Tries()
    assert [of.again(of.made, (kind, ""), NOW).remaining(NOW) for _ in want] == want


@pytest.mark.parametrize("action", SAMPLES, ids=lambda action: type(action).__name__)
def test_every_call_is_counted_under_its_own_name(action: a.Action) -> None:
    key = key_of(action, attempt=3, version="77")
    assert (key is None) == isinstance(action, a.Wait)
    assert key is None or key[0] == type(action).__name__


def test_the_samples_are_all_actions() -> None:
    assert {type(sample) for sample in SAMPLES} == set(get_args(a.Action))
