"""When a member counts as gone: refusals in seconds, silence in half a minute, one blip never."""

from dataclasses import dataclass

import pytest

from sampan.controller.observation.liveness import Liveness

REFUSED, SILENT = False, True


@dataclass(frozen=True)
class Case:
    """Probes that failed, each with the second it began; what a watch said last; whether it is alive at a moment."""

    name: str
    probes: tuple[tuple[float, bool], ...]
    at: float
    want: bool
    heard: float = 0.0


CASES = (
    Case("just answered", (), 1, True),
    Case("nothing heard for half a minute", (), 30, False),
    Case("a watch that speaks is enough while no probe fails", (), 100, True, heard=95),
    Case("one refusal is a blip, however old", ((10, REFUSED),), 20, True),
    Case("two refusals within a second are a blip", ((10, REFUSED), (11, REFUSED)), 12, True),
    Case("refusals for five seconds are believed", tuple((10 + n, REFUSED) for n in range(5)), 15, False),
    Case("refusals are believed though a watch still speaks", tuple((10 + n, REFUSED) for n in range(5)), 15, False, heard=15),
    Case("a refusal followed by silence is believed as soon", ((10, REFUSED), (11, SILENT)), 16, False),
    Case("silent probes for twenty seconds are not believed", ((10, SILENT), (16, SILENT), (22, SILENT)), 29, True),
    Case("silent probes are believed though a watch still speaks", ((10, SILENT), (16, SILENT)), 40, False, heard=39),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_when_a_member_counts_as_gone(case: Case) -> None:
    live = Liveness(refused_after=5, mute_after=30)
    live.answered(0)
    for began, silent in case.probes:
        live.failed(began, silent=silent)
    assert live.alive(case.at, case.heard) is case.want


def test_one_answer_ends_it() -> None:
    live = Liveness(refused_after=5, mute_after=30)
    for second in range(10):
        live.failed(second, silent=False)
    assert not live.alive(10, 10)
    live.answered(10)
    assert live.alive(11, 0)
    live.failed(12, silent=False)
    assert live.alive(25, 0), "what failed before does not count any more"


def test_one_that_was_never_heard_is_not_there() -> None:
    assert not Liveness(refused_after=5, mute_after=30).alive(1, float("-inf"))
