"""Amounts, money and ratios of our custom resources: written as pod specs have them, with quotes or without. No other scalars here.

A field that may hold a number as well as a text has no type that a structural schema could name but one: unknown fields preserved, within
limits that leave nothing but numbers of a range and texts of a pattern. Rules in CEL cannot read such fields (docs/decisions/0012).
Patterns must mean the same to RE2 (the API server) and to Rust's regex (pydantic).
"""

import decimal
from collections.abc import Callable
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema

from sampan.api.fields.scalars import Int

MAX_TEXT: Final = 24
"""Characters of an amount."""
_NUMBER: Final = "([0-9]+[.]?[0-9]*|[.][0-9]+)"
_ABOVE_ZERO: Final = "([0-9]*[1-9][0-9]*[.]?[0-9]*|[0-9]*[.][0-9]*[1-9][0-9]*)"
_SUFFIX: Final = "(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][-+]?[0-9]{1,2})?"
_QUANTITY: Final = f"^[+]?{_NUMBER}{_SUFFIX}$"
_POSITIVE_QUANTITY: Final = f"^[+]?{_ABOVE_ZERO}{_SUFFIX}$"
_DECIMAL: Final = "^[+]?([0-9]{1,9}([.][0-9]{0,6})?|[.][0-9]{1,6})$"
_POSITIVE_DECIMAL: Final = "^[+]?([0-9]{0,5}[1-9][0-9]{0,5}([.][0-9]{0,6})?|0{0,9}[.][0-9]{0,5}[1-9]0*)$"
_SHARE: Final = "^[+]?(0{1,9}([.][0-9]{0,6})?|[.][0-9]{1,6}|0{0,8}1([.]0{0,6})?)$"
_PLACES: Final = "with at most six decimal places"
SUCH_AS: Final = {
    _QUANTITY: "64Gi, 0.5 or 500m",
    _POSITIVE_QUANTITY: "64Gi or 512Mi, above 0",
    _DECIMAL: f"250 or 12.50, {_PLACES}",
    _POSITIVE_DECIMAL: f"250 or 12.50, above 0, {_PLACES}",
    _SHARE: f"0.42, from 0 to 1, {_PLACES}",
}
"""What a person may write where a pattern wants an amount."""
_LARGEST: Final = 9 * 10**18
"""An API server compares whole numbers as int64."""
_MOST_MONEY: Final = 999_999_999.999999


def _number_as_text(lowest: int, highest: float, *, above: bool) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        """Return a number as the shortest decimal text that means it; leave everything else, booleans above all, to the pattern."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return value
        if not lowest <= value <= highest or (above and value == lowest):
            raise ValueError(f"should be a number {'above' if above else 'from'} {lowest} and at most {highest}")
        return str(int(value)) if value == int(value) else format(decimal.Decimal(repr(value)), "f")

    return read


def _amount(pattern: str, *, lowest: int = 0, highest: float = _LARGEST, above: bool = False) -> Any:
    """Return the type of texts of a pattern and of numbers of a range; read as text either way."""
    schema = {
        "x-kubernetes-preserve-unknown-fields": True,
        "maxLength": MAX_TEXT,
        "pattern": pattern,
        "minimum": lowest,
        **({"exclusiveMinimum": True} if above else {}),
        "maximum": highest,
        "maxItems": 0,
        "maxProperties": 0,
        "not": {"enum": [True, False, [], {}]},
    }
    return Annotated[
        str,
        BeforeValidator(_number_as_text(lowest, highest, above=above)),
        StringConstraints(max_length=MAX_TEXT, pattern=pattern),
        WithJsonSchema(schema),
    ]


def _units(value: Any) -> Any:
    """Read a count that is written as text, as pod specs write amounts of extended resources."""
    return int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 5 else value


Amount = _amount(_QUANTITY)
"""A Kubernetes quantity that may be 0; fractions are rounded up, as the API server rounds them."""
PositiveAmount = _amount(_POSITIVE_QUANTITY, lowest=1)
"""The same above 0; one that is a number is a whole one."""
Decimal = _amount(_DECIMAL, highest=_MOST_MONEY)
"""A non-negative decimal number with at most nine digits before and six after the point; never calculated with as a float."""
PositiveDecimal = _amount(_POSITIVE_DECIMAL, highest=_MOST_MONEY, above=True)
"""As `Decimal`, and more than 0."""
Share = _amount(_SHARE, highest=1)
"""A decimal number from 0 to 1."""
Units = Annotated[
    Int,
    Field(ge=1, le=1024),
    BeforeValidator(_units),
    WithJsonSchema(
        {
            "x-kubernetes-int-or-string": True,
            "maxLength": 4,
            "minimum": 1,
            "maximum": 1024,
            "pattern": "^0{0,3}([1-9][0-9]{0,2}|10[01][0-9]|102[0-4])$",
        }
    ),
]
"""Units of an extended resource, 1 or "1"."""
