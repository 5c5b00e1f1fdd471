"""Pauses after setbacks: they grow, differ from job to job, and end with what works."""

from typing import Any

import pytest

from jobs import NOW, OFFER
from sampan.controller.state.pauses import after_setbacks, cool_downs
from sampan.model.lifecycle import Outcome
from sampan.model.status.attempt import Attempt
from sampan.model.status.reasons import stated_reason

CELL = (OFFER, "p")
COOLDOWN = 300_000


def attempt(number: int, outcome: Outcome, *, reason: str = "X", seconds: int = 1, pool: str = "p") -> Attempt:
    """An attempt that ended now, after so many seconds."""
    began = NOW - seconds * 1000
    return Attempt(number=number, outcome=outcome, reason=stated_reason(reason), offer=OFFER, pool=pool, started_at=began, ended_at=NOW)


def rejected(times: int, **kwargs: Any) -> list[Attempt]:
    """So many rejected attempts."""
    return [attempt(number, Outcome.REJECTED, **kwargs) for number in range(1, times + 1)]


def test_a_pause_doubles_with_each_setback_in_a_row() -> None:
    for times, longest in ((1, 2_000), (2, 4_000), (5, 32_000), (9, 300_000), (16, 300_000)):
        assert 0.75 * longest <= after_setbacks("u1", rejected(times)) <= longest


def test_short_disruptions_count_and_long_ones_do_not() -> None:
    short = [attempt(number, Outcome.DISRUPTED) for number in range(1, 5)]
    assert after_setbacks("u1", short) >= 12_000
    assert after_setbacks("u1", [*short, attempt(5, Outcome.DISRUPTED, seconds=3_600)]) == 0
    assert after_setbacks("u1", [*short, attempt(5, Outcome.CANCELLED)]) == 0
    assert after_setbacks("u1", []) == 0


@pytest.mark.parametrize("other", [Outcome.DISRUPTED, Outcome.LOST, Outcome.APP_FAILED])
def test_a_pause_grows_whatever_ends_the_attempts_in_turn(other: Outcome) -> None:
    turns = [attempt(number, Outcome.REJECTED if number % 2 else other) for number in range(1, 6)]
    assert 24_000 <= after_setbacks("u1", turns) <= 32_000
    worked = attempt(6, other, seconds=3_600)
    assert after_setbacks("u1", [*turns, worked, attempt(7, Outcome.REJECTED)]) <= 2_000


def test_a_copy_that_vanished_is_a_setback_and_a_failure_of_the_program_is_none() -> None:
    setbacks = rejected(4)
    assert 24_000 <= after_setbacks("u1", [*setbacks, attempt(5, Outcome.LOST)]) <= 32_000
    assert after_setbacks("u1", [*setbacks, attempt(5, Outcome.LOST, seconds=3_600)]) == 0
    assert after_setbacks("u1", [*setbacks, attempt(5, Outcome.APP_FAILED)]) == 0


def test_jobs_that_were_turned_away_together_do_not_come_back_together() -> None:
    assert len({after_setbacks(f"u{number}", rejected(3)) for number in range(20)}) > 10


def test_a_cell_is_left_alone_the_longer_the_oftener_it_rejected_the_job() -> None:
    for times, longest in ((1, 30_000), (2, 120_000), (3, 300_000), (9, 300_000)):
        (until,) = cool_downs("u1", rejected(times), COOLDOWN).values()
        assert 0.75 * longest <= until - NOW <= longest


def test_a_start_that_came_too_late_closes_the_cell_for_the_whole_time_at_once() -> None:
    (until,) = cool_downs("u1", rejected(1, reason="StartDeadlineExceeded"), COOLDOWN).values()
    assert 0.75 * COOLDOWN <= until - NOW <= COOLDOWN


def test_cells_are_counted_each_for_itself() -> None:
    found = cool_downs("u1", [*rejected(2), attempt(3, Outcome.REJECTED, pool="q")], COOLDOWN)
    assert set(found) == {CELL, (OFFER, "q")}
    assert found[CELL] > found[OFFER, "q"]


@pytest.mark.parametrize("outcome", [Outcome.DISRUPTED, Outcome.LOST])
def test_a_few_short_disruptions_or_losses_in_one_cell_cool_it_down(outcome: Outcome) -> None:
    short = [attempt(number, Outcome.DISRUPTED) for number in range(1, 3)]
    assert cool_downs("u1", short, COOLDOWN) == {}
    assert set(cool_downs("u1", [*short, attempt(3, outcome)], COOLDOWN)) == {CELL}


def test_no_cool_down_is_longer_than_the_platform_team_says() -> None:
    assert all(until <= NOW + 1_000 for until in cool_downs("u1", rejected(16), 1_000).values())
