"""Amounts of Kubernetes resources as the API writes them, in base units. Nothing about what they are amounts of."""

from collections.abc import Mapping

from sampan.model.quantity import QuantityError, parse_quantity
from sampan.model.vector import CPU, Vector


def to_vector(amounts: Mapping[str, str]) -> Vector:
    """Return amounts in base units; what is no quantity is left out."""
    parsed: dict[str, int] = {}
    for name, text in amounts.items():
        try:
            parsed[name] = parse_quantity(text, milli=name == CPU)
        except QuantityError:
            continue  # a resource without an amount is one that nothing can be asked of
    return Vector.of(parsed)
