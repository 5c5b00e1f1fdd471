"""Faults in the log: enough to find them, and never a value."""

import logging

import pytest

from sampan.faults import MAX_PLACES, leaves, log_fault

LOG = logging.getLogger("sampan.test")


def raised(depth: int = 0) -> ValueError:
    """An error with a secret in its text, raised so deep."""
    try:
        _fail(depth)
    except ValueError as error:
        return error
    raise AssertionError


def _fail(depth: int) -> None:
    token = "canary"
    if depth:
        _fail(depth - 1)
    raise ValueError(token)


def test_a_fault_is_told_by_its_type_its_place_and_what_it_is_about(caplog: pytest.LogCaptureFixture) -> None:
    log_fault(LOG, "thing.failed", raised(), thing="t1", left=3)
    (record,) = caplog.records
    told = vars(record)
    assert (record.levelname, record.message) == ("ERROR", "thing.failed")
    assert (told["error"], told["thing"], told["left"]) == ("ValueError", "t1", 3)
    assert told["where"].startswith("test_faults.py:")
    assert told["way"].endswith(f" > {told['where']}")


def test_no_value_gets_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    log_fault(LOG, "thing.failed", raised())
    (record,) = caplog.records
    assert record.exc_info is None
    assert "canary" not in caplog.text + repr(vars(record))


def test_a_deep_way_is_cut_to_the_places_next_to_the_fault(caplog: pytest.LogCaptureFixture) -> None:
    log_fault(LOG, "thing.failed", raised(50))
    (record,) = caplog.records
    assert vars(record)["way"].count(" > ") == MAX_PLACES - 1
    assert vars(record)["way"].endswith(vars(record)["where"])


def test_an_error_that_was_never_raised_has_no_place(caplog: pytest.LogCaptureFixture) -> None:
    log_fault(LOG, "thing.failed", KeyError("canary"))
    (record,) = caplog.records
    assert (vars(record)["error"], vars(record)["where"]) == ("KeyError", "")


def test_each_error_of_a_group_gets_its_line(caplog: pytest.LogCaptureFixture) -> None:
    first, second = raised(), TypeError()
    group = ExceptionGroup("a", [first, ExceptionGroup("b", [second])])
    assert list(leaves(group)) == [first, second]
    log_fault(LOG, "thing.failed", group)
    assert [vars(record)["error"] for record in caplog.records] == ["ValueError", "TypeError"]
