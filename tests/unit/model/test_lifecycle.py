"""The life cycle: an ended job stays ended, every phase has a way in, whatever is not in the table is an error."""

import pytest

from sampan.model.lifecycle import TABLE, Event, Phase, TransitionError, follow


def test_nothing_follows_an_end() -> None:
    ended = [phase for phase in Phase if phase.ended]
    assert sorted(ended) == [Phase.CANCELLED, Phase.FAILED, Phase.SUCCEEDED]
    assert not [phase for phase, _ in TABLE if phase.ended]


def test_every_phase_can_be_reached_from_pending() -> None:
    reached = {Phase.PENDING}
    while more := {after for (before, _), after in TABLE.items() if before in reached} - reached:
        reached |= more
    assert reached == set(Phase)


def test_every_living_phase_can_be_cancelled() -> None:
    assert {phase for phase, event in TABLE if event is Event.CANCELLED} == {phase for phase in Phase if not phase.ended}


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
