"""PCI ids in node labels: what feature discovery and the vendors' labellers write, and what only looks like it."""

import pytest

from sampan.catalog.devices.pci import chip_of, device_ids
from sampan.catalog.packaged.facts import LabelFacts, PciFacts

NFD = "feature.node.kubernetes.io/pci-{}.present"


@pytest.mark.parametrize(
    ("fields", "want"),
    [
        ("10de", ("", "10de", "")),
        ("0302_10de", ("0302", "10de", "")),
        ("10de_2330", ("", "10de", "2330")),
        ("0302_10de_2330", ("0302", "10de", "2330")),
        ("0302_10de_2330_10de_16c1", ("0302", "10de", "2330")),
        ("8086", None),
        ("0300_8086", None),
        ("", None),
        ("0302_10de_2330_10de_16c1_00", None),
        ("xyz_10de", None),
    ],
)
def test_labels_of_feature_discovery_name_a_chip(fields: str, want: tuple[str, str, str] | None) -> None:
    assert chip_of(NFD.format(fields), ("10de",)) == want


def test_only_one_id_tells() -> None:
    facts, pci = LabelFacts(ids=("a/id",), counted_ids=("b/id.",)), PciFacts(vendor="1002")

    def ids(present: dict[str, str]) -> list[str]:
        return [told for told, _, _ in device_ids(facts, pci, present)]

    assert ids({"a/id": "0x74A1"}) == ["74a1"]
    assert ids({"a/id": "74a1,74a5"}) == []
    assert ids({"b/id.74a1": "8"}) == ["74a1"]
    assert ids({"b/id.0380-74a1.present": "true", "b/id.0380-74a1.count": "2"}) == ["74a1"]
    assert ids({"b/id.74a1": "4", "b/id.740f": "4"}) == []
    assert ids({NFD.format("1200_1002_74a1"): "true"}) == ["74a1"]
    assert ids({NFD.format("1200_1002_74a1"): "false"}) == []
    assert ids({NFD.format("1200_1002"): "true"}) == []
