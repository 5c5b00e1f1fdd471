"""The life cycle: an ended job stays ended, every phase has a way in, whatever is not in the table is an error."""

from pathlib import Path

import pytest

import sampan
from sampan.model import lifecycle
from sampan.model.lifecycle import TABLE, Event, Phase, TransitionError, follow

PACKAGE = Path(sampan.__file__).parent


def test_nothing_follows_an_end() -> None:
    ended = [phase for phase in Phase if phase.ended]
    assert sorted(ended) == [Phase.FAILED, Phase.SUCCEEDED]
    assert not [phase for phase, _ in TABLE if phase.ended]


def test_every_phase_can_be_reached_from_pending() -> None:
    reached = {Phase.PENDING}
    while more := {after for (before, _), after in TABLE.items() if before in reached} - reached:
        reached |= more
    assert reached == set(Phase)


def test_every_event_is_in_the_table_and_is_raised_somewhere() -> None:
    """Else the phases it leads to are shown to users and never are."""
    assert {event for _, event in TABLE} == set(Event)
    code = "".join(path.read_text() for path in PACKAGE.rglob("*.py") if path != Path(lifecycle.__file__))
    assert [event for event in Event if f"Event.{event.name}" not in code] == []


@pytest.mark.parametrize(
    "events",
    [
        (Event.INTENT, Event.STARTED, Event.SUCCEEDED),
        (Event.INTENT, Event.SUCCEEDED),  # too quick to be seen running
        (Event.SUSPENDED, Event.RESUMED, Event.INTENT, Event.REQUEUED, Event.INTENT, Event.STARTED, Event.FAILED),
    ],
)
def test_usual_lives_end(events: tuple[Event, ...]) -> None:
    phase = Phase.PENDING
    for event in events:
        phase = follow(phase, event)
    assert phase.ended


def test_a_pair_outside_the_table_is_an_error() -> None:
    with pytest.raises(TransitionError, match="Succeeded cannot be Intent"):
        follow(Phase.SUCCEEDED, Event.INTENT)
