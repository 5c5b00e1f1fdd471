"""Amounts, money and ratios: written as people write them, with quotes or without, and read exactly."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from sampan.api.fields import quantities
from sampan.model.values.quantity import MICRO, parse_micro, parse_quantity

GOOD: dict[str, dict[Any, Any]] = {
    "Amount": {
        "4": "4",
        "500m": "500m",
        "0.5": "0.5",
        ".5": ".5",
        "5.": "5.",
        "1e3": "1e3",
        "1E3": "1E3",
        "1E": "1E",
        "1000000000m": "1000000000m",
        "+4": "+4",
        "04": "04",
        "0": "0",
        "64Gi": "64Gi",
        4: "4",
        0: "0",
        0.5: "0.5",
        1.5: "1.5",
        2.0: "2",
        1e9: "1000000000",
        1e-7: "0.0000001",
        0.1: "0.1",
    },
    "PositiveAmount": {"64Gi": "64Gi", "0.5Gi": "0.5Gi", ".05Ti": ".05Ti", "1e9": "1e9", 1: "1", 1e9: "1000000000"},
    "Decimal": {"0": "0", "12.50": "12.50", ".5": ".5", "1.": "1.", "+3": "+3", "007": "007", 12.5: "12.5", 12: "12", 0: "0", 0.1: "0.1"},
    "PositiveDecimal": {"0.000001": "0.000001", "989.50": "989.50", "0.50": "0.50", "999999": "999999", 989: "989", 989.5: "989.5"},
    "Share": {"0": "0", "1": "1", "0.42": "0.42", ".42": ".42", "1.0": "1.0", "00.5": "00.5", 0: "0", 1: "1", 0.42: "0.42"},
    "Units": {1: 1, "1": 1, "8": 8, "08": 8, "1024": 1024, 8.0: 8},
}
NO_AMOUNT: list[Any] = [
    *("", "-1", "64GB", "64gi", "64GiB", "4 cores", "1 Gi", " 1", "1e", "1e100", "1e3Gi", ".", "Gi", "+-4", "1.2.3", "1,5", "64K"),
    *("\u0661", "5Gi\n", "1" * 25, -1, 1e300, float("nan"), float("inf"), True, None, [], {}),
]
BAD: dict[str, list[Any]] = {
    "Amount": NO_AMOUNT,
    "PositiveAmount": [*NO_AMOUNT, "0", "0Gi", "0.0Gi", ".0", "+0", "00", "0e3", 0, 0.5],
    "Decimal": ["", "-1", "1e3", "NaN", "1.1234567", "1000000000", 1.1234567, 1e10, -1, "1\n", "12,5", "12.5 CNY", True],
    "PositiveDecimal": ["0", "0.0", "0.0000001", ".", 0, "-1", "1e3"],
    "Share": ["1.1", "2", "-0.1", 1.1, -0.1, "1.01", "42%", "0.1234567"],
    "Units": [0, "0", "1025", 1025, "1k", "1.0", "-1", "", True, "00001"],
}


@pytest.mark.parametrize(("name", "value", "want"), [(n, v, w) for n, many in GOOD.items() for v, w in many.items()])
def test_good_values_are_read(name: str, value: Any, want: Any) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(getattr(quantities, name))
    assert adapter.validate_python(value) == want
    assert adapter.validate_python(want) == want


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, many in BAD.items() for v in many])
def test_bad_values_are_refused(name: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(getattr(quantities, name)).validate_python(value)


@given(st.from_regex(quantities._QUANTITY, fullmatch=True).filter(lambda text: len(text) <= quantities.MAX_TEXT))
def test_every_amount_is_one_that_is_calculated_with(text: str) -> None:
    assert parse_quantity(text.rstrip("\n")) >= 0


@given(st.from_regex(quantities._POSITIVE_QUANTITY, fullmatch=True).filter(lambda text: len(text) <= quantities.MAX_TEXT))
def test_every_positive_amount_is_above_zero(text: str) -> None:
    assert parse_quantity(text.rstrip("\n")) > 0


@given(st.from_regex(quantities._POSITIVE_DECIMAL, fullmatch=True).filter(lambda text: len(text) <= quantities.MAX_TEXT))
def test_every_positive_decimal_is_above_zero(text: str) -> None:
    assert parse_micro(text.rstrip("\n")) > 0


@given(st.from_regex(quantities._SHARE, fullmatch=True).filter(lambda text: len(text) <= quantities.MAX_TEXT))
def test_every_share_lies_between_0_and_1(text: str) -> None:
    assert 0 <= parse_micro(text.rstrip("\n")) <= MICRO


@given(st.integers(0, 999_999_999), st.integers(0, 999_999))
def test_every_decimal_is_exact_micro_units(whole: int, micro: int) -> None:
    text = TypeAdapter(quantities.Decimal).validate_python(f"{whole}.{micro:06d}")
    assert parse_micro(text) == whole * 1_000_000 + micro


@given(st.integers(0, 999_999_999), st.integers(0, 999_999))
def test_a_price_without_quotes_is_the_price_that_was_written(whole: int, micro: int) -> None:
    """A JSON number is a float on its way: fifteen digits survive that, and a price has no more."""
    number = float(f"{whole}.{micro:06d}")
    assert parse_micro(TypeAdapter(quantities.Decimal).validate_python(number)) == whole * 1_000_000 + micro
