"""Exact amounts: Kubernetes quantities and decimal money as integers in base units.

Never floats, never `Decimal` of foreign text (a quantity such as 1e1000000 would take minutes to expand).
"""

import re
from typing import Final

MAX_AMOUNT: Final = 2**63 - 1
"""Largest amount held; larger ones saturate here, as Kubernetes does."""

INFINITE: Final = 2**62
"""Greater than every amount, priority and moment; two of them can be added in int64."""

MICRO: Final = 1_000_000
"""Micro-units in one unit of money, ratio or TFLOPS."""

_BINARY: Final = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60}
_DECIMAL_EXPONENT: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_QUANTITY: Final = re.compile(r"\+?([0-9]{0,24})(?:\.([0-9]{0,24}))?(?:[eE]([+-]?[0-9]{1,2})|(Ki|Mi|Gi|Ti|Pi|Ei)|([numkMGTPE]))?", re.ASCII)
_DECIMAL: Final = re.compile(r"\+?([0-9]{0,12})(?:\.([0-9]{0,6})0*)?", re.ASCII)


class QuantityError(ValueError):
    """A text that is no quantity; the message shows at most 32 characters of it."""

    def __init__(self, text: str, want: str) -> None:
        super().__init__(f"{text[:32]!r} is not {want}")


def parse_quantity(text: str | int, *, milli: bool = False, down: bool = False) -> int:
    """Return a non-negative Kubernetes quantity in whole units, or in thousandths with `milli`.

    Rounds up, as the API server's `Value()` and `MilliValue()` do, or `down`: what is there; saturates at `MAX_AMOUNT`.
    Raises `QuantityError` for anything negative, too long or malformed.
    """
    shown = str(text)
    match = _QUANTITY.fullmatch(shown) if len(shown) <= 64 else None
    whole, fraction, exponent, binary, suffix = match.groups() if match is not None else ("", "", None, None, None)
    if not (whole or fraction) or isinstance(text, bool):
        raise QuantityError(shown, "a quantity such as 500m, 4 or 64Gi")
    digits, places = int(whole + (fraction or "")), len(fraction or "")
    power = (int(exponent) if exponent else _DECIMAL_EXPONENT[suffix or ""]) - places + (3 if milli else 0)
    scaled = digits * (_BINARY[binary] if binary else 1)
    if power >= 0:
        amount: int = scaled * 10**power
    else:
        amount = scaled // 10**-power if down else -(-scaled // 10**-power)
    return min(amount, MAX_AMOUNT)


def parse_micro(text: str) -> int:
    """Return a decimal string with at most six places in micro-units: `"12.50"` is 12,500,000."""
    match = _DECIMAL.fullmatch(text) if len(text) <= 32 else None
    whole, fraction = match.groups() if match is not None else ("", "")
    if not (whole or fraction):
        raise QuantityError(text, "a decimal number with at most 6 places, such as 12.50")
    return int(whole or "0") * MICRO + int((fraction or "").ljust(6, "0"))


def format_micro(amount: int) -> str:
    """Return micro-units as the shortest decimal string with at least two places: 12,500,000 is `"12.50"`."""
    sign, amount = ("-", -amount) if amount < 0 else ("", amount)
    whole, fraction = divmod(amount, MICRO)
    return f"{sign}{whole}.{f'{fraction:06d}'.rstrip('0').ljust(2, '0')}"


def format_bytes(amount: int) -> str:
    """Return bytes with the largest binary suffix that divides them: 85,899,345,920 is `"80Gi"`."""
    for suffix, factor in reversed(_BINARY.items()):
        if amount >= factor and amount % factor == 0:
            return f"{amount // factor}{suffix}"
    return str(amount)
