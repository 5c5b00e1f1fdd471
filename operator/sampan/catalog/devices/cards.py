"""Reads the cards that a sharing layer lists in a node annotation. No decision about the node here, and no clock.

Text of strangers: everything is bounded. HAMi leaves zero values out, so a missing health is false and a missing amount is 0.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sampan.catalog.packaged.facts import Register
from sampan.model.members.device import MAX_DEVICES_PER_NODE, Card

MOST_TEXT: Final = 262_144
_MIB: Final = 2**20
_MOST: Final = {"devmem": 2**24, "count": 1024, "devcore": 100_000}
_NUMBER: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_SHORT: Final = ("id", "count", "devmem", "type", "health")
_LONG: Final = ("id", "count", "devmem", "devcore", "type", "numa", "health")
_FORMS: Final = {5: _SHORT, 6: _SHORT, 7: _LONG, 9: _LONG}
"""Colon records by number of fields: Volcano's have five or six, HAMi's seven or nine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What a register annotation says."""

    annotation: str
    publisher: str
    cards: tuple[Card, ...] = ()
    """The healthy ones, by id."""
    unhealthy: int = 0
    types: tuple[str, ...] = ()
    """Product texts, without repetition, in order; an empty one for cards that tell none."""
    stale: bool = False
    """The layer itself says that the list is no longer kept."""

    @property
    def total(self) -> int:
        """Cards listed, healthy or not."""
        return len(self.cards) + self.unhealthy


def listed(registers: Iterable[Register], resource: str, annotations: Mapping[str, str]) -> Listed | None:
    """Return the cards behind a resource, None where no sharing layer lists any."""
    for register in registers:
        match = register.resources.fullmatch(resource)
        if match is None:
            continue
        words = {"word": match.groupdict().get("word") or ""}
        key = register.annotation.format(**words)
        if key in annotations:
            told = parse_cards(annotations[key])
            healthy = {entry["id"]: entry for entry in told if entry["health"]}
            return Listed(
                annotation=key,
                publisher=register.publisher,
                cards=tuple(_card(healthy[name]) for name in sorted(healthy)),
                unhealthy=len({entry["id"] for entry in told} - healthy.keys()),
                types=tuple(sorted({str(entry["type"]) for entry in told})),
                stale=annotations.get(register.handshake.format(**words), "").startswith("Deleted"),
            )
    return None


def parse_cards(text: str) -> list[dict[str, str | int | bool]]:
    """Return the readable records of a list, in JSON or in colon records: id, count, devmem in MiB, devcore, type, health."""
    text = text.strip()
    if len(text) > MOST_TEXT:
        return []
    entries = _json(text) if text.startswith("[") else _colons(text)
    readable = (entry for entry in map(_record, entries) if entry is not None)
    return [entry for entry, _ in zip(readable, range(MAX_DEVICES_PER_NODE), strict=False)]


def _json(text: str) -> list[Mapping[str, object]]:
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return []  # whoever wrote this lists no cards
    return [entry for entry in parsed if isinstance(entry, dict)] if isinstance(parsed, list) else []


def _colons(text: str) -> list[Mapping[str, object]]:
    records: list[Mapping[str, object]] = []
    for record in text.split(":", MAX_DEVICES_PER_NODE):
        fields = [each.strip() for each in record.split(",", 16)]
        if len(fields) in _FORMS:
            told = dict(zip(_FORMS[len(fields)], fields, strict=False))
            numbers = {name: int(told[name]) if _NUMBER.fullmatch(told[name]) else None for name in _MOST if name in told}
            cores = {} if "devcore" in told else {"devcore": 100}
            records.append({**told, **numbers, **cores, "health": told["health"].lower() in ("true", "t", "1")})
    return records


def _record(entry: Mapping[str, object]) -> dict[str, str | int | bool] | None:
    """Return a record with every field, None where an amount is none or cannot be."""
    amounts: dict[str, str | int | bool] = {}
    for field, most in _MOST.items():
        amount = entry.get(field, 0)
        if isinstance(amount, bool) or not isinstance(amount, int) or not 0 <= amount <= most:
            return None
        amounts[field] = amount
    name, kind = entry.get("id", ""), entry.get("type", "")
    if not isinstance(name, str) or not isinstance(kind, str) or not name or len(name) > 256:
        return None
    return {**amounts, "id": name, "type": " ".join(kind.split())[:128], "health": entry.get("health") is True}


def _card(entry: Mapping[str, str | int | bool]) -> Card:
    return Card(id=str(entry["id"]), memory=int(entry["devmem"]) * _MIB, cores=int(entry["devcore"]), slots=int(entry["count"]))
