"""The bill of materials (SBOM) of an image, as CycloneDX 1.6: each Debian package, each Python package, with versions and licences.

Never here: reading an image; it is told what went in.
"""

import json
from collections.abc import Iterable
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

from sampan.release.debian import SUITE, Package

Part = dict[str, Any]
"""A component of the document. Purls follow the package-url specification's types deb and pypi."""


def debian_parts(packages: Iterable[Package]) -> list[Part]:
    """Return what is said of Debian's packages."""
    return [_debian(package) for package in packages]


def python_parts(folder: Path) -> list[Part]:
    """Return what is said of the packages whose *.dist-info are in the folder."""
    return [_python(metadata) for metadata in folder.glob("*.dist-info/METADATA")]


def bill_of_materials(parts: Iterable[Part], *, version: str) -> str:
    """Return the document."""
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "container", "name": "sampan", "version": version}},
        "components": sorted(parts, key=lambda part: str(part["purl"])),
    }
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def _debian(package: Package) -> Part:
    name, version = (text.replace("+", "%2B") for text in (package.name, package.version))
    purl = f"pkg:deb/debian/{name}@{version}?arch={package.architecture}&distro={SUITE}"
    return {"type": "library", "name": package.name, "version": package.version, "purl": purl, "bom-ref": purl}


def _python(metadata: Path) -> Part:
    told = HeaderParser().parsestr(metadata.read_text(encoding="utf-8", errors="replace"))
    purl = f"pkg:pypi/{told['Name'].lower().replace('_', '-')}@{told['Version'].replace('+', '%2B')}"
    part = {"type": "library", "name": told["Name"], "version": told["Version"], "purl": purl, "bom-ref": purl}
    expression = told["License-Expression"]
    return part | ({"licenses": [{"expression": expression}]} if expression else {})
