"""Turns the packaged TOML into facts. Figures of grade low become None: shown nowhere, used nowhere."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sampan.catalog.facts import LabelFacts, ResourceName, Variant, Vendor
from sampan.catalog.reading_names import UNITS, read_drivers, read_fabrics, read_labels, read_registers, read_resource
from sampan.model.accelerator import AcceleratorClass, CountRule
from sampan.model.quantity import parse_micro

GRADES: Final = ("high", "medium", "low")
_SEPARATORS: Final = re.compile(r"[\s_-]+")

Table = Mapping[str, Any]


class CatalogError(ValueError):
    """Packaged data that breaks its own format: a fault of ours, told with file and entry."""


def normalise(product: str, prefixes: Iterable[str]) -> str:
    """Return a product text in lower case with hyphens, without its vendor prefixes, in whatever order they come."""
    text = _SEPARATORS.sub("-", product.strip().lower())
    stripped = True
    while stripped:
        before = text
        for prefix in prefixes:
            text = text.removeprefix(prefix).removeprefix("-") if text != prefix else text
        stripped = text != before
    return text


def parse_vendor(text: str) -> Vendor:
    """Return a vendor's facts; raises `CatalogError` for anything malformed."""
    data = tomllib.loads(text)
    name = str(data.get("vendor", ""))
    try:
        labels = read_labels(data.get("labels", {}))
        return Vendor(
            name=name,
            publishers=tuple(data["publishers"]),
            resources=tuple(read_resource(entry) for entry in data["resources"]),
            labels=labels,
            variants=tuple(_variant(entry, data, labels) for entry in data.get("classes", ())),
            taints=frozenset(data.get("taints", ())),
            registers=read_registers(data.get("registers", ())),
            fabrics=read_fabrics(data.get("fabrics", ())),
            drivers=read_drivers(data.get("dra", ())),
        )
    except (KeyError, TypeError, ValueError, re.error) as error:
        raise CatalogError(f"catalogue data of vendor {name!r}: {error}") from error


def parse_other(text: str) -> tuple[ResourceName, ...]:
    """Return the extended resources that are nobody's devices, such as network adapters."""
    return tuple(read_resource(entry) for entry in tomllib.loads(text)["resources"])


def parse_other_drivers(text: str) -> frozenset[str]:
    """Return the DRA drivers that publish no accelerators."""
    return frozenset(tomllib.loads(text).get("drivers", ()))


def figure(fact: Table | None, *, sources: Mapping[str, str]) -> str | None:
    """Return the value of a graded fact as text, None where it is absent or of grade low; checks grade and source."""
    if fact is None:
        return None
    if fact["grade"] not in GRADES or fact["source"] not in sources:
        raise CatalogError(f"fact {dict(fact)} needs a grade of {', '.join(GRADES)} and a listed source")
    if isinstance(fact["value"], float):
        raise CatalogError(f"fact {dict(fact)}: write the decimal as a string")
    return None if fact["grade"] == "low" else str(fact["value"])


def _variant(entry: Table, vendor: Table, labels: LabelFacts) -> Variant:
    return Variant(
        facts=_class(entry, vendor),
        products=frozenset(normalise(product, labels.prefixes) for product in entry.get("products", ())),
        boards=frozenset(entry.get("boards", ())),
        reported=tuple(amount * 2**20 for amount in entry.get("reported_mib", ())),
        resources=re.compile(entry["resources"]) if "resources" in entry else None,
    )


def _class(entry: Table, vendor: Table) -> AcceleratorClass:
    sources: Mapping[str, str] = vendor["sources"]
    memory = figure(entry.get("memory"), sources=sources)
    throughput = {precision: figure(fact, sources=sources) for precision, fact in entry.get("throughput", {}).items()}
    half = throughput.get("fp16")
    bandwidth = figure(entry.get("bandwidth"), sources=sources)
    used = {fact["source"] for fact in (entry.get("memory"), entry.get("bandwidth"), *entry.get("throughput", {}).values()) if fact}
    return AcceleratorClass(
        name=entry["name"],
        vendor=vendor["vendor"],
        family=entry["family"],
        stack=entry.get("stack", vendor["stack"]),
        origin=vendor["origin"],
        memory=None if memory is None else int(memory) * UNITS[entry["memory"].get("unit", "GiB")],
        fp16_tflops=None if half is None else parse_micro(half),
        memory_bandwidth=None if bandwidth is None else int(bandwidth) * UNITS["GB/s"],
        units_per_device=entry.get("units_per_device", 1),
        devices_per_package=entry.get("devices_per_package", 1),
        count_rule=CountRule(allowed=tuple(entry.get("count_allowed", ())), multiple_of=entry.get("count_multiple_of", 1)),
        sources=tuple(sorted(sources[key] for key in used)),
    )
