"""Parameters of a request for output."""

from datetime import UTC, datetime

import pytest

from sampan.controller.logs.options import BadLogOptionsError, LogOptions, log_options


def test_nothing_given_is_the_first_rank_s_whole_output() -> None:
    assert log_options({}) == LogOptions(rank=0)
    assert log_options({}).params("main") == {"container": "main", "timestamps": "true"}


def test_all_that_can_be_given_is_read() -> None:
    given = {"rank": "3", "follow": "true", "timestamps": "1", "tailLines": "10", "sinceTime": "2026-01-31T12:00:00.5+08:00"}
    options = log_options(given)
    assert options == LogOptions(rank=3, follow=True, timestamps=True, tail=10, since=datetime(2026, 1, 31, 4, 0, 0, 500_000, UTC))
    assert options.params("main") == {
        "container": "main",
        "timestamps": "true",
        "follow": "true",
        "tailLines": "10",
        "sinceTime": "2026-01-31T04:00:00Z",
    }
    assert log_options({"rank": "all", "previous": "", "sinceSeconds": "300"}) == LogOptions(rank=None, previous=True, since_seconds=300)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"tail": "5"}, "unknown parameter tail: there are rank, "),
        ({"rank": "-1"}, "rank must be a whole number of 0 or more or all"),
        ({"rank": "٣"}, "rank must be a whole number"),
        ({"rank": "99999999999"}, "rank must be a whole number"),
        ({"tailLines": "x"}, "tailLines must be a whole number of 0 or more"),
        ({"sinceSeconds": "0"}, "sinceSeconds must be a whole number of 1 or more"),
        ({"sinceTime": "yesterday"}, "sinceTime must be a time such as"),
        ({"sinceTime": "2026-02-31T00:00:00Z"}, "sinceTime must be a time such as"),
        ({"sinceTime": "0001-01-01T00:00:00+14:00"}, "sinceTime must be a time such as"),
        ({"sinceSeconds": "1", "sinceTime": "2026-01-01T00:00:00Z"}, "give one of them"),
        ({"follow": "yes"}, "follow must be true or false"),
        ({"follow": "true", "previous": "true"}, "give one of them"),
    ],
)
def test_what_cannot_be_read_is_named(given: dict[str, str], says: str) -> None:
    with pytest.raises(BadLogOptionsError, match=says):
        log_options(given)
