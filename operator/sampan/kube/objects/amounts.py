"""Amounts of Kubernetes resources as the API writes them, in base units. Nothing about what they are amounts of."""

from collections.abc import Mapping
from typing import Final

from sampan.model.values.quantity import QuantityError, parse_quantity
from sampan.model.values.vector import CPU, Vector

_MOST_TEXT: Final = 64
_MOST_DIGITS: Final = 20
"""Of so many digits in a row no API server writes an amount: it has at most 2^63 - 1."""


def to_vector(amounts: Mapping[str, str]) -> Vector:
    """Return amounts that somebody asks for in base units, rounded up; what is no quantity is left out."""
    parsed: dict[str, int] = {}
    for name, text in amounts.items():
        try:
            parsed[name] = parse_quantity(text, milli=name == CPU)
        except QuantityError:
            continue  # a resource without an amount is one that nothing can be asked of
    return Vector.of(parsed)


def to_allocatable(amounts: Mapping[str, str]) -> tuple[Vector, tuple[tuple[str, str], ...]]:
    """Return amounts that are there in base units, rounded down, and the texts by name that are no whole number of base units.

    A negative amount and one that is too long to be one are no numbers.
    """
    parsed: dict[str, int] = {}
    odd: list[tuple[str, str]] = []
    for name, text in sorted(amounts.items()):
        try:
            parsed[name] = _allocatable(text, milli=name == CPU)
            whole = parsed[name] == parse_quantity(text, milli=name == CPU)
        except QuantityError:
            whole = False
        if not whole:
            odd.append((name, str(text)[:_MOST_TEXT]))
    return Vector.of(parsed), tuple(odd)


def _allocatable(text: str, *, milli: bool) -> int:
    if len(text) >= _MOST_DIGITS and text[:_MOST_DIGITS].isdecimal():
        raise QuantityError(text, "an amount that an API server writes")
    return parse_quantity(text, milli=milli, down=True)
