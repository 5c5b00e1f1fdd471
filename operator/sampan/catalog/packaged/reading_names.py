"""Turns the names of the packaged TOML into facts: resources, labels, registers, fabrics, DRA drivers. Classes: `reading.py`."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sampan.catalog.packaged.facts import (
    DraDriver,
    DraKind,
    FabricLabel,
    Kind,
    LabelFacts,
    LabelSignal,
    Mode,
    PciFacts,
    Register,
    ResourceName,
    Suffix,
)
from sampan.model.members.accelerator import Sharing

UNITS: Final = {"MiB": 2**20, "GiB": 2**30, "GB": 10**9, "MB": 10**6, "GB/s": 10**9}
PLAIN: Final = (
    *("product", "counted", "ids", "counted_ids", "board", "count", "replicas", "strategy", "virtual", "compute", "unhealthy", "devices"),
    "prefixes",
)
"""Fields of `LabelFacts` that are lists of texts."""

Table = Mapping[str, Any]


def read_resource(entry: Table) -> ResourceName:
    """Return one resource name; raises `KeyError`, `ValueError` or `re.error` for a malformed one."""
    pattern = entry["pattern"] if "pattern" in entry else re.escape(entry["name"])
    return ResourceName(
        pattern=re.compile(pattern),
        kind=Kind(entry["kind"]),
        publisher=entry.get("publisher", ""),
        name=entry.get("name", ""),
        model=entry.get("model"),
        alias=entry.get("alias", ""),
        view=entry.get("view", ""),
        cards=entry.get("cards", False),
        multiplied=entry.get("multiplied", False),
        per_card=entry.get("per_card", 0),
    )


def read_labels(entry: Table) -> LabelFacts:
    """Return which labels tell what; raises as `read_resource`."""
    return LabelFacts(
        **{name: tuple(entry.get(name, ())) for name in PLAIN},
        memory=_units(entry.get("memory", ())),
        partition_memory=_units(entry.get("partition_memory", ())),
        driver=tuple(tuple(labels) for labels in entry.get("driver", ())),
        modes=tuple(Mode(label=fact["label"], whole=re.compile(fact["whole"])) for fact in entry.get("modes", ())),
        suffixes=tuple(
            Suffix(pattern=re.compile(f"(?:{fact['pattern']})$", re.I), sharing=Sharing(fact["sharing"]))
            for fact in entry.get("suffixes", ())
        ),
        guests=tuple(re.compile(pattern) for pattern in entry.get("guests", ())),
        parts=dict(entry.get("parts", {})),
        present=_signs(entry.get("present", ())),
        states=_signs(entry.get("states", ())),
        aliases={told: tuple(products) for told, products in entry.get("aliases", {}).items()},
    )


def read_registers(entries: Iterable[Table]) -> tuple[Register, ...]:
    """Return the annotations in which sharing layers list cards; raises as `read_resource`."""
    return tuple(
        Register(
            resources=re.compile(entry["resources"]),
            annotation=entry["annotation"],
            handshake=entry.get("handshake", ""),
            publisher=entry["publisher"],
        )
        for entry in entries
    )


def read_fabrics(entries: Iterable[Table]) -> tuple[FabricLabel, ...]:
    """Return what names fabric domains; raises as `read_resource`."""
    return tuple(FabricLabel(kind=entry["kind"], key=entry["key"], pattern=re.compile(entry["pattern"])) for entry in entries)


def read_drivers(entries: Iterable[Table]) -> tuple[DraDriver, ...]:
    """Return the DRA drivers; raises as `read_resource`."""
    return tuple(_driver(entry) for entry in entries)


def _driver(entry: Table) -> DraDriver:
    kinds = (DraKind(value=kind.get("value", ""), kind=Kind(kind["kind"]), device_class=kind["class"]) for kind in entry["kinds"])
    texts = ("type", "profile", "memory", "cores", "slots", "id", "parent", "driver", "compute")
    return DraDriver(
        name=entry["name"],
        kinds=tuple(kinds),
        product=tuple(entry.get("product", ())),
        sized=entry.get("sized", False),
        healthy=tuple((fact["attribute"], tuple(fact["values"])) for fact in entry.get("healthy", ())),
        **{name: entry[name] for name in texts if name in entry},
    )


def read_pci(entry: Table | None) -> PciFacts | None:
    """Return how the vendor's devices show on the PCI bus, None where nothing is said; raises as `read_resource`."""
    return None if entry is None else PciFacts(vendor=entry["vendor"], classes=tuple(entry.get("classes", ())))


def _signs(entries: Iterable[Table]) -> tuple[LabelSignal, ...]:
    return tuple(
        LabelSignal(label=fact["label"], value=re.compile(fact.get("value", ".*"), re.I), text=fact.get("text", "")) for fact in entries
    )


def _units(entries: Iterable[Table]) -> tuple[tuple[str, int], ...]:
    return tuple((fact["label"], UNITS[fact["unit"]]) for fact in entries)
