"""What a binding is charged follows how long it really lasted."""

from dataclasses import replace

import pytest

from jobs import NOW, binding, shown
from sampan.model.lifecycle import Outcome
from sampan.model.status.attempt import ChargedUse, Ending
from sampan.model.status.job_status import JobStatus
from sampan.model.status.reasons import AttemptReason

USE = {"unitHours": "24.00", "seconds": 86_400}
CHARGED = ChargedUse(amount=24_000_000, seconds=86_400)


def used(status: JobStatus) -> dict[str, object]:
    """What the status shows of it."""
    found: dict[str, object] = shown(status)["binding"]["use"]
    return found


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
    assert used(JobStatus(binding=replace(binding(), use=CHARGED.lasted(seconds)))) == want


def test_what_is_not_charged_stays_as_it_is() -> None:
    status = JobStatus().bound(binding(bound_at=NOW), (), generation=1)
    ended = status.attempt_ended(Ending(outcome=Outcome.SUCCEEDED, reason=AttemptReason.COMPLETED, ended_at=NOW + 60_000))
    assert ended.binding is status.binding


def test_an_attempt_that_ends_shows_what_it_took() -> None:
    status = JobStatus().bound(replace(binding(bound_at=NOW), use=CHARGED), (), generation=1)
    ending = Ending(outcome=Outcome.SUCCEEDED, reason=AttemptReason.COMPLETED, ended_at=NOW + 3_600_000)
    assert used(status.attempt_ended(ending)) == {"unitHours": "1.00", "seconds": 3_600}
    assert used(status) == USE, "a value is not changed"
