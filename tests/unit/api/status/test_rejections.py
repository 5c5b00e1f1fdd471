"""Rejected attempts by alternative and reason, and what closes an alternative."""

from sampan.api.status.rejections import MAX_REJECTIONS, closed, counted, forgotten


def test_each_alternative_and_reason_is_counted_on_its_own() -> None:
    status = counted(counted(counted({}, 0, "OutOfcpu"), 0, "Forbidden"), 1, "OutOfcpu")
    assert closed(status, 1) == {0, 1}
    assert closed(status, 2) == set()
    assert closed(counted(status, 0, "OutOfcpu"), 2) == {0}
    assert closed(counted({}, None, "OutOfcpu"), 1) == {None}, "the template alone"


def test_nothing_is_changed_in_place() -> None:
    before = counted({"phase": "Bound"}, 0, "OutOfcpu")
    counted(before, 0, "OutOfcpu")
    assert before == {"phase": "Bound", "rejections": [{"alternative": 0, "reason": "OutOfcpu", "attempts": 1}]}


def test_an_alternative_that_runs_is_cleared_of_all() -> None:
    status = counted(counted(counted({}, 0, "OutOfcpu"), 0, "Forbidden"), 1, "OutOfcpu")
    assert closed(forgotten(status, 0), 1) == {1}
    assert forgotten(forgotten(status, 0), 1) == {}
    untouched = {"phase": "Running"}
    assert forgotten(untouched, 0) is untouched


def test_a_member_that_finds_ever_new_words_fills_no_object() -> None:
    status: dict[str, object] = {}
    for number in range(100):
        status = counted(status, 0, f"R{number}")
    assert len(status["rejections"]) == MAX_REJECTIONS  # type: ignore[arg-type]
