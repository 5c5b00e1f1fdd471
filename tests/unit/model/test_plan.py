"""Refusals: which reason is shown for a job that waits."""

import pytest

from builders import job
from sampan.model.plan import Refusal
from sampan.model.reason import Reason


@pytest.mark.parametrize(
    ("counts", "want"),
    [
        ({}, None),
        ({Reason.REGION_EXCLUDED: 5, Reason.INSUFFICIENT_CAPACITY: 1}, Reason.INSUFFICIENT_CAPACITY),
        ({Reason.REGION_EXCLUDED: 1, Reason.ACCELERATOR_MISMATCH: 3}, Reason.ACCELERATOR_MISMATCH),
        ({Reason.TOO_LARGE: 2, Reason.LAUNCH_NOT_PERMITTED: 2}, Reason.LAUNCH_NOT_PERMITTED),
        ({Reason.TOO_LARGE: 1, Reason.OFFER_SELECTOR_MISMATCH: 3}, Reason.TOO_LARGE),
        ({Reason.PROVIDER_EXCLUDED: 1, Reason.OFFER_SELECTOR_MISMATCH: 3}, Reason.OFFER_SELECTOR_MISMATCH),
    ],
)
def test_what_waiting_can_lift_is_shown_first(counts: dict[Reason, int], want: Reason | None) -> None:
    assert Refusal(job=job(), counts=counts).dominant is want
