"""The catalogue: every accelerator class, built in or added by the platform team, and what a node's devices are."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Final

from sampan.catalog.detection import Detection
from sampan.catalog.devices.slices import CLAIM, whole_pools
from sampan.catalog.devices.wiring import rack_of
from sampan.catalog.packaged.classes import VendorClasses
from sampan.catalog.packaged.facts import DraDriver, ResourceName, Vendor
from sampan.catalog.packaged.reading import parse_other, parse_other_drivers, parse_vendor
from sampan.catalog.packaged.recipes import recipe_for
from sampan.catalog.presence import Index, absent_group, counts_none, index_of, present
from sampan.catalog.resolve import resolve_vendor, unknown_group
from sampan.model.launch import Launch
from sampan.model.members.accelerator import AcceleratorClass, Sharing
from sampan.model.members.cluster import Node
from sampan.model.members.device import MAX_DEVICES_PER_NODE, UNKNOWN_VENDOR, DeviceGroup, Ignored
from sampan.model.values.names import GROUP

VENDOR_FILES: Final = (
    "nvidia.toml",
    "huawei.toml",
    "hygon.toml",
    "amd.toml",
    "intel.toml",
    "habana.toml",
    "cambricon.toml",
    "enflame.toml",
    "iluvatar.toml",
    "mthreads.toml",
    "metax.toml",
    "biren.toml",
    "kunlunxin.toml",
    "thead.toml",
    "vastai.toml",
    "denglin.toml",
    "aws.toml",
    "google.toml",
)
_NATIVE_DOMAINS: Final = ("kubernetes.io", "k8s.io")


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What a node has, and what is published there but not counted."""

    groups: tuple[DeviceGroup, ...]
    ignored: tuple[Ignored, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """Immutable; `with_classes` gives a new one."""

    vendors: tuple[Vendor, ...] = ()
    others: tuple[ResourceName, ...] = ()
    other_drivers: frozenset[str] = frozenset()
    """DRA drivers that publish no accelerators."""
    classes: Mapping[str, AcceleratorClass] = field(default_factory=dict)
    signs: Index = field(default_factory=Index)
    """What tells of devices that cannot be had."""
    known: Mapping[str, VendorClasses] = field(default_factory=dict)
    """By vendor, what the packaged data says of its classes: figures with their sources, launch recipes."""
    detections: tuple[tuple[str, Detection], ...] = ()
    """(class name, how it is told), the most telling first."""

    def get(self, name: str) -> AcceleratorClass | None:
        """Return the facts of a class, None where it is not known."""
        return self.classes.get(name)

    def maker(self, name: str) -> Vendor | None:
        """Return what is known of a vendor, None for one that no table knows."""
        return next((vendor for vendor in self.vendors if vendor.name == name), None)

    def launch(self, facts: AcceleratorClass | None, *, vendor: str = "", publisher: str = "", queueing: Iterable[str] = ()) -> Launch:
        """Return what a pod needs on devices of a class, or of a vendor where none is told, by publisher and the member's layers."""
        known = self.known.get(facts.vendor if facts else vendor)
        return recipe_for(facts, known.recipes if known else (), publisher=publisher, queueing=queueing)

    def with_classes(self, extra: Iterable[tuple[AcceleratorClass, Detection]]) -> "Catalog":
        """Return a catalogue where these classes are added, or replace the built-in ones of the same name."""
        added = {facts.name: (facts, detection) for facts, detection in extra}
        detections = [(name, detection) for name, detection in self.detections if name not in added]
        detections += [(name, detection) for name, (_, detection) in added.items() if not detection.empty]
        detections.sort(key=lambda each: (-len(each[1].labels.expressions), each[0]))
        classes = {**self.classes, **{name: facts for name, (facts, _) in added.items()}}
        return replace(self, classes=classes, detections=tuple(detections))

    def resolve(self, node: Node) -> tuple[DeviceGroup, ...]:
        """Return the devices of a node by resource name: allocatable only, one publisher per vendor, bookkeeping left out.

        Of an amount that no node can have no device counts: `examine` names it.
        """
        return self.examine(node).groups

    def examine(self, node: Node) -> Examined:
        """Return the devices of a node and what is published there but not counted, each by resource name."""
        published = [(name, units) for name, units in node.allocatable if units > 0 and _extended(name)]
        drivers, incomplete = whole_pools(node.slices)
        resolved = [resolve_vendor(vendor, node, published, slices=drivers) for vendor in self.vendors]
        groups = [group for each in resolved for group in each.groups]
        groups += [unknown_group(name, units, node=node) for name, units in published if not self._known(name)]
        groups += [
            unknown_group(f"{CLAIM}{name}", len(devices), node=node) for name, devices in drivers.items() if not self._known_driver(name)
        ]
        groups = [_without_fraction(node, group) for group in groups]
        groups += self._doubted(node, {group.vendor for group in groups})
        groups += self._absent(node, groups, left=[*incomplete, *(one for each in resolved for one in each.ignored)])
        detected = sorted((self._detected(node, self._racked(node, group)) for group in groups), key=lambda group: group.resource)
        ignored = [*incomplete, *(one for each in resolved for one in each.ignored)]
        ignored += [Ignored(resource=g.resource, amount=g.devices, why="NotBelieved") for g in detected if g.devices > MAX_DEVICES_PER_NODE]
        ignored += [Ignored(resource=name, amount=0, why="NotBelieved", text=text) for name, text in _unreadable(node)]
        return Examined(
            groups=tuple(_emptied(group) if group.devices > MAX_DEVICES_PER_NODE else group for group in detected),
            ignored=tuple(sorted(ignored, key=lambda one: (one.resource, one.why))),
        )

    def _doubted(self, node: Node, counted: Set[str]) -> list[DeviceGroup]:
        """Return what is there in an amount that is no number, without any device, of vendors of which nothing else is there."""
        names = [(name, 0) for name, _ in _unreadable(node)]
        if not names:
            return []
        vendors = [vendor for vendor in self.vendors if vendor.name not in counted]
        groups = [group for vendor in vendors for group in resolve_vendor(vendor, node, names, slices={}).groups]
        groups += [unknown_group(name, 0, node=node) for name, _ in names if not self._known(name)]
        return [_emptied(group) for group in groups]

    def _absent(self, node: Node, groups: Sequence[DeviceGroup], *, left: Sequence[Ignored]) -> list[DeviceGroup]:
        """Return devices that are there and cannot be had: by capacity and publication of any vendor, by labels where nothing else is."""
        found, bare = [], [vendor for vendor in self.vendors if all(group.vendor != vendor.name for group in groups)]
        withheld = any(not node.allocatable[name] for name, _ in node.capacity)
        for vendor in bare if withheld or left else ():
            of_vendor = [
                one
                for one in left
                if vendor.resource(one.resource) or vendor.dra(one.resource.removeprefix(CLAIM)) or counts_none(vendor, one.resource)
            ]
            found.append(absent_group(vendor, node, left=of_vendor))
        if not groups and not any(found):
            told = present(self.signs, node)
            found = [absent_group(vendor, node, evidence=told[vendor.name]) for vendor in bare if vendor.name in told]
        return [group for group in found if group is not None] + [
            replace(unknown_group(name, 0, node=node), unhealthy=amount, missing=f"0 of {amount} devices: capacity alone has {name}")
            for name, amount in node.capacity
            if amount <= MAX_DEVICES_PER_NODE and _extended(name) and not node.allocatable[name] and not self._known(name)
            if all(group.resource != name for group in groups)
        ]

    def conventional(self, taint_key: str, *, vendor: str, resource: str) -> bool:
        """Tell whether a taint only keeps pods without such devices away, so that a pod that asks for them may tolerate it."""
        if taint_key == resource or taint_key.startswith(f"{GROUP}/"):
            return True
        facts = self.maker(vendor)
        if facts is None:
            return False
        entry = facts.resource(taint_key)
        return taint_key in facts.taints or (entry is not None and entry.kind.sharing is not None)

    def _known(self, name: str) -> bool:
        return any(vendor.resource(name) for vendor in self.vendors) or any(other.pattern.fullmatch(name) for other in self.others)

    def vendor_of(self, resource: str) -> str:
        """Return the vendor whose devices an extended resource is; empty for companions, bookkeeping and what nobody knows."""
        for vendor in self.vendors:
            entry = vendor.resource(resource)
            if entry is not None:
                return vendor.name if entry.kind.sharing is not None else ""
        return ""

    def driver(self, name: str) -> DraDriver | None:
        """Return the facts of a DRA driver, None for one that no table knows."""
        return next((known for vendor in self.vendors if (known := vendor.dra(name)) is not None), None)

    def _known_driver(self, name: str) -> bool:
        return any(vendor.dra(name) for vendor in self.vendors) or name in self.other_drivers

    def _racked(self, node: Node, group: DeviceGroup) -> DeviceGroup:
        return group if group.fabric else replace(group, fabric=rack_of(node))

    def _detected(self, node: Node, group: DeviceGroup) -> DeviceGroup:
        """Let the platform team's classes rule over what the tables say; a resource nobody knew takes the class's vendor."""
        for name, detection in self.detections:
            facts = self.classes[name]
            named = detection.names(group.resource) if detection.resources else group.vendor == facts.vendor
            if named and detection.labels.matches(node.labels) and group.vendor in (facts.vendor, UNKNOWN_VENDOR):
                devices = _devices(node, group, facts)
                return replace(
                    group,
                    accelerator_class=name,
                    vendor=facts.vendor,
                    family=facts.family,
                    variant_unknown=False,
                    devices=devices,
                    physical=devices if group.sharing is Sharing.WHOLE else group.physical,
                    identifying_labels=detection.labels.exact or group.identifying_labels,
                    evidence=(f"AcceleratorClass {name}", *group.evidence),
                )
        return group


def _devices(node: Node, group: DeviceGroup, facts: AcceleratorClass) -> int:
    """Return the devices of a group that turned out to be of this class; cards and claims are devices already, and none stays none."""
    if group.claim or group.cards or not group.devices:
        return group.devices
    return node.allocatable[group.resource] // max(facts.units_per_device, 1)


def _unreadable(node: Node) -> list[tuple[str, str]]:
    """Return the extended resources whose amount is no number, and what it is."""
    return [(name, text) for name, text in node.odd if _extended(name) and not node.allocatable[name]]


def _without_fraction(node: Node, group: DeviceGroup) -> DeviceGroup:
    """Say of a group whose amount is no whole number that only whole devices count."""
    text = dict(node.odd).get(group.resource) if node.odd else None
    return replace(group, evidence=(f"amount {text}: only whole devices count", *group.evidence)) if text else group


def _emptied(group: DeviceGroup) -> DeviceGroup:
    """Return a group of which no device counts."""
    return replace(group, devices=0, physical=None, cards=(), rings=None)


def _extended(name: str) -> bool:
    """Tell extended resources from native ones: they have a domain, and it is not Kubernetes' own."""
    domain, slash, _ = name.partition("/")
    return bool(slash) and not any(domain == native or domain.endswith(f".{native}") for native in _NATIVE_DOMAINS)


@cache
def load() -> Catalog:
    """Return the catalogue of the packaged data; raises `CatalogError` for data that breaks its format."""
    data = files("sampan.catalog") / "data"
    read = [
        parse_vendor((data / name).read_text(encoding="utf-8"), (data / "classes" / name).read_text(encoding="utf-8"))
        for name in VENDOR_FILES
    ]
    other = (data / "other.toml").read_text(encoding="utf-8")
    return Catalog(
        signs=index_of(vendor for vendor, _ in read),
        vendors=tuple(vendor for vendor, _ in read),
        others=parse_other(other),
        other_drivers=parse_other_drivers(other),
        classes={variant.facts.name: variant.facts for vendor, _ in read for variant in vendor.variants},
        known={known.vendor: known for _, known in read},
    )
