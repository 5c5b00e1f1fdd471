"""Turns the packaged TOML of one vendor's classes into facts, records and launch recipes. Who tells a node's devices is elsewhere.

Figures of grade low never become facts: they are kept as records for people. Figures per package are divided by its devices.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from sampan.catalog.packaged.facts import Variant
from sampan.catalog.packaged.recipes import Recipe, read_recipe
from sampan.model.members.accelerator import AcceleratorClass, CountRule, Precision, Span
from sampan.model.values.quantity import MICRO, parse_micro

GRADES: Final = ("high", "medium", "low")
_UNITS: Final = {"memory": 2**30, "bandwidth": 10**9, "throughput": MICRO}
_SHOWN: Final = {"memory": "GiB", "bandwidth": "GB/s"}

Table = Mapping[str, Any]


class ClassDataError(ValueError):
    """Packaged data that breaks its own format: a fault of ours, told with vendor and entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure of a class as its source has it, for people."""

    name: str
    """`memory`, `bandwidth`, or a precision."""
    value: str
    unit: str
    grade: str
    """`high`, `medium`, or `low`: the last is never used."""
    source: str
    per_package: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorClasses:
    """What one file of classes says."""

    vendor: str
    image: str
    """What an image must be built for: `family`, `generation`, or `generation and architecture`."""
    variants: tuple[Variant, ...]
    figures: Mapping[str, tuple[Figure, ...]]
    """By class name, every figure that is known, whatever its grade."""
    recipes: tuple[Recipe, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """What the vendor's other file says of all its classes."""

    name: str
    stack: str
    origin: str


def read_classes(text: str, maker: Maker, normal: Mapping[str, frozenset[str]] | None = None) -> VendorClasses:
    """Return a vendor's classes; raises `ClassDataError`. `normal`: normalised product texts by class, where they are known already."""
    try:
        data = tomllib.loads(text)
        if data["vendor"] != maker.name:
            raise ClassDataError(f"vendor {data['vendor']!r} where {maker.name!r} is meant")
        entries = data.get("classes", ())
        figures = {entry["name"]: tuple(_figures(entry, data["sources"])) for entry in entries}
        return VendorClasses(
            vendor=maker.name,
            image=data["image"],
            variants=tuple(_variant(entry, maker, figures[entry["name"]], products=(normal or {}).get(entry["name"])) for entry in entries),
            figures=figures,
            recipes=tuple(read_recipe(entry, data["sources"]) for entry in data.get("recipes", ())),
        )
    except (KeyError, TypeError, ValueError, re.error) as error:
        raise ClassDataError(f"classes of vendor {maker.name!r}: {error}") from error


def products_of(text: str) -> Mapping[str, tuple[str, ...]]:
    """Return the product texts of each class as they are written."""
    return {entry["name"]: tuple(entry.get("products", ())) for entry in tomllib.loads(text).get("classes", ())}


def _figures(entry: Table, sources: Mapping[str, str]) -> Iterator[Figure]:
    told = {key: entry[key] for key in ("memory", "bandwidth") if key in entry}
    told |= {precision.upper(): fact for precision, fact in entry.get("throughput", {}).items()}
    for name, fact in told.items():
        if fact["grade"] not in GRADES or fact["source"] not in sources or isinstance(fact["value"], float):
            raise ClassDataError(f"{entry['name']}: {name} needs a grade of {', '.join(GRADES)}, a listed source and no float")
        if fact.get("per", "device") not in ("device", "package"):
            raise ClassDataError(f"{entry['name']}: {name} is per device or per package")
        yield Figure(
            name=name,
            value=str(fact["value"]),
            unit=_SHOWN.get(name, "TOPS" if name == Precision.INT8 else "TFLOPS"),
            grade=fact["grade"],
            source=sources[fact["source"]],
            per_package=fact.get("per") == "package",
        )


def _variant(entry: Table, maker: Maker, figures: tuple[Figure, ...], *, products: frozenset[str] | None) -> Variant:
    return Variant(
        facts=_class(entry, maker, figures),
        products=products or frozenset(),
        boards=frozenset(entry.get("boards", ())),
        devices=frozenset(entry.get("device_ids", ())),
        reported=tuple(amount * 2**20 for amount in entry.get("reported_mib", ())),
        slices=entry.get("slices", 0),
        resources=re.compile(entry["resources"]) if "resources" in entry else None,
    )


def _class(entry: Table, maker: Maker, figures: tuple[Figure, ...]) -> AcceleratorClass:
    devices = entry.get("devices_per_package", 1)
    known = {figure.name: _amount(figure, devices) for figure in figures if figure.grade != "low"}
    return AcceleratorClass(
        name=entry["name"],
        vendor=maker.name,
        family=entry["family"],
        stack=entry.get("stack", maker.stack),
        origin=maker.origin,
        memory=known.get("memory"),
        memory_bandwidth=known.get("bandwidth"),
        throughput=tuple((precision, known[precision]) for precision in Precision if precision in known),
        generation=entry.get("generation", ""),
        units_per_device=entry.get("units_per_device", 1),
        devices_per_package=devices,
        count_rule=CountRule(
            allowed=tuple(entry.get("count_allowed", ())),
            multiple_of=entry.get("count_multiple_of", 1),
            group_size=entry.get("group_size", 0),
            span=Span(entry.get("span", Span.WHOLE)),
        ),
        sources=tuple(sorted({figure.source for figure in figures})),
    )


def _amount(figure: Figure, devices: int) -> int:
    """Return a figure per device in base units; raises where it is nothing or does not divide."""
    factor = _UNITS.get(figure.name, MICRO)
    whole = Fraction(parse_micro(figure.value), MICRO) * factor
    amount = whole / devices if figure.per_package else whole
    if amount.denominator != 1 or amount <= 0:
        raise ClassDataError(f"{figure.name} of {figure.value} {figure.unit} is no whole amount per device")
    return int(amount)
