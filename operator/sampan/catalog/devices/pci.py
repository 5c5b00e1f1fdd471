"""Reads PCI device ids out of node labels: those of feature discovery, and those of the vendors' own labellers. Knows no model.

Node Feature Discovery writes `feature.node.kubernetes.io/pci-<fields>.present`, where the fields are, as it is set up, class, vendor,
device and more, in that order: `pci-0302_10de`, `pci-10de`, `pci-1200_1002_74a1`.
"""

import re
from collections.abc import Container, Iterable, Mapping
from typing import Final, NamedTuple

from sampan.catalog.packaged.facts import LabelFacts, PciFacts

NFD: Final = "feature.node.kubernetes.io/pci-"
"""Beginning of the labels of feature discovery that name PCI devices."""
_NFD: Final = re.compile(r"feature\.node\.kubernetes\.io/pci-([0-9a-f]{4}(?:_[0-9a-f]{4}){0,4})\.present", re.ASCII)
_ID: Final = re.compile(r"(?:0x)?([0-9a-f]{4})", re.ASCII | re.I)
_COUNTED: Final = re.compile(r"(?:[0-9a-f]{4}-)?([0-9a-f]{4})(?:\.(?:count|present))?", re.ASCII | re.I)
"""What follows the beginning of a counted label: AMD's `74a1`, Intel's `0380-56c0.present`."""


class Chip(NamedTuple):
    """What a label of feature discovery names; texts that it does not name are empty."""

    device_class: str
    vendor: str
    device: str


def chip_of(key: str, vendors: Container[str]) -> Chip | None:
    """Return the chip that a label names, None for one of other makers than these PCI vendor ids."""
    match = _NFD.fullmatch(key)
    if match is None:
        return None
    fields = match[1].split("_")
    at = 0 if fields[0] in vendors else 1  # the class may be left out
    if len(fields) <= at or fields[at] not in vendors:
        return None
    return Chip(fields[0] if at else "", fields[at], fields[at + 1] if len(fields) > at + 1 else "")


def device_ids(labels: LabelFacts, pci: PciFacts | None, present: Mapping[str, str]) -> Iterable[tuple[str, str, str]]:
    """Yield (id, label, value) for labels of a node that tell the PCI device id of the vendor's devices.

    Labels of one kind that name several ids tell nothing: they are of unlike devices.
    """
    for key in labels.ids:
        match = _ID.fullmatch(present.get(key, ""))
        if match:
            yield match[1].lower(), key, present[key]
    for beginning in labels.counted_ids:
        told = {
            key: match[1].lower() for key in present if key.startswith(beginning) and (match := _COUNTED.fullmatch(key[len(beginning) :]))
        }
        yield from _alone(told, present)
    if pci is not None:
        chips = {key: chip for key in present if key.startswith(NFD) and (chip := chip_of(key, (pci.vendor,)))}
        yield from _alone({key: chip.device for key, chip in chips.items() if chip.device and present[key] == "true"}, present)


def _alone(told: Mapping[str, str], present: Mapping[str, str]) -> Iterable[tuple[str, str, str]]:
    """Yield the id that all of these labels name, with the first of them."""
    if len(set(told.values())) == 1:
        key = min(told)
        yield told[key], key, present[key]
