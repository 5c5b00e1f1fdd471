"""Each reason for which the core promises no start has its words, and a promise names its conditions."""

import re
from pathlib import Path

import pytest

from sampan.scheduling import backfill
from sampan.scheduling.answers.start_wording import UNBOUNDED, start_words


def test_every_word_of_the_core_has_a_sentence() -> None:
    source = Path(backfill.__file__).read_text("utf-8")
    assert set(UNBOUNDED) == set(re.findall(r'"([A-Z][A-Za-z]+)"', source))


@pytest.mark.parametrize(
    ("at_latest", "unbounded", "want"),
    [
        (None, None, ""),
        ("2027-01-15T08:00:00Z", None, "; starts by 2027-01-15T08:00:00Z at the latest"),
        ("2027-01-15T08:00:00Z", "NoDeclaredEnd", "; starts by 2027-01-15T08:00:00Z at the latest"),
        (None, "NoDeclaredEnd", "; start not known: too few of the jobs"),
    ],
)
def test_what_is_said_of_a_start(at_latest: str | None, unbounded: str | None, want: str) -> None:
    said = start_words(at_latest=at_latest, unbounded=unbounded)
    assert said.startswith(want)
    assert bool(said) == bool(want)
