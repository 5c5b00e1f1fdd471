"""Quantities and money: what Kubernetes accepts, and that nothing is lost on the way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.model.values.quantity import MAX_AMOUNT, MICRO, QuantityError, format_bytes, format_micro, parse_micro, parse_quantity


@pytest.mark.parametrize(
    ("text", "milli", "want"),
    [
        ("4", False, 4),
        ("500m", True, 500),
        ("500m", False, 1),  # rounds up, as Value() does
        ("1.5", True, 1500),
        ("0.0001", True, 1),
        ("64Gi", False, 64 * 2**30),
        ("1.5Gi", False, 3 * 2**29),
        ("2e3", False, 2000),
        ("1E", False, 10**18),
        ("9999999999999999999E", False, MAX_AMOUNT),
        (8, False, 8),
        (".5", True, 500),
        ("5.", False, 5),
        ("1e3", False, 1000),
        ("1E3", False, 1000),
        ("1e-3", True, 1),
        ("1000000000m", False, 1_000_000),
        ("+4", False, 4),
        ("04", False, 4),
        (".5Gi", False, 2**29),
    ],
)
def test_quantities_as_kubernetes_reads_them(text: str | int, milli: bool, want: int) -> None:
    assert parse_quantity(text, milli=milli) == want


@pytest.mark.parametrize(
    "text", ["", ".", "+", "-1", "1e", "1e3Gi", "64GB", "64gi", "1 Gi", "1e1000000", "٣", "Gi", "1.2.3", "9" * 65, True]
)
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(QuantityError):
        parse_quantity(text)


def test_a_long_text_is_not_repeated_in_the_message() -> None:
    with pytest.raises(QuantityError) as caught:
        parse_quantity("x" * 60)
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize("text", ["", ".", "+", "-1", "1.1234567", "1e3", "1,5", "9" * 13])
def test_money_is_a_plain_decimal(text: str) -> None:
    with pytest.raises(QuantityError):
        parse_micro(text)


def test_money_may_be_short_or_long() -> None:
    assert [parse_micro(text) for text in (".5", "1.", "+2", "007", "0.50000000")] == [500_000, MICRO, 2 * MICRO, 7 * MICRO, 500_000]


@given(st.integers(0, 10**17))
def test_money_survives_the_round_trip(amount: int) -> None:
    assert parse_micro(format_micro(amount)) == amount


def test_money_reads_well() -> None:
    assert [format_micro(amount) for amount in (0, 12_500_000, 1, -2_000_000)] == ["0.00", "12.50", "0.000001", "-2.00"]


@given(st.integers(0, 2**62))
def test_bytes_survive_the_round_trip(amount: int) -> None:
    assert parse_quantity(format_bytes(amount)) == amount
