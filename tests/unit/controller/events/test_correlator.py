"""What is alike is one Event with a count; nobody can have an endless number of Events written about one object."""

from sampan.controller.events.correlator import OBJECT_BURST, OBJECT_REFILL, REFRESH, REMEMBERED, SERIES, EventCorrelator
from sampan.controller.events.news import News, Regarding
from sampan.model.status.event_reasons import EventReason

NOW = 1_800_000_000_000


def news(uid: str = "u1", about: str = "RegionExcluded") -> News:
    """Return news of a job."""
    return News(regarding=Regarding("ComputeJob", "team-a", uid, uid), reason=EventReason.REFUSED, note="why", about=about)


def test_the_same_within_six_minutes_is_counted_and_later_is_another() -> None:
    known = EventCorrelator()
    first = known.hear(news(), NOW)
    assert known.hear(news(), NOW + SERIES - 1) is first
    assert (first.count, first.first, first.last) == (2, NOW, NOW + SERIES - 1)
    assert known.hear(news(), first.last + SERIES) is not first


def test_another_cause_or_object_is_another_event() -> None:
    known = EventCorrelator()
    first = known.hear(news(), NOW)
    assert known.hear(news(about="TooLarge"), NOW) is not first
    assert known.hear(news("u2"), NOW) is not first
    assert first.count == 1


def test_a_count_is_written_once_a_minute_at_most_and_never_twice_in_line() -> None:
    known = EventCorrelator()
    series = known.hear(news(), NOW)
    assert known.is_due(series, NOW)
    series.queued = True
    assert not known.is_due(series, NOW)
    series.queued, series.name, series.written_at = False, "e1", NOW
    assert not known.is_due(series, NOW + REFRESH - 1)
    assert known.is_due(series, NOW + REFRESH)


def test_one_object_has_a_budget_that_fills_up_slowly() -> None:
    known = EventCorrelator()
    assert [known.take("u1", NOW) for _ in range(OBJECT_BURST + 1)] == [True] * OBJECT_BURST + [False]
    assert known.take("u2", NOW), "nobody else is held up"
    assert not known.take("u1", NOW + OBJECT_REFILL - 1)
    assert known.take("u1", NOW + OBJECT_REFILL)


def test_memory_is_bounded() -> None:
    known = EventCorrelator()
    for number in range(REMEMBERED + 10):
        known.hear(news(f"u{number}"), NOW)
        known.take(f"u{number}", NOW)
    assert len(known._series) == len(known._budgets) == REMEMBERED
    assert known.hear(news("u0"), NOW).count == 1
