"""What a release says of itself: what is new, from the changelog, and the files with their checksums. Never here: building them."""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from sampan.release.errors import ReleaseError
from sampan.release.source import Source

SUMS = "SHA256SUMS"


def sha256(path: Path) -> str:
    """Return the checksum of a file. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checksums(files: Iterable[Path]) -> str:
    """Return what `sha256sum --check` reads. Raises OSError."""
    return "".join(f"{sha256(path)}  {path.name}\n" for path in sorted(files))


def news(changelog: str, version: str) -> str:
    """Return what the changelog says of a version; before its release, what is under Unreleased. Raises ReleaseError."""
    sections = {found[1]: found[2].strip() for found in re.finditer(r"^## \[([^\]]+)\][^\n]*\n(.*?)(?=^## |\Z)", changelog, re.M | re.S)}
    told = sections.get(version) or sections.get("Unreleased")
    if not told:
        raise ReleaseError(f"CHANGELOG.md: say what {version} brings, under its own heading or under Unreleased")
    return told


def release_notes(source: Source, digests: dict[str, str], files: Iterable[Path]) -> str:
    """Return the notes in Markdown; `digests`: of what goes into a registry, by reference."""
    changelog = (source.root / "CHANGELOG.md").read_text(encoding="utf-8")
    rows = "".join(f"| `{path.name}` | {path.stat().st_size / 1e6:.1f} | `{sha256(path)}` |\n" for path in sorted(files))
    pushed = "".join(f"| `{name}` | `{digest}` |\n" for name, digest in digests.items())
    return (
        f"# Sampan {source.version}\n\nOf commit {source.revision}, {source.created}.\n\n"
        f"`sha256sum --check {SUMS}` checks the files. Images and charts (`*.oci.tar`) are OCI archives: skopeo, oras, crane, podman\n"
        "push them to a registry, and what is pulled has these digests:\n\n"
        f"| in a registry | digest |\n|---|---|\n{pushed}\n"
        f"| file | MB | SHA-256 |\n|---|---|---|\n{rows}\n"
        f"## What is new\n\n{news(changelog, source.version)}\n"
    )
