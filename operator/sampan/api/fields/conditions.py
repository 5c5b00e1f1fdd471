"""Conditions of an object, as they are read. What their types and reasons are is said in the model."""

from collections.abc import Mapping, Sequence
from typing import Any


def find_condition(conditions: Sequence[Mapping[str, Any]], kind: str) -> Mapping[str, Any] | None:
    """Return the condition of this type, or None."""
    return next((condition for condition in conditions if condition["type"] == kind), None)
