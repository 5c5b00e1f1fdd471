"""What is read of a job, whatever fields are missing."""

import pytest

from sampan.client import jobview
from sampan.client.access.hub import Object
from unit.cli.fakes import BOUND, a_job

UNSCHEDULED = {"type": "Scheduled", "status": "False", "reason": "TooLarge", "message": "needs 512, at most 32"}
INVALID = {"type": "Failed", "status": "True", "reason": "InvalidSpec", "message": "spec.x"}


@pytest.mark.parametrize(
    ("spec", "want"),
    [
        ({}, 0),
        ({"alternatives": []}, 0),
        ({"replicas": 4, "alternatives": [{"accelerator": {"count": 8}}]}, 32),
        ({"replicas": 4, "alternatives": [{"accelerator": {"count": 8}, "replicas": 2}]}, 16),
        ({"gang": False, "parallelism": 3, "completions": 9, "alternatives": [{"accelerator": {"count": 1}}]}, 3),
    ],
    ids=["cpu", "no alternatives", "gang", "alternative's replicas", "sweep"],
)
def test_devices(spec: Object, want: int) -> None:
    job = a_job()
    job["spec"] = spec
    assert jobview.devices(job) == want


def test_devices_of_the_bound_alternative() -> None:
    spec = {"alternatives": [{"accelerator": {"count": 2}}, {"accelerator": {"count": 4}}]}
    assert jobview.devices(a_job(spec=spec, status={"binding": {**BOUND, "alternative": 1}})) == 4
    assert jobview.devices(a_job(spec=spec, status={"binding": {**BOUND, "alternative": 7}})) == 2


@pytest.mark.parametrize(
    ("status", "want"),
    [
        (None, False),
        ({"phase": "Pending", "conditions": [UNSCHEDULED]}, False),
        ({"phase": "Failed", "conditions": [INVALID]}, True),
        ({"phase": "Pending", "conditions": [INVALID]}, True),
        ({"phase": "Failed"}, True),
        ({"phase": "Failed", "binding": BOUND, "startedAt": "2026-03-01T12:00:03Z"}, False),
        ({"phase": "Failed", "attempts": [{"number": 1, "outcome": "Rejected"}]}, True),
        ({"phase": "Failed", "binding": BOUND, "attempts": [{"number": 1, "outcome": "Rejected"}]}, True),
        ({"phase": "Failed", "attempts": [{"number": 1, "outcome": "AppFailed"}]}, False),
        ({"phase": "Succeeded"}, False),
    ],
)
def test_rejected(status: Object | None, want: bool) -> None:
    assert jobview.rejected(a_job(status=status)) is want
