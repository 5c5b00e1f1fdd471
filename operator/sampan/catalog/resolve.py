"""Tells the devices of one vendor on one node: from one publisher only. Knows no class objects of the hub: `catalog.py` adds them.

What must never live here: reading of annotations (`cards`) and of ResourceSlices (`slices`), and which class it is (`classification`).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sampan.catalog.classification import Classification, Publication, classify, labelled_memory, number, unread
from sampan.catalog.counting import shared_first, view_of, with_physical, without_contradiction
from sampan.catalog.devices.cards import Listed, listed
from sampan.catalog.devices.slices import CLAIM, PUBLISHER, Claimable, claimables
from sampan.catalog.devices.wiring import fabric_of, rings_of, unhealthy_of
from sampan.catalog.packaged.facts import Kind, LabelFacts, ResourceName, Vendor
from sampan.model.members.accelerator import Sharing
from sampan.model.members.cluster import Node
from sampan.model.members.device import UNKNOWN_VENDOR, DeviceGroup, DraDevice, Ignored

MOST_EVIDENCE: Final = 8
_GIB: Final = 2**30
_SIZED: Final = re.compile(r"[0-9]g\.([0-9]{1,3})gb(?:[.+][a-z0-9.]+)?", re.ASCII)
"""A MIG profile with the memory of one, such as `1g.5gb`."""
_NOT_DEVICES: Final = {Kind.COMPANION: "Companion", Kind.BOOKKEEPING: "Bookkeeping", Kind.MONITORING: "Bookkeeping"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedResource:
    """Something of a node that a vendor's table knows as devices."""

    name: str
    units: int
    publisher: str
    entry: ResourceName | None = None
    register: Listed | None = None
    claimable: Claimable | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """Device groups, and what is published but not counted."""

    groups: tuple[DeviceGroup, ...] = ()
    ignored: tuple[Ignored, ...] = ()


def resolve_vendor(vendor: Vendor, node: Node, published: Iterable[tuple[str, int]], *, slices: Mapping[str, list[DraDevice]]) -> Resolved:
    """Return the device groups of one vendor on a node, and what is left out and why."""
    found, ignored = _extended(vendor, node, published)
    claimed, left = _claimed(vendor, slices)
    found, ignored = [*found, *claimed], [*ignored, *left]
    if not found:
        return Resolved(ignored=tuple(ignored))
    ranks = {publisher: rank for rank, publisher in enumerate(vendor.publishers)}
    believed = min((one.publisher for one in found), key=lambda publisher: (ranks.get(publisher, len(ranks)), publisher), default="")
    counted: list[PublishedResource] = []
    views: dict[str, str] = {}
    order = {id(entry): index for index, entry in enumerate(vendor.resources)}
    for one in sorted(found, key=lambda each: (not shared_first(vendor, node, each.entry), order.get(id(each.entry), 0), each.name)):
        cards, view = view_of(one.entry, one.name)
        if one.publisher == believed and (not cards or views.setdefault(cards, view) == view):
            counted.append(one)
        else:
            ignored.append(Ignored(resource=one.name, amount=one.units, why="SecondPublisher"))
    notes = tuple(f"ignored {each.resource}: {each.why}" for each in ignored if each.why in ("SecondPublisher", "Stale"))
    groups, left = without_contradiction(vendor, node, _distinct(_group(vendor, node, one, notes=notes) for one in counted))
    return Resolved(groups=tuple(with_physical(vendor, node, groups)), ignored=(*ignored, *left))


def unknown_group(name: str, units: int, *, node: Node) -> DeviceGroup:
    """Return the group of an extended resource or driver that no table knows: shown with the labels of its domain, never matched."""
    domain = name.removeprefix(CLAIM).partition("/")[0]
    labels = (f"label {key}={node.labels[key]}" for key in sorted(node.labels) if key.partition("/")[0] == domain)
    told = (f"unknown resource {name}", *labels)[:MOST_EVIDENCE]
    return DeviceGroup(resource=name, devices=units, vendor=UNKNOWN_VENDOR, accelerator_class=None, evidence=told)


def _extended(vendor: Vendor, node: Node, published: Iterable[tuple[str, int]]) -> tuple[list[PublishedResource], list[Ignored]]:
    """Return the extended resources that are devices, and those that only go with devices or are no longer kept."""
    found, ignored = [], []
    for name, units in published:
        entry = vendor.resource(name)
        if entry is None:
            continue
        if entry.kind.sharing is None:
            ignored.append(Ignored(resource=name, amount=units, why=_NOT_DEVICES[entry.kind]))
            continue
        register = listed(vendor.registers, name, node.annotations)
        if register is not None and register.stale:
            ignored.append(Ignored(resource=register.annotation, amount=register.total, why="Stale"))
            if units != register.total:  # shares that nobody keeps any more
                ignored.append(Ignored(resource=name, amount=units, why="Stale"))
                continue
            register = None
        publisher = register.publisher if register else entry.publisher
        found.append(PublishedResource(name=name, units=units, publisher=publisher, entry=entry, register=register))
    return found, ignored


def _claimed(vendor: Vendor, slices: Mapping[str, list[DraDevice]]) -> tuple[list[PublishedResource], list[Ignored]]:
    """Return what DRA drivers of the vendor publish."""
    found: list[PublishedResource] = []
    ignored: list[Ignored] = []
    for driver in (known for known in vendor.drivers if known.name in slices):
        devices, left = claimables(driver, slices[driver.name])
        ignored += left
        for each in devices:
            name = f"{CLAIM}{each.kind.device_class}"
            if each.kind.kind.sharing is None:
                ignored.append(Ignored(resource=name, amount=each.devices, why=_NOT_DEVICES[each.kind.kind]))
            else:
                found.append(PublishedResource(name=name, units=each.devices, publisher=f"{PUBLISHER}:{driver.name}", claimable=each))
    return found, ignored


def _group(vendor: Vendor, node: Node, one: PublishedResource, *, notes: tuple[str, ...]) -> DeviceGroup:
    sharing, why, suffix = _sharing(vendor.labels, node, one)
    told = classify(vendor, node, _publication(one, sharing))
    units_per_device = told.variant.facts.units_per_device if told.variant and not one.claimable else 1
    devices = one.units // units_per_device
    profile, memory = _cut(vendor.labels, node, one, sharing=sharing, suffix=suffix)
    group = DeviceGroup(
        resource=_claim_name(one, told) if one.claimable else one.name,
        devices=devices,
        vendor=vendor.name,
        accelerator_class=told.variant.facts.name if told.variant else None,
        sharing=sharing,
        identifying_labels=told.labels if not one.claimable else (),
        evidence=(*told.evidence, *why, *(() if one.claimable else unread(vendor.labels, node)), *notes)[:MOST_EVIDENCE],
        publisher=one.publisher,
        profile=profile,
        memory=memory,
        family=told.family,
        variant_unknown=told.unsure,
        unhealthy=max(unhealthy_of(vendor.labels, node), (node.capacity[one.name] - one.units) // units_per_device, 0),
        rings=rings_of(vendor.labels, node, one.name, devices=devices, size=_ring_size(told)),
        fabric=fabric_of(vendor.fabrics, node),
        driver=_joined(vendor.labels.driver, node),
        compute_capability=_joined((vendor.labels.compute,), node),
    )
    return _with_cards(_with_claim(group, one, told), one)


def _with_claim(group: DeviceGroup, one: PublishedResource, told: Classification) -> DeviceGroup:
    each = one.claimable
    if each is None:
        return group
    sized = told.variant is not None and told.variant.slices > 0 and each.sized and not each.memory
    note = ("announced without memory: it is set up for partitions of which none is there",) if sized else ()
    return replace(
        group,
        devices=0 if sized else group.devices,
        evidence=(*note, *group.evidence)[:MOST_EVIDENCE],
        unhealthy=each.unhealthy + (each.devices if sized else 0),
        physical=0 if sized else each.physical,
        driver=each.version or group.driver,
        compute_capability=each.compute or group.compute_capability,
        cards=each.cards,
        claim=each.source,
        rings=None,
    )


def _with_cards(group: DeviceGroup, one: PublishedResource) -> DeviceGroup:
    register = one.register
    if register is None or not register.total:
        return group
    note = f"annotation {register.annotation}: {len(register.cards)} cards"
    return replace(
        group,
        cards=register.cards,
        devices=len(register.cards),
        unhealthy=register.unhealthy,
        evidence=(*group.evidence, note)[:MOST_EVIDENCE],
    )


def _claim_name(one: PublishedResource, told: Classification) -> str:
    """Return a name that is unique on a node and the same on every node with such devices."""
    each = one.claimable
    known = told.variant.facts.name if told.variant else (each.product if each else "") or "unknown"
    return "/".join(part for part in (one.name, known, each.profile if each else "") if part)


def _distinct(groups: Iterable[DeviceGroup]) -> tuple[DeviceGroup, ...]:
    """Put claimable groups of one name together: products that are one class."""
    merged: dict[str, DeviceGroup] = {}
    for group in groups:
        old = merged.get(group.resource)
        merged[group.resource] = group if old is None else _together(old, group)
    return tuple(merged.values())


def _together(old: DeviceGroup, new: DeviceGroup) -> DeviceGroup:
    """Return the first group with the other's devices left out as not askable by the same claim: only the greater one counts."""
    return replace(max(old, new, key=lambda group: group.devices), unhealthy=old.unhealthy + new.unhealthy)


def _publication(one: PublishedResource, sharing: Sharing) -> Publication:
    each, register = one.claimable, one.register
    if each is not None:
        memory = ("capacity memory", each.memory) if each.memory else None
        products = (("attribute product", each.product),) if each.product else ()
        return Publication(resource=one.name, sharing=sharing, products=products, memory=memory)
    model = one.entry.product(one.name) if one.entry else None
    if register is not None and len(register.types) == 1 and register.types[0]:
        sizes = {card.memory for card in register.cards}
        memory = ("annotation memory", min(sizes)) if len(sizes) == 1 and min(sizes) else None
        told = ((f"annotation {register.annotation} type", register.types[0]),)
        return Publication(resource=one.name, sharing=sharing, products=told, model=model, memory=memory, scaled=True)
    return Publication(resource=one.name, sharing=sharing, model=model)


def _sharing(labels: LabelFacts, node: Node, one: PublishedResource) -> tuple[Sharing, tuple[str, ...], str]:
    """Return how the devices are handed out, by what, and the profile that a label names; whole only if nothing says otherwise."""
    if one.claimable is not None:
        return one.claimable.kind.kind.sharing or Sharing.WHOLE, (), ""
    of_name = (one.entry.kind.sharing if one.entry else None) or Sharing.WHOLE
    if one.register is not None:
        return Sharing.VIRTUAL, (f"annotation {one.register.annotation}",), ""
    if of_name is not Sharing.WHOLE:
        return of_name, (), ""
    present = [(key, node.labels[key]) for key in (*labels.product, *labels.virtual) if key in node.labels]
    for key, value in present:
        if (key in labels.virtual and value == "true") or any(guest.fullmatch(value[:256]) for guest in labels.guests):
            return Sharing.VIRTUAL, (f"label {key}={value}: a virtual machine's share",), ""
    for _, value in present:
        for suffix in labels.suffixes:
            if match := suffix.pattern.search(value[:256]):
                return suffix.sharing, (), match.groupdict().get("profile") or ""
    for mode in labels.modes:
        value = node.labels.get(mode.label, "")
        if value and not mode.whole.fullmatch(value):
            return Sharing.PARTITION, (f"label {mode.label}={value}",), value
    return *_sliced(labels, node, one.units), ""


def _sliced(labels: LabelFacts, node: Node, units: int) -> tuple[Sharing, tuple[str, ...]]:
    """Tell time-sliced devices from whole ones."""
    sliced = [key for key in labels.replicas if number(node.labels.get(key)) > 1]
    sliced += [key for key in labels.strategy if node.labels.get(key, "none") not in ("none", "")]
    sliced += [key for key in labels.count if 0 < number(node.labels.get(key)) < units]
    if not sliced:
        return Sharing.WHOLE, ()
    return Sharing.TIME_SLICED, tuple(f"label {key}={node.labels[key]}" for key in sliced[:1])


def _cut(labels: LabelFacts, node: Node, one: PublishedResource, *, sharing: Sharing, suffix: str) -> tuple[str, int | None]:
    """Return the profile of a partition and the bytes of one, 0 where they are not told; None bytes: those of the class."""
    if sharing is not Sharing.PARTITION:
        return "", None
    if one.claimable is not None:
        return one.claimable.profile, one.claimable.memory
    profile = suffix or (one.entry.group(one.name, "profile") if one.entry else "")
    keys = [(label.format(resource=one.name), unit) for label, unit in labels.partition_memory]
    of_mode = any(mode.label in node.labels for mode in labels.modes)
    told = labelled_memory((*keys, *labels.memory) if suffix and not of_mode else keys, node.labels)
    sized = _SIZED.fullmatch(profile)
    gib = (one.entry.group(one.name, "gib") if one.entry else "") or (sized[1] if sized else "")
    return profile, told[2] if told else number(gib) * _GIB


def _ring_size(told: Classification) -> int:
    return told.variant.facts.count_rule.group_size if told.variant else 0


def _joined(sets: Sequence[Sequence[str]], node: Node) -> str:
    """Return the values of the first label set that is there whole, joined by dots."""
    for keys in sets:
        if keys and all(node.labels.get(key) for key in keys):
            return ".".join(node.labels[key] for key in keys)[:64]
    return ""
