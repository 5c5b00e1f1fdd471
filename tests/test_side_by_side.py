"""Tests of side_by_side: a test is dealt out with those whose servers it shares, and one that would not be is refused."""

import types
from typing import Any

import pytest

from side_by_side import FAULTS, FEDERATION, SERVERS, ByGroup, check, group


@pytest.mark.parametrize(
    ("nodeid", "want"),
    [
        ("tests/e2e/test_kills.py::test_kills[a::b@c]", FAULTS),
        ("tests/bench/test_scenarios.py::test_a_burst", FAULTS),
        ("tests/e2e/test_life.py::test_a_sweep", FEDERATION),
        ("tests/e2e/test_vendors.py::test_a_job", SERVERS),
        ("tests/integration/charts/test_guard.py::test_a_job", SERVERS),
        ("tests/unit/model/test_job.py::test_a_job", "tests/unit/model/test_job.py"),
    ],
)
def test_a_test_is_dealt_out_with_its_group(nodeid: str, want: str) -> None:
    dealer: Any = types.SimpleNamespace()
    assert ByGroup._split_scope(dealer, nodeid) == want


@pytest.mark.parametrize(
    ("nodeid", "fixtures", "faults"),
    [
        ("tests/unit/model/test_job.py::test_x", ["federation", "binaries"], False),
        ("tests/unit/model/test_job.py::test_x", ["binaries"], False),
        ("tests/e2e/test_life.py::test_x", ["federation", "binaries"], True),
        ("tests/e2e/test_kills.py::test_x", ["federation", "binaries"], False),
    ],
)
def test_one_whose_fixtures_say_otherwise_is_refused(nodeid: str, fixtures: list[str], faults: bool) -> None:
    item: Any = types.SimpleNamespace(nodeid=nodeid, fixturenames=fixtures, get_closest_marker=lambda _: faults or None)
    with pytest.raises(pytest.UsageError, match="belongs to the group"):
        check([item])


def test_a_fixture_of_that_name_without_servers_is_the_tests_own() -> None:
    item: Any = types.SimpleNamespace(nodeid="tests/unit/local/test_federation.py::test_x", fixturenames=["federation"])
    check([item])
    assert group(item.nodeid) == "tests/unit/local/test_federation.py"
