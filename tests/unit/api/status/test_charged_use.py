"""What a binding is charged follows how long it really lasted."""

import pytest

from jobs import NOW, binding
from sampan.api.status import job_status as s
from sampan.api.status.charged_use import corrected
from sampan.model.lifecycle import Outcome

USE = {"unitHours": "24.00", "seconds": 86_400}


@pytest.mark.parametrize(
    ("seconds", "want"),
    [
        (3_600, {"unitHours": "1.00", "seconds": 3_600}),
        (86_400, USE),
        (172_800, {"unitHours": "48.00", "seconds": 172_800}),
        (1, {"unitHours": "0.000277", "seconds": 1}),
        (0, {"unitHours": "0.00", "seconds": 0}),
        (-5, {"unitHours": "0.00", "seconds": 0}),
    ],
)
def test_the_charge_is_in_proportion(seconds: int, want: dict[str, object]) -> None:
    assert corrected({"attempt": 1, "use": USE}, seconds) == {"attempt": 1, "use": want}


def test_what_is_not_charged_stays_as_it_is() -> None:
    assert corrected({"attempt": 1}, 60) == {"attempt": 1}


def test_an_attempt_that_ends_shows_what_it_took() -> None:
    status = s.bound({}, binding(bound_at=NOW), (), generation=1)
    status["binding"]["use"] = USE
    ending = s.Ending(outcome=Outcome.SUCCEEDED, reason="Completed", ended_at=NOW + 3_600_000)
    assert s.attempt_ended(status, ending)["binding"]["use"] == {"unitHours": "1.00", "seconds": 3_600}
    assert status["binding"]["use"] == USE, "a value is not changed"
