"""Reads what DRA drivers publish for a node: devices by kind and product, newest generation of whole pools only. Tells no class.

Attributes are text of strangers: one that could not stand in a CEL string as it is tells nothing.
"""

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from typing import Final

from sampan.catalog.packaged.facts import DraDriver, DraKind, Kind
from sampan.model.members.device import MAX_DEVICES_PER_NODE, Card, ClaimSource, DeviceSlice, DraDevice, Ignored

PUBLISHER: Final = "dra"
CLAIM: Final = "claim:"
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._()/+:-]{0,127}", re.ASCII)
_UNTOLD: Final = ("unknown", "")
_MOST_SLICES: Final = 512
_UUID: Final = "uuid"
_MEMORY: Final = "memory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimable:
    """Devices of one kind and product that a driver publishes on a node."""

    driver: str
    kind: DraKind
    product: str
    profile: str
    memory: int
    """Bytes of the least of them; 0 where it is not told."""
    devices: int
    unhealthy: int
    version: str
    """Driver version."""
    compute: str
    cards: tuple[Card, ...]
    sized: bool
    """Whole devices of the driver say their memory if they can be had."""
    physical: int | None
    """Cards behind them; None where that is not told."""
    source: ClaimSource


def whole_pools(slices: Iterable[DeviceSlice]) -> tuple[dict[str, list[DraDevice]], tuple[Ignored, ...]]:
    """Return the devices of every driver, newest generation of each pool.

    Pools that miss slices, or name a device twice, are not counted. Of a card that is cut its parts count, and of devices that are parts
    of one another otherwise those that can be had at once, the greatest first. A device that several pools show counts once.
    """
    pools: dict[tuple[str, str], dict[str, DeviceSlice]] = {}
    for each in sorted(slices, key=lambda one: (one.generation, one.name))[-_MOST_SLICES:]:
        known = pools.setdefault((each.driver, each.pool), {})
        if any(old.generation < each.generation for old in known.values()):
            known.clear()
        known[each.name] = each
    drivers: dict[str, list[DraDevice]] = {}
    seen: dict[str, dict[str, tuple[str, str]]] = {}
    ignored = []
    for (driver, _), parts in sorted(pools.items()):
        devices = [device for part in parts.values() for device in part.devices]
        if len(parts) < max(part.expected_slices for part in parts.values()):
            ignored.append(Ignored(resource=f"{CLAIM}{driver}", amount=len(devices), why="Incomplete"))
            continue
        if len({device.name for device in devices}) < len(devices):
            ignored.append(Ignored(resource=f"{CLAIM}{driver}", amount=len(devices), why="NotBelieved"))
            continue
        fresh = _shown_first(parts.values(), seen.setdefault(driver, {}))
        if len(fresh) < len(devices):
            ignored.append(Ignored(resource=f"{CLAIM}{driver}", amount=len(devices) - len(fresh), why="SecondPublisher"))
        kept = _at_once(_without_cut(fresh), {(name, key): amount for part in parts.values() for name, key, amount in part.counters})
        if len(kept) < len(fresh):
            ignored.append(Ignored(resource=f"{CLAIM}{driver}", amount=len(fresh) - len(kept), why="Partitioned"))
        drivers.setdefault(driver, []).extend(kept)
    return drivers, tuple(ignored)


def _shown_first(parts: Iterable[DeviceSlice], seen: dict[str, tuple[str, str]]) -> list[DraDevice]:
    """Return the devices that no other slice showed before, by their UUID; `seen` is what the driver's other slices showed."""
    return [
        device
        for part in parts
        for device in part.devices
        if not (uuid := attribute(device, _UUID)) or seen.setdefault(uuid, (part.pool, part.name)) == (part.pool, part.name)
    ]


def _without_cut(devices: Sequence[DraDevice]) -> list[DraDevice]:
    """Return the devices without the cards that are cut: parts of them are there for good, or they are announced without any memory.

    Parts that share counters with their card may be made of it, or not: which of them are had is told by the counters.
    """
    parts: dict[str, list[DraDevice]] = {}
    for device in devices:
        for text in _parents(device):
            parts.setdefault(text, []).append(device)
    return [device for device in devices if not _is_cut(device, [part for text in _names(device) for part in parts.get(text, ())])]


def _is_cut(device: DraDevice, parts: Sequence[DraDevice]) -> bool:
    """Tell whether a device cannot be had because of its parts."""
    own = {name for name, _, _ in device.counters}
    for_good = any(not own & {name for name, _, _ in part.counters} for part in parts)
    return for_good or (not _capacity(device, _MEMORY) and any(_capacity(part, _MEMORY) for part in parts))


def _parents(device: DraDevice) -> set[str]:
    """Return what names the card that a device is a part of."""
    told = {text for key, text in device.attributes.items() if key.rpartition("/")[2].lower().startswith("parent")}
    return {text for text in told if _PLAIN.fullmatch(text)}


def _names(device: DraDevice) -> set[str]:
    """Return everything that a part can name this device by; a part itself is no card."""
    return set() if _parents(device) else set(device.attributes.values())


def _at_once(devices: Iterable[DraDevice], left: dict[tuple[str, str], int]) -> list[DraDevice]:
    """Return the devices that the counters of their pool allow at once; a counter of unknown size allows its greatest user once."""
    kept = []
    for device in sorted(devices, key=_greatest_first):
        needs = [(left.setdefault((name, key), amount) >= amount, (name, key), amount) for name, key, amount in device.counters]
        if all(enough for enough, _, _ in needs):
            kept.append(device)
            for _, counter, amount in needs:
                left[counter] -= amount
    return kept


def _greatest_first(device: DraDevice) -> tuple[int, bool, str]:
    """Order devices by what they take of counters; a part after its whole."""
    return -sum(amount for _, _, amount in device.counters), any("parent" in key.lower() for key in device.attributes), device.name


def held(driver: DraDriver | None, parts: Sequence[DeviceSlice], claimed: Set[str]) -> frozenset[str]:
    """Return which counted devices of one pool claims hold: those named, and a whole device of which a part is.

    `driver` is None for one that no table knows; `claimed` are names of devices of the pool.
    """
    kept = [device for devices in whole_pools(parts)[0].values() for device in devices]
    if driver is not None:
        wholes = {attribute(device, driver.id) for device in kept if (kind := _kind(driver, device)) and kind.kind is Kind.WHOLE} - {""}
        kept = [device for device in kept if attribute(device, driver.parent) not in wholes]
    names = {device.name for device in kept}
    taken = claimed & names
    for part in (device for each in parts for device in each.devices if device.name in claimed - names):
        sets, parent = {name for name, _, _ in part.counters}, attribute(part, driver.parent) if driver else ""
        whole = (device for device in kept if parent and driver and attribute(device, driver.id) == parent)
        taken |= {device.name for device in whole}
        taken |= {device.name for device in kept if _parents(device) & _names(part)}
        taken |= {device.name for device in kept if (uuid := attribute(part, _UUID)) and attribute(device, _UUID) == uuid}
        taken |= {device.name for device in kept if any(name in sets for name, _, _ in device.counters)}
    return frozenset(taken)


def claimables(driver: DraDriver, devices: Iterable[DraDevice]) -> tuple[tuple[Claimable, ...], tuple[Ignored, ...]]:
    """Return the devices of one driver by kind, product and profile, and what is left out: children of a whole device counted beside it."""
    sorted_devices = sorted(devices, key=lambda device: device.name)[: 4 * MAX_DEVICES_PER_NODE]
    known = [(device, kind) for device in sorted_devices if (kind := _kind(driver, device)) is not None]
    parents = {attribute(device, driver.id) for device, kind in known if kind.kind is Kind.WHOLE} - {""}
    children = {device.name: kind for device, kind in known if driver.parent and attribute(device, driver.parent) in parents}
    groups: dict[tuple[str, str, str, str, bool], list[tuple[DraDevice, DraKind]]] = {}
    for device, kind in known:
        if device.name not in children:
            unsized = driver.sized and kind.kind is Kind.WHOLE and _healthy(driver, device) and not _capacity(device, driver.memory)
            key = (kind.device_class, kind.value, _product(driver, device), attribute(device, driver.profile), unsized)
            groups.setdefault(key, []).append((device, kind))
    classes = sorted({kind.device_class for kind in children.values()})[:1]
    ignored = [Ignored(resource=f"{CLAIM}{name}", amount=len(children), why="Partitioned") for name in classes]
    unknown = len(sorted_devices) - len(known)
    ignored += [Ignored(resource=f"{CLAIM}{driver.name}", amount=unknown, why="Companion")] if unknown else []
    found = tuple(_claimable(driver, [device for device, _ in groups[key]], kind=groups[key][0][1]) for key in sorted(groups))
    return found, tuple(ignored)


def attribute(device: DraDevice, name: str) -> str:
    """Return an attribute by its plain name, whatever domain it is published under; empty where it is missing or not plain text."""
    if not name:
        return ""
    text = device.attributes.get(name)
    if text is None:
        text = next((device.attributes[key] for key in sorted(device.attributes) if key.endswith(f"/{name}")), "")
    return text if _PLAIN.fullmatch(text) else ""


def _capacity(device: DraDevice, name: str) -> int:
    if not name:
        return 0
    amounts = [amount for key, amount in sorted(device.capacity.items()) if key == name or key.endswith(f"/{name}")]
    return max(amounts[0], 0) if amounts else 0


def _kind(driver: DraDriver, device: DraDevice) -> DraKind | None:
    told = attribute(device, driver.type)
    return next((kind for kind in driver.kinds if kind.value in ("", told)), None)


def _product(driver: DraDriver, device: DraDevice) -> str:
    told = (attribute(device, name) for name in driver.product)
    return next((text for text in told if text.lower() not in _UNTOLD), "")


def _healthy(driver: DraDriver, device: DraDevice) -> bool:
    told = ((attribute(device, name).lower(), values) for name, values in driver.healthy)
    return not device.tainted and all(text in values for text, values in told if text)


def _claimable(driver: DraDriver, devices: list[DraDevice], *, kind: DraKind) -> Claimable:
    first, fit = devices[0], [device for device in devices if _healthy(driver, device)]
    product, profile = _product(driver, first), attribute(first, driver.profile)
    shared = kind.kind is Kind.VIRTUAL or any(device.consumable for device in devices)
    told = [(driver.type, kind.value), *((name, product) for name in driver.product if attribute(first, name) == product != "")]
    told += [(driver.profile, profile)]
    return Claimable(
        driver=driver.name,
        kind=DraKind(value=kind.value, kind=Kind.VIRTUAL, device_class=kind.device_class) if shared else kind,
        product=product,
        profile=profile,
        memory=min((_capacity(device, driver.memory) for device in fit or devices), default=0),
        devices=len(fit),
        unhealthy=len(devices) - len(fit),
        version=min((attribute(device, driver.driver) for device in devices), default=""),
        compute=attribute(first, driver.compute),
        cards=tuple(_card(driver, device) for device in fit) if shared else (),
        sized=driver.sized and kind.kind is Kind.WHOLE,
        physical=_physical(fit, kind=kind.kind),
        source=ClaimSource(
            device_class=kind.device_class,
            driver=driver.name,
            selectors=(
                *(f'device.attributes["{driver.name}"].{name} == "{value}"' for name, value in told if name and value),
                *_uncut(driver, fit, kind=kind.kind),
            ),
        ),
    )


def _uncut(driver: DraDriver, devices: Sequence[DraDevice], *, kind: Kind) -> tuple[str, ...]:
    """Return what keeps a claim for whole cards from those that are announced without memory, because they are set up for their parts.

    A card that is cut and says its memory nevertheless differs from others by its parts alone: no expression on one device tells that.
    """
    keys = (driver.memory, f"{driver.name}/{driver.memory}")
    if (
        not driver.sized
        or kind is not Kind.WHOLE
        or not devices
        or not all(any(each.capacity.get(key) for key in keys) for each in devices)
    ):
        return ()
    amounts = f'device.capacity["{driver.name}"]'
    return (f'"{driver.memory}" in {amounts} && {amounts}.{driver.memory}.isGreaterThan(quantity("0"))',)


def _physical(devices: Sequence[DraDevice], *, kind: Kind) -> int | None:
    """Return how many cards these devices are, or are parts of."""
    if kind is not Kind.PARTITION:
        return len(devices)
    parents = [min(_parents(device), default="") for device in devices]
    return len(set(parents)) if all(parents) else None


def _card(driver: DraDriver, device: DraDevice) -> Card:
    slots = _capacity(device, driver.slots) if driver.slots else 1
    return Card(id=device.name, memory=_capacity(device, driver.memory), cores=_capacity(device, driver.cores) or 100, slots=slots)
