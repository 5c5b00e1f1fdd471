"""A job as a row of a table, whatever fields are missing."""

from datetime import UTC, datetime

import pytest

from sampan.cli.lib import job_rows
from sampan.client.access.hub import Object
from unit.cli.fakes import BOUND, a_job

NOW = datetime(2026, 3, 1, 12, 5, 0, tzinfo=UTC)
UNSCHEDULED = {"type": "Scheduled", "status": "False", "reason": "TooLarge", "message": "needs 512, at most 32"}
LOST = {"type": "Degraded", "status": "True", "reason": "NodeUnreachable", "message": "Node n1 does not answer"}

ROWS: dict[str, tuple[Object | None, list[str]]] = {
    "new": (None, ["team-a", "train", "Pending", "-", "2", "5m", ""]),
    "waiting": (
        {"phase": "Pending", "conditions": [UNSCHEDULED]},
        ["team-a", "train", "Pending", "-", "2", "5m", "TooLarge: needs 512, at most 32"],
    ),
    "running": ({"phase": "Running", "binding": BOUND}, ["team-a", "train", "Running", "prov-a/lingang h100-x8", "2", "5m", ""]),
    "member's words": (
        {"phase": "Bound", "binding": BOUND, "remote": {"reason": "Unschedulable", "message": "0/4 nodes"}},
        ["team-a", "train", "Bound", "prov-a/lingang h100-x8", "2", "5m", "Unschedulable: 0/4 nodes"],
    ),
    "failed": (
        {"phase": "Failed", "attempts": [{"number": 1, "offer": BOUND["offer"], "outcome": "AppFailed"}], "remote": {"message": "boom"}},
        ["team-a", "train", "Failed", "prov-a/lingang", "2", "5m", "boom"],
    ),
    "stalled": (
        {"phase": "Running", "binding": BOUND, "remote": {"reason": "Error"}, "conditions": [LOST]},
        ["team-a", "train", "Running", "prov-a/lingang h100-x8", "2", "5m", "NodeUnreachable: Node n1 does not answer"],
    ),
    "stalled no more": (
        {"phase": "Running", "binding": BOUND, "conditions": [{**LOST, "status": "False"}]},
        ["team-a", "train", "Running", "prov-a/lingang h100-x8", "2", "5m", ""],
    ),
    "empty status": ({"phase": "Bound", "binding": {}, "conditions": None}, ["team-a", "train", "Bound", "-", "2", "5m", ""]),
}  # fmt: skip


@pytest.mark.parametrize(("status", "want"), ROWS.values(), ids=ROWS.keys())
def test_row(status: Object | None, want: list[str]) -> None:
    assert job_rows.row(a_job(status=status), now=NOW) == want


def test_a_job_that_is_being_deleted_says_so_whatever_its_phase_was() -> None:
    going = {"type": "Deleting", "status": "True", "reason": "WaitingForPods", "message": "Node n1 does not answer"}
    found = a_job(status={"phase": "Running", "binding": BOUND, "conditions": [LOST, going]})
    found["metadata"]["deletionTimestamp"] = "2026-03-01T12:04:00Z"
    row = job_rows.row(found, now=NOW)
    assert (row[2], row[6]) == ("Deleting", "WaitingForPods: Node n1 does not answer")
