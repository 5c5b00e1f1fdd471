"""What a person wants to know of accelerator classes: facts, figures, how they are told, launch recipes. Asks no hub and prints nothing."""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sampan.catalog import Catalog, Detection
from sampan.catalog.packaged.facts import Variant, Vendor
from sampan.catalog.packaged.reading import normalise
from sampan.catalog.packaged.recipes import PUBLISHERS
from sampan.model.launch import NO_LAUNCH, Launch, PodSecurity
from sampan.model.members.accelerator import AcceleratorClass, CountRule, Span
from sampan.model.values.quantity import MICRO, format_bytes, format_micro, parse_micro
from sampan.model.values.selector import Selector

NEAREST: Final = 5
"""Names that are offered for one that nobody knows."""
_GIB: Final = 2**30
_GB: Final = 10**9
_REGEX: Final = re.compile(r"[\\()\[\]|+*?{}]")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassList:
    """The built-in catalogue, and what the hub's AcceleratorClass objects add to it or correct."""

    built_in: Catalog
    declared: Mapping[str, tuple[AcceleratorClass, Detection]]

    @property
    def classes(self) -> list[AcceleratorClass]:
        """Return every class by vendor and name, the declared facts over the built-in ones."""
        known = {**self.built_in.classes, **{name: facts for name, (facts, _) in self.declared.items()}}
        return sorted(known.values(), key=lambda facts: (facts.vendor, facts.name))

    def origin_of(self, name: str) -> str:
        """Return who says so: `built-in`, `declared` by an AcceleratorClass object, or `corrected` by one."""
        if name not in self.declared:
            return "built-in"
        return "corrected" if name in self.built_in.classes else "declared"

    def find(self, name: str) -> AcceleratorClass | None:
        """Return a class by name, None where nobody knows it."""
        return next((facts for facts in self.classes if facts.name == name), None)


def nearest(book: ClassList, text: str) -> list[str]:
    """Return names that may have been meant: those that hold the text or are told by such a product, else those spelt alike."""
    wanted = normalise(text, ())
    names = [facts.name for facts in book.classes]
    products = {variant.facts.name: variant.products for vendor in book.built_in.vendors for variant in vendor.variants}
    holding = sorted((name for name in names if wanted and wanted in name), key=lambda name: f"-{wanted}" not in f"-{name}")
    told = [name for name in names if wanted and any(wanted in product for product in products.get(name, ()))]
    return list(dict.fromkeys([*holding, *told]))[:NEAREST] or difflib.get_close_matches(wanted, names, n=NEAREST)


def row(book: ClassList, facts: AcceleratorClass) -> dict[str, Any]:
    """Return the facts of a class, null where they are not known; amounts are texts, as in an AcceleratorClass object."""
    return {
        "name": facts.name,
        "from": book.origin_of(facts.name),
        "vendor": facts.vendor,
        "family": facts.family,
        "generation": facts.generation or None,
        "stack": facts.stack,
        "origin": facts.origin,
        "memory": None if facts.memory is None else format_bytes(facts.memory),
        "memoryBandwidthGBps": None if facts.memory_bandwidth is None else _plain(facts.memory_bandwidth * MICRO // _GB),
        "throughput": {precision.value: _plain(amount) for precision, amount in facts.throughput},
        "counts": counts(facts.count_rule),
        "devicesPerPackage": facts.devices_per_package,
        "unitsPerDevice": facts.units_per_device,
        "shareRateMilli": facts.share_rate,
    }


def detail(book: ClassList, facts: AcceleratorClass) -> dict[str, Any]:
    """Return all that is known of a class: its row, every figure with grade and source, how it is told, launch recipes."""
    known = book.built_in.known.get(facts.vendor)
    declared = book.declared.get(facts.name)
    return {
        **row(book, facts),
        "imagePer": known.image if known else None,
        "figures": list(_declared_figures(facts) if declared else _figures(book.built_in, facts)),
        "toldBy": [*_told(book.built_in, facts.name), *(_selected(declared[1]) if declared else ())],
        "launch": list(_launches(book.built_in, facts)),
    }


def counts(rule: CountRule) -> str:
    """Return a count rule in words, such as `1,2,4,8 in whole groups of 4`."""
    said = ",".join(map(str, rule.allowed)) or ("any" if rule.multiple_of == 1 else f"multiples of {rule.multiple_of}")
    if not rule.group_size:
        return said
    return f"{said} in {'whole groups' if rule.span is Span.WHOLE else 'one group'} of {rule.group_size}"


def recipe(launch: Launch) -> dict[str, Any]:
    """Return a launch recipe as `spec.launch` spells it, without what is empty or the default."""
    full = {
        "schedulerName": launch.scheduler_name,
        "runtimeClassName": launch.runtime_class,
        "podLabels": dict(launch.pod_labels),
        "podAnnotations": dict(launch.pod_annotations),
        "env": [{"name": name, "value": value} for name, value in launch.env],
        "hostPaths": [{"path": each.path, "mountPath": each.mount_path} for each in launch.host_paths],
        "extraResources": dict(launch.extra_resources),
        "supplementalGroups": list(launch.supplemental_groups),
        "podSecurityLevel": "" if launch.pod_security is PodSecurity.RESTRICTED else launch.pod_security.value,
        "backend": launch.backend,
    }
    return {key: value for key, value in full.items() if value}


def _plain(micro: int) -> str:
    return format_micro(micro).rstrip("0").rstrip(".")


def _figures(catalog: Catalog, facts: AcceleratorClass) -> Iterator[dict[str, Any]]:
    known = catalog.known.get(facts.vendor)
    for figure in known.figures.get(facts.name, ()) if known else ():
        devices = facts.devices_per_package if figure.per_package else 1
        yield {
            "name": figure.name,
            "value": _plain(parse_micro(figure.value) // devices),
            "unit": figure.unit,
            "grade": figure.grade,
            "used": figure.grade != "low",
            "source": figure.source,
            "perPackage": figure.value if figure.per_package else None,
        }


def _declared_figures(facts: AcceleratorClass) -> Iterator[dict[str, Any]]:
    """Figures of an AcceleratorClass object: the platform team's word, without a grade."""
    told = [("memory", facts.memory, _GIB, "GiB"), ("bandwidth", facts.memory_bandwidth, _GB, "GB/s")]
    told += [(precision.value, amount, MICRO, "TOPS" if precision == "INT8" else "TFLOPS") for precision, amount in facts.throughput]
    for name, amount, factor, unit in told:
        if amount is not None:
            value = _plain(amount * MICRO // factor)
            source = "; ".join(facts.sources) or f"AcceleratorClass {facts.name}"
            yield {"name": name, "value": value, "unit": unit, "grade": None, "used": True, "source": source, "perPackage": None}


def _told(catalog: Catalog, name: str) -> Iterator[dict[str, Any]]:
    for vendor in catalog.vendors:
        for variant in vendor.variants:
            if variant.facts.name == name:
                yield from _evidence(vendor, variant)


def _evidence(vendor: Vendor, variant: Variant) -> Iterator[dict[str, Any]]:
    yield {"what": "resource", "keys": _resources(vendor, variant), "values": []}
    if variant.products:
        yield {"what": "product label", "keys": [*vendor.labels.product, *vendor.labels.counted], "values": sorted(variant.products)}
    if aliases := _aliases(vendor, variant):
        yield {"what": "alias", "keys": aliases, "values": []}
    if variant.devices:
        nfd = [f"feature.node.kubernetes.io/pci-CLASS_{vendor.pci.vendor}_ID.present"] if vendor.pci else []
        yield {"what": "PCI device id", "keys": [*vendor.labels.ids, *vendor.labels.counted_ids, *nfd], "values": sorted(variant.devices)}
    if variant.boards:
        yield {"what": "board label", "keys": list(vendor.labels.board), "values": sorted(variant.boards)}
    if variant.reported:
        yield {"what": "reported memory", "keys": [], "values": [format_bytes(amount) for amount in variant.reported]}
    if vendor.drivers:
        yield {"what": "DRA driver", "keys": [driver.name for driver in vendor.drivers], "values": []}


def _resources(vendor: Vendor, variant: Variant) -> list[str]:
    """Return names and patterns of the resources that may carry the class, written for people."""
    devices = [entry.pattern.pattern for entry in vendor.resources if entry.kind.sharing is not None]
    if variant.resources is None:
        return list(dict.fromkeys(_readable(pattern) for pattern in devices))
    plain = [_readable(pattern) for pattern in devices if not _REGEX.search(pattern.replace(r"\.", "."))]
    names = [name for name in plain if variant.resources.fullmatch(name)]
    return list(dict.fromkeys([*names, _readable(variant.resources.pattern)]))


def _readable(pattern: str) -> str:
    return re.sub(r"\(\?P<[a-z]+>", "(", pattern).replace(r"\.", ".").replace(r"\-", "-")


def _aliases(vendor: Vendor, variant: Variant) -> list[str]:
    """Return `label=value` texts that stand for a product of the class."""
    prefixes = vendor.labels.prefixes
    return [
        alias
        for alias, products in vendor.labels.aliases.items()
        if any(normalise(product, prefixes) in variant.products for product in products)
    ]


def _selected(detection: Detection) -> Iterator[dict[str, Any]]:
    if detection.resources:
        yield {"what": "declared resource", "keys": list(detection.resources), "values": []}
    if detection.labels.expressions:
        yield {"what": "declared labels", "keys": _expressions(detection.labels), "values": []}


def _expressions(selector: Selector) -> list[str]:
    return [f"{each.key} {each.operator.value} {','.join(each.values)}".rstrip() for each in selector.expressions]


def _launches(catalog: Catalog, facts: AcceleratorClass) -> Iterator[dict[str, Any]]:
    """What a pod needs on any member, on members that run a layer with a recipe of its own, and on shares."""
    known = catalog.known.get(facts.vendor)
    recipes = known.recipes if known else ()
    for layer in sorted({"", *(each.queueing for each in recipes)}):
        found = next((each for each in recipes if each.applies(facts, (layer,) if layer else ())), None)
        launch = catalog.launch(facts, queueing=(layer,) if layer else ())
        if launch != NO_LAUNCH and (not layer or (found is not None and found.queueing == layer)):
            said = [found.source] if found and found.source else []
            said += [f"AcceleratorClass {facts.name}"] if facts.launch else []
            yield {"where": f"with {layer}" if layer else "any member", "recipe": recipe(launch), "source": "; ".join(said) or None}
    sharers = next((vendor.publishers for vendor in catalog.vendors if vendor.name == facts.vendor), ())
    for publisher in sharers:
        if publisher in PUBLISHERS:
            launch = catalog.launch(facts, publisher=publisher)
            yield {"where": f"shares of {publisher}", "recipe": recipe(launch), "source": PUBLISHERS[publisher].source}
