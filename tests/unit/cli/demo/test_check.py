"""The second pair of eyes: once over all members, on the right one, with the same counts, or it says so."""

from typing import Any

import pytest

from sampan.cli.demo.check import Expectation, MemberJob, check
from unit.cli.fakes import BOUND, a_job

COPY = MemberJob(member="lingang", cluster_uid="uid-a", succeeded=1, failed=0, outcome="Complete")
DONE = {"phase": "Succeeded", "binding": BOUND, "remote": {"succeeded": 1}}
BROKE = {"phase": "Failed", "binding": BOUND, "remote": {"failed": 1}}
WAITS = {"phase": "Pending", "conditions": [{"type": "Scheduled", "status": "False", "reason": "TooLarge"}]}
LARGE = Expectation(phase="Pending", reason="TooLarge")


def moved(**changes: Any) -> MemberJob:
    """The copy with something else about it."""
    fields = {"member": COPY.member, "cluster_uid": COPY.cluster_uid, "succeeded": 1, "failed": 0, "outcome": "Complete"}
    return MemberJob(**{**fields, **changes})


@pytest.mark.parametrize(
    ("status", "expected", "copies", "want"),
    [
        (DONE, Expectation(), [COPY], ""),
        (DONE, Expectation(), [moved(gone=True)], ""),
        (DONE, Expectation(), [COPY, moved(member="kunshan", gone=True)], "2 copies"),
        (DONE, Expectation(), [moved(attempt=0, member="kunshan", gone=True), COPY], ""),
        (DONE, Expectation(), [moved(attempt=0, member="kunshan"), COPY], "2 copies"),
        (WAITS, LARGE, [moved(gone=True)], "1 copies"),
        (WAITS, LARGE, [], ""),
        (DONE, Expectation(), [], "0 copies"),
        (DONE, Expectation(), [COPY, moved(member="kunshan")], "2 copies"),
        (WAITS, LARGE, [COPY], "1 copies"),
        (DONE, Expectation(), [moved(cluster_uid="uid-b")], "not the cluster of its binding"),
        (DONE, Expectation(), [moved(succeeded=0)], "hub says 1 succeeded"),
        (DONE, Expectation(), [moved(outcome="Open")], "member says Open"),
        ({"phase": "Running", "binding": BOUND}, Expectation(), [COPY], "expected Succeeded"),
        ({**WAITS, "conditions": []}, LARGE, [], "expected Pending TooLarge"),
        (BROKE, Expectation(phase="Failed"), [moved(succeeded=0, failed=1, outcome="Failed")], ""),
    ],
)
def test_check(status: dict[str, Any], expected: Expectation, copies: list[MemberJob], want: str) -> None:
    job = a_job("train", status=status)
    [finding] = check([job], {"train": expected}, members={job["metadata"]["uid"]: copies})
    assert want in finding.problem
    assert bool(finding.problem) is bool(want)
    assert finding.row[-1] == ("MISMATCH" if want else "ok")


def test_a_job_that_is_not_on_the_hub_is_missed() -> None:
    [finding] = check([], {"train": Expectation()}, members={})
    assert finding.problem == "not on the hub"


@pytest.mark.parametrize(
    ("status", "expected", "want_met", "want_hopeless"),
    [
        (DONE, Expectation(), True, True),
        ({"phase": "Failed"}, Expectation(), False, True),
        ({"phase": "Running"}, Expectation(), False, False),
        (WAITS, LARGE, True, True),
        ({"phase": "Pending"}, LARGE, False, False),
    ],
)
def test_expectation(status: dict[str, Any], expected: Expectation, want_met: bool, want_hopeless: bool) -> None:
    job = a_job(status=status)
    assert (expected.met_by(job), expected.hopeless(job)) == (want_met, want_hopeless)
