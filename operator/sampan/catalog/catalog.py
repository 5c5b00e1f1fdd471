"""The catalogue: every accelerator class, built in or added by the platform team, and what a node's devices are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Final

from sampan.catalog.detection import Detection
from sampan.catalog.facts import ResourceName, Vendor
from sampan.catalog.reading import parse_other, parse_vendor
from sampan.catalog.resolve import UNKNOWN_VENDOR, groups_of_vendor, unknown_group
from sampan.model.accelerator import AcceleratorClass
from sampan.model.cluster import Node
from sampan.model.device import MAX_DEVICES_PER_NODE, DeviceGroup
from sampan.model.names import GROUP

VENDOR_FILES: Final = ("nvidia.toml", "huawei.toml", "hygon.toml")
_NATIVE_DOMAINS: Final = ("kubernetes.io", "k8s.io")


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """Immutable; `with_classes` gives a new one."""

    vendors: tuple[Vendor, ...] = ()
    others: tuple[ResourceName, ...] = ()
    classes: Mapping[str, AcceleratorClass] = field(default_factory=dict)
    detections: tuple[tuple[str, Detection], ...] = ()
    """(class name, how it is told), the most telling first."""

    def get(self, name: str) -> AcceleratorClass | None:
        """Return the facts of a class, None where it is not known."""
        return self.classes.get(name)

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

        An amount that no node can have is left out too: `unbelievable` names it.
        """
        return tuple(group for group in self._resolved(node) if group.devices <= MAX_DEVICES_PER_NODE)

    def unbelievable(self, node: Node) -> tuple[str, ...]:
        """Return the resources of a node that are left out because they would be more devices than a node can have."""
        return tuple(group.resource for group in self._resolved(node) if group.devices > MAX_DEVICES_PER_NODE)

    def _resolved(self, node: Node) -> tuple[DeviceGroup, ...]:
        published = [(name, units) for name, units in node.allocatable if units > 0 and _extended(name)]
        groups = [group for vendor in self.vendors for group in groups_of_vendor(vendor, node, published)]
        groups += [unknown_group(name, units) for name, units in published if not self._known(name)]
        return tuple(sorted((self._detected(node, group) for group in groups), key=lambda group: group.resource))

    def conventional(self, taint_key: str, *, vendor: str, resource: str) -> bool:
        """Tell whether a taint only keeps pods without such devices away, so that a pod that asks for them may tolerate it."""
        if taint_key == resource or taint_key.startswith(f"{GROUP}/"):
            return True
        facts = next((known for known in self.vendors if known.name == vendor), None)
        if facts is None:
            return False
        entry = facts.resource(taint_key)
        return taint_key in facts.taints or (entry is not None and entry.kind.sharing is not None)

    def _known(self, name: str) -> bool:
        return any(vendor.resource(name) for vendor in self.vendors) or any(other.pattern.fullmatch(name) for other in self.others)

    def _detected(self, node: Node, group: DeviceGroup) -> DeviceGroup:
        """Let the platform team's classes rule over what the tables say; a resource nobody knew takes the class's vendor."""
        for name, detection in self.detections:
            facts = self.classes[name]
            named = detection.names(group.resource) if detection.resources else group.vendor == facts.vendor
            if named and detection.labels.matches(node.labels) and group.vendor in (facts.vendor, UNKNOWN_VENDOR):
                return replace(
                    group,
                    accelerator_class=name,
                    vendor=facts.vendor,
                    devices=node.allocatable[group.resource] // max(facts.units_per_device, 1),
                    telling_labels=detection.labels.exact or group.telling_labels,
                    evidence=(f"AcceleratorClass {name}", *group.evidence),
                )
        return group


def _extended(name: str) -> bool:
    """Tell extended resources from native ones: they have a domain, and it is not Kubernetes' own."""
    domain, slash, _ = name.partition("/")
    return bool(slash) and not any(domain == native or domain.endswith(f".{native}") for native in _NATIVE_DOMAINS)


@cache
def load() -> Catalog:
    """Return the catalogue of the packaged data; raises `CatalogError` for data that breaks its format."""
    data = files("sampan.catalog") / "data"
    vendors = tuple(parse_vendor((data / name).read_text(encoding="utf-8")) for name in VENDOR_FILES)
    return Catalog(
        vendors=vendors,
        others=parse_other((data / "other.toml").read_text(encoding="utf-8")),
        classes={variant.facts.name: variant.facts for vendor in vendors for variant in vendor.variants},
    )
