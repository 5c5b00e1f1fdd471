"""Each reason for which the core promises no start has its words, and a promise names its conditions."""

import pytest

from sampan.model.plan import StartUnknown
from sampan.scheduling.answers.start_wording import UNKNOWN_STARTS, start_words


def test_every_word_of_the_core_has_a_sentence() -> None:
    assert UNKNOWN_STARTS.keys() == set(StartUnknown)


@pytest.mark.parametrize(
    ("at_latest", "unknown", "want"),
    [
        (None, None, ""),
        ("2027-01-15T08:00:00Z", None, "; starts by 2027-01-15T08:00:00Z at the latest"),
        ("2027-01-15T08:00:00Z", StartUnknown.NO_DECLARED_END, "; starts by 2027-01-15T08:00:00Z at the latest"),
        (None, StartUnknown.NO_DECLARED_END, "; start not known: too few of the jobs"),
    ],
)
def test_what_is_said_of_a_start(at_latest: str | None, unknown: StartUnknown | None, want: str) -> None:
    said = start_words(at_latest=at_latest, unknown=unknown)
    assert said.startswith(want)
    assert bool(said) == bool(want)
