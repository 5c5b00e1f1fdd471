"""`sampan explain`: the operator's answer for people, and as data."""

import json

from unit.cli.answers import USABLE, explanation, refused
from unit.cli.conftest import Sampan
from unit.cli.fakes import FakeApi

PLACE = {"queue": "q", "position": 4, "aheadOwn": 1, "aheadOthers": 2}


def test_a_waiting_job(sampan: Sampan, api: FakeApi) -> None:
    api.answer = explanation(refused("b", "TooLarge"), reason="TooLarge", place=PLACE, waitsFor="room", start={"unknown": "why"})
    shown = sampan("explain", "train")
    assert shown.exit_code == 0
    assert shown.stdout.splitlines()[:5] == [
        "Job:        team-a/train, Pending (TooLarge)",
        "In short:   in short",
        "Queue:      q, place 4: 1 job of this namespace and 2 of others before it",
        "Waits for:  room",
        "Starts:     not known: why",
    ]
    assert api.asked == [("team-a", {"name": "train"})]


def test_a_bound_job_has_the_verdicts_of_that_moment_and_its_member_s_words(sampan: Sampan, api: FakeApi) -> None:
    waiting = [{"pods": 2, "reason": "Unschedulable", "message": "0/4 nodes\x1b[31m are available"}]
    api.answer = explanation(USABLE, phase="Bound", binding={"pool": "h100-x8"}, member=waiting)
    shown = sampan("explain", "train", "-n", "team-b").stdout
    assert "When it was bound, at 2026-03-01T12:00:00Z:" in shown
    assert "Member:     2 pods wait: Unschedulable: 0/4 nodes" in shown
    assert "\x1b" not in shown
    assert api.asked[0][0] == "team-b"


def test_a_suspended_job_is_not_told_that_no_offer_is_open_to_it(sampan: Sampan, api: FakeApi) -> None:
    api.answer = explanation(phase="Suspended", reason="SuspendedByUser")
    shown = sampan("explain", "train").stdout
    assert "No pools were judged" in shown
    assert "no offer is open" not in shown


def test_as_json_it_is_the_answer_itself(sampan: Sampan, api: FakeApi) -> None:
    api.answer = explanation(USABLE)
    assert json.loads(sampan("explain", "train", "-o", "json").stdout) == api.answer


def test_a_long_answer_is_told_whole_on_lines_that_a_terminal_shows(sampan: Sampan, api: FakeApi) -> None:
    api.answer = explanation(reason="TooLarge")
    words = "; ".join(f"{number} pools have other devices than the job asks for" for number in range(2, 9))
    api.answer["status"]["message"] = words
    lines = sampan("explain", "train").stdout.splitlines()
    told = [line for line in lines[1:] if line.startswith(("In short:   ", " " * 12))]
    assert len(told) > 2
    assert max(map(len, told)) <= 120
    assert " ".join(line[12:] for line in told) == words
