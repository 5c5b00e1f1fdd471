"""Rejected attempts by alternative and reason, and what closes an alternative."""

from dataclasses import replace

from jobs import binding, bound_status, shown
from sampan.model.status.attempt import MAX_REJECTIONS, Rejections, closed, one_more, without
from sampan.model.status.job_status import JobStatus
from sampan.model.status.reasons import MemberWord

Known = tuple[Rejections, ...]
TWO = one_more(one_more(one_more((), 0, MemberWord("OutOfcpu")), 0, MemberWord("Forbidden")), 1, MemberWord("OutOfcpu"))


def test_each_alternative_and_reason_is_counted_on_its_own() -> None:
    assert closed(TWO, 1) == {0, 1}
    assert closed(TWO, 2) == set()
    assert closed(one_more(TWO, 0, MemberWord("OutOfcpu")), 2) == {0}
    assert closed(one_more((), None, MemberWord("OutOfcpu")), 1) == {None}, "the template alone"


def test_nothing_is_changed_in_place() -> None:
    before = JobStatus().rejected(0, MemberWord("OutOfcpu"))
    before.rejected(0, MemberWord("OutOfcpu"))
    assert shown(before)["rejections"] == [{"alternative": 0, "reason": "OutOfcpu", "attempts": 1}]


def test_an_alternative_that_runs_is_cleared_of_all() -> None:
    assert closed(without(TWO, 0), 1) == {1}
    assert without(without(TWO, 0), 1) == ()
    status = replace(bound_status(replace(binding(), alternative=0)), rejections=TWO).running(at=0)
    assert closed(status.rejections, 1) == {1}
    untouched: Known = ()
    assert without(untouched, 0) is untouched


def test_a_member_that_finds_ever_new_words_fills_no_object() -> None:
    known: Known = ()
    for number in range(100):
        known = one_more(known, 0, MemberWord(f"R{number}"))
    assert len(known) == MAX_REJECTIONS
