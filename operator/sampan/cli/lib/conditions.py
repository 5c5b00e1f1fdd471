"""An object's conditions by type. Nothing that judges them lives here."""

from typing import Any


def conditions_of(item: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """`status.conditions` by type; empty where the operator has written none yet."""
    return {condition["type"]: condition for condition in (item.get("status") or {}).get("conditions") or []}
