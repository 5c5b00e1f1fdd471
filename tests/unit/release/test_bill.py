"""The bill of materials names each part once, with what it is called elsewhere."""

import json
from pathlib import Path

from sampan.release.bill import bill_of_materials, debian_parts, python_parts
from sampan.release.debian import Package, packages

LISTING = "Package: libstdc++6\nVersion: 12.2.0-14+deb12u1\nArchitecture: amd64\n\nPackage: tzdata\nVersion: 2026b-0\nArchitecture: all\n\n"


def test_packages_are_read_from_their_control_fields() -> None:
    assert packages(LISTING) == [Package("libstdc++6", "12.2.0-14+deb12u1", "amd64"), Package("tzdata", "2026b-0", "all")]


def test_each_part_has_its_package_url(tmp_path: Path) -> None:
    for name, lines in {"Py_Thing-1.0": "License-Expression: MIT\n", "other-2": ""}.items():
        folder = tmp_path / f"{name}.dist-info"
        folder.mkdir()
        title, version = name.split("-")
        (folder / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {title}\nVersion: {version}\n{lines}\nText: none\n")
    bill = json.loads(bill_of_materials([*debian_parts(packages(LISTING)), *python_parts(tmp_path)], version="1.2.3"))
    assert (bill["bomFormat"], bill["specVersion"], bill["metadata"]["component"]["version"]) == ("CycloneDX", "1.6", "1.2.3")
    assert [part["purl"] for part in bill["components"]] == [
        "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=amd64&distro=bookworm",
        "pkg:deb/debian/tzdata@2026b-0?arch=all&distro=bookworm",
        "pkg:pypi/other@2",
        "pkg:pypi/py-thing@1.0",
    ]
    assert [part.get("licenses") for part in bill["components"]] == [None, None, None, [{"expression": "MIT"}]]
