"""What was kept, as whoever asks wants it."""

from datetime import UTC, datetime

import pytest

import jobs
from sampan.controller.logs.follow import NoOutputError
from sampan.controller.logs.kept import chosen_lines
from sampan.controller.logs.options import LogOptions
from unit.controller.logs.world import World, ended, pod, read, stamped

TEXT = stamped("a", "b", second=1) + stamped("c", second=5) + b"no time\n"
NOW = 1_767_225_610_000  # 2026-01-01T00:00:10Z


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        (LogOptions(), ["a", "b", "c", "no time"]),
        (LogOptions(tail=2), ["c", "no time"]),
        (LogOptions(tail=0), []),
        (LogOptions(tail=9), ["a", "b", "c", "no time"]),
        (LogOptions(since_seconds=6), ["c", "no time"]),
        (LogOptions(since_seconds=1), []),
        (LogOptions(since=datetime(2026, 1, 1, 0, 0, 5, tzinfo=UTC)), ["c", "no time"]),
        (LogOptions(since=datetime(2026, 1, 1, 0, 0, 1, 1000, UTC), tail=3), ["b", "c", "no time"]),
    ],
)
def test_lines_are_chosen_as_a_kubelet_would(options: LogOptions, lines: list[str]) -> None:
    assert [line.text.decode().rstrip() for line in chosen_lines(TEXT, options, NOW)] == lines


async def test_after_its_pods_have_gone_an_attempt_is_read_from_what_was_kept() -> None:
    world = World(None, status=ended(jobs.bound_status()))
    world.outputs = {(1, 0): stamped("one", "two"), (1, 2): stamped("three")}
    assert await read(world, tail=1) == "two\n"
    assert await read(world, rank=None) == "[0] one\n[0] two\n[2] three\n"
    assert await read(world, follow=True) == "one\ntwo\n"
    assert await read(world, follow=True, rank=None) == "[0] one\n[0] two\n[2] three\n"
    with pytest.raises(NoOutputError, match="nothing was kept of rank 1 of attempt 1, and its pod is gone"):
        await read(world, rank=1)


async def test_the_attempt_before_is_read_from_what_was_kept() -> None:
    world = World(None, pod(0, attempt=2), status=jobs.bound_status(jobs.binding(attempt=2), running=True))
    world.outputs = {(1, 0): stamped("first"), (1, 1): stamped("other")}
    assert await read(world, previous=True) == "first\n"
    assert await read(world, previous=True, rank=None) == "[0] first\n[1] other\n"


async def test_a_job_between_two_attempts_shows_the_last_one() -> None:
    status = ended(jobs.bound_status())
    waiting = jobs.bound_status(jobs.binding(attempt=1))
    world = World(None, status=status)
    assert waiting.attempts_seen == 1
    world.outputs = {(1, 0): stamped("first")}
    assert await read(world) == "first\n"
