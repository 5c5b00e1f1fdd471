"""Turns the packaged TOML of a vendor into what tells its devices. Facts and figures of its classes are read in `classes`."""

import re
import tomllib
from collections.abc import Iterable
from typing import Final

from sampan.catalog.packaged.classes import Maker, VendorClasses, products_of, read_classes
from sampan.catalog.packaged.facts import ResourceName, Vendor
from sampan.catalog.packaged.reading_names import read_drivers, read_fabrics, read_labels, read_pci, read_registers, read_resource

_SEPARATORS: Final = re.compile(r"[\s_-]+")


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


def parse_vendor(text: str, classes: str) -> tuple[Vendor, VendorClasses]:
    """Return a vendor's facts and classes, of its two files; raises `CatalogError` for anything malformed."""
    data = tomllib.loads(text)
    name = str(data.get("vendor", ""))
    try:
        labels = read_labels(data.get("labels", {}))
        told = {key: frozenset(normalise(product, labels.prefixes) for product in texts) for key, texts in products_of(classes).items()}
        known = read_classes(classes, Maker(name=name, stack=data["stack"], origin=data["origin"]), told)
        vendor = Vendor(
            name=name,
            stack=data["stack"],
            origin=data["origin"],
            publishers=tuple(data["publishers"]),
            resources=tuple(read_resource(entry) for entry in data["resources"]),
            labels=labels,
            variants=known.variants,
            taints=frozenset(data.get("taints", ())),
            registers=read_registers(data.get("registers", ())),
            fabrics=read_fabrics(data.get("fabrics", ())),
            drivers=read_drivers(data.get("dra", ())),
            pci=read_pci(data.get("pci")),
        )
    except (KeyError, TypeError, ValueError, re.error) as error:
        raise CatalogError(f"catalogue data of vendor {name!r}: {error}") from error
    return vendor, known


def parse_other(text: str) -> tuple[ResourceName, ...]:
    """Return the extended resources that are nobody's devices, such as network adapters."""
    return tuple(read_resource(entry) for entry in tomllib.loads(text)["resources"])


def parse_other_drivers(text: str) -> frozenset[str]:
    """Return the DRA drivers that publish no accelerators."""
    return frozenset(tomllib.loads(text).get("drivers", ()))
