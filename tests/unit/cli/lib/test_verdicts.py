"""Tables of verdicts: what a reader needs first comes first, and nothing remote drives the terminal."""

from datetime import UTC, datetime

import pytest

from sampan.cli.lib import verdicts
from unit.cli.answers import PLACE, USABLE, refused

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = "2026-03-01T13:00:00Z"


def test_usable_pools_come_with_their_parts_and_prices(capsys: pytest.CaptureFixture[str]) -> None:
    verdicts.say_pools({"pools": [USABLE]}, currency="CNY")
    head, columns, row = capsys.readouterr().out.splitlines()
    assert head == "Pools that can take it, best first (1):"
    assert columns.split() == ["OFFER", "POOL", "CLASS", "SCORE", "COST", "PACKING", "ROOM", "CNY/H", "EXPECTED"]
    assert row.split() == [
        "prov-a/lingang",
        "h100-x8",
        "(alternative",
        "1)",
        "nvidia-h100-sxm-80gb",
        "70",
        "40",
        "30",
        "2",
        "96.00",
        "144.00",
    ]


def test_refused_pools_are_grouped_by_all_that_is_in_the_way(capsys: pytest.CaptureFixture[str]) -> None:
    pools = [refused("a", "RegionExcluded"), refused("b", "RegionExcluded", change=True), refused("c", "TooLarge", "RegionExcluded")]
    verdicts.say_pools({"pools": pools}, currency="CNY")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[2:4]] == [["2", "RegionExcluded"], ["1", "TooLarge"]]
    assert "spec.replicas: 4 -> (unset)" in lines[2]
    assert lines[4].split()[0] == "RegionExcluded"
    verdicts.say_pools({"pools": pools}, currency="CNY", every=True)
    assert sum("prov-b/" in line for line in capsys.readouterr().out.splitlines()) == 3


def test_an_alternative_without_a_time_is_told_where_others_have_one(capsys: pytest.CaptureFixture[str]) -> None:
    untimed = {key: value for key, value in USABLE.items() if key != "priceExpected"} | {"alternative": 2}
    verdicts.say_pools({"pools": [USABLE, untimed]}, currency="CNY")
    assert "not known: set spec.alternatives[2].expectedSeconds." in capsys.readouterr().out
    for pools in ([untimed], [USABLE], [USABLE, untimed | {"alternative": None}]):
        verdicts.say_pools({"pools": pools}, currency="CNY")
        assert "expectedSeconds" not in capsys.readouterr().out


def test_no_pool_at_all_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    verdicts.say_pools({"pools": []}, currency="CNY")
    assert "no offer is open to this namespace" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("start", "want"),
    [
        ({"atLatest": LATER, "reserved": True}, "2026-03-01T13:00:00Z (in 1h) at the latest, kept for it"),
        ({"atLatest": "2026-03-01T12:00:00Z"}, "within moments, if nobody new comes first"),
        ({"unknown": "no declared ends"}, "not known: no declared ends"),
        ({"unknown": "x", "likely": LATER, "sample": 3}, "2026-03-01T13:00:00Z (in 1h) likely, by what 3 running jobs"),
    ],
    ids=["reserved", "in a cycle after the next", "unknown", "likely only"],
)
def test_a_start_is_a_promise_a_forecast_or_a_reason(capsys: pytest.CaptureFixture[str], start: dict[str, object], want: str) -> None:
    verdicts.say_start({"start": start}, now=NOW)
    assert want in capsys.readouterr().out


def test_now_is_said_only_where_the_next_cycle_starts_it(capsys: pytest.CaptureFixture[str]) -> None:
    verdicts.say_start({"startsIn": PLACE, "start": {"atLatest": "2026-03-01T12:00:00Z"}}, now=NOW)
    assert capsys.readouterr().out == "Starts:     now, in pool h100-x8 of prov-a/lingang\n"
    verdicts.say_start({"waitsFor": "its turn", "start": {"atLatest": "2026-03-01T12:00:00Z"}}, now=NOW)
    assert capsys.readouterr().out.splitlines()[0] == "Waits for:  its turn"


def test_the_place_in_the_queue_counts_others(capsys: pytest.CaptureFixture[str]) -> None:
    verdicts.say_place({"queue": "q", "position": 4, "aheadOwn": 1, "aheadOthers": 2})
    assert capsys.readouterr().out == "Queue:      q, place 4: 1 job of this namespace and 2 of others before it\n"
    verdicts.say_place(None)
    verdicts.say_start({}, now=NOW)
    assert capsys.readouterr().out == ""
    verdicts.say_place({"queue": "q", "position": 1, "aheadOwn": 0, "aheadOthers": 0})
    assert capsys.readouterr().out == "Queue:      q, place 1: none before it\n"


def test_columns_of_which_nothing_is_known_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    kept = {"offer": USABLE["offer"], "pool": "h100-x8", "score": 70, "parts": {"cost": 70}}
    passed = {"offer": USABLE["offer"], "pool": "cpu", "objections": [{"reason": "AcceleratorMismatch"}]}
    verdicts.say_pools({"pools": [kept, passed]}, currency="CNY")
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["OFFER", "POOL", "SCORE", "COST"]
    assert lines[5].split() == ["POOLS", "REASON", "SUCH", "AS"]


def test_every_pool_on_its_own_is_named_first(capsys: pytest.CaptureFixture[str]) -> None:
    verdicts.say_pools({"pools": [refused("a", "TooLarge", "RegionExcluded")]}, currency="CNY", every=True)
    assert [line.split()[:3] for line in capsys.readouterr().out.splitlines()[1:3]] == [
        ["OFFER", "POOL", "REASON"],
        ["prov-b/a", "p", "TooLarge"],
    ]


def test_alternatives_in_order_are_not_called_best_first(capsys: pytest.CaptureFixture[str]) -> None:
    verdicts.say_pools({"pools": [{**USABLE, "score": 50, "alternative": 0}, USABLE]}, currency="CNY")
    assert "earlier alternatives first, then the best (2)" in capsys.readouterr().out


@pytest.mark.parametrize(("told", "want"), [("0.10", "0.10"), ("0.233334", "0.24"), ("96", "96.00"), ("0.000001", "0.01")])
def test_a_price_is_never_told_as_less(told: str, want: str) -> None:
    assert verdicts.price(told) == want
