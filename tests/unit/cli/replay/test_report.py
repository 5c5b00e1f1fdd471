"""Waits, rates and use: figures one can check by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.cli.replay.report import clock_skew, report, spread
from unit.cli.fakes import BOUND, a_job

START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def at(seconds: float) -> str:
    """A time after the start, as the operator writes it."""
    return (START + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def finished(name: str, *, bound: float, ended: float, **status: Any) -> dict[str, Any]:
    """A job of two devices that ran."""
    binding = {**BOUND, "boundAt": at(bound)}
    return a_job(name, status={"phase": "Succeeded", "binding": binding, "finishedAt": at(ended), **status})


def test_two_jobs_by_hand() -> None:
    jobs = {"a": finished("a", bound=1, ended=11), "b": finished("b", bound=4, ended=20)}
    submitted = {"a": START, "b": START + timedelta(seconds=1)}
    made = report("r1", jobs=jobs, submitted=submitted, pool_sizes={"prov-a/lingang h100-x8": 32}, refused=1)
    assert dict(made.phases) == {"Succeeded": 2, "Refused": 1}
    assert made.span_seconds == 20.0
    assert made.jobs_per_second == 0.1
    assert made.wait is not None
    assert (made.wait.count, made.wait.mean, made.wait.p50, made.wait.p95) == (2, 2.0, 2.0, 3.0)
    assert made.completion is not None
    assert made.completion.mean == 15.0
    [pool] = made.pools
    assert (pool.jobs, pool.device_seconds, pool.devices) == (2, 2 * (10 + 16), 32)
    assert pool.use == pytest.approx(52 / (32 * 20), abs=1e-4)


def test_a_retried_job_waited_until_its_first_attempt() -> None:
    attempts = [{"number": 1, "offer": BOUND["offer"], "startedAt": at(2), "outcome": "AppFailed"}, {"number": 2, "startedAt": at(30)}]
    jobs = {"a": finished("a", bound=30, ended=40, attempts=attempts)}
    made = report("r1", jobs=jobs, submitted={"a": START}, pool_sizes={}, refused=0)
    assert made.wait is not None
    assert made.wait.mean == 2.0
    assert made.pools[0].use is None


def test_a_job_that_never_ended_counts_only_by_its_phase() -> None:
    made = report("r1", jobs={"a": a_job("a")}, submitted={"a": START}, pool_sizes={}, refused=0)
    assert dict(made.phases) == {"Pending": 1}
    assert (made.wait, made.completion, list(made.pools), made.jobs_per_second) == (None, None, [], 0.0)
    assert made.as_dict()["phases"] == {"Pending": 1}


@pytest.mark.parametrize(("ahead", "want"), [(0.0, 0.0), (-1.5, 0.0), (3600.0, 3600.5), (-60.0, -59.5)])
def test_only_a_clock_that_is_plainly_off_is_corrected(ahead: float, want: float) -> None:
    job = a_job("a")
    job["metadata"]["creationTimestamp"] = at(ahead)
    assert clock_skew({"a": job}, {"a": START}).total_seconds() == want


@given(st.lists(st.floats(min_value=0, max_value=10**6), min_size=1))
def test_spread_lies_within_the_figures(figures: list[float]) -> None:
    made = spread(figures)
    assert made is not None
    low, high = min(figures) - 0.001, max(figures) + 0.001
    assert all(low <= figure <= high for figure in (made.mean, made.p50, made.p95))
    assert made.p50 <= made.p95 + 0.001
