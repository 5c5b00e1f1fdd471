"""Checksums and notes of a release."""

import subprocess
from pathlib import Path

import pytest

from places import ROOT
from sampan.release.artefacts.notes import SUMS, checksums, news, release_notes
from sampan.release.errors import ReleaseError
from sampan.release.source import Source

CHANGELOG = (
    "# Changelog\n\n## [Unreleased]\n\nTo come.\n\n## [1.1.0] - 2026-02-01\n\nMore.\n\n### Added\n\n- A.\n\n"
    "## [1.0.0] - 2026-01-01\n\nFirst.\n"
)


@pytest.mark.parametrize(
    ("version", "want"),
    [("1.1.0", "More.\n\n### Added\n\n- A."), ("1.0.0", "First."), ("1.2.0", "To come.")],
    ids=["newest", "last", "next"],
)
def test_news_are_those_of_the_version(version: str, want: str) -> None:
    assert news(CHANGELOG, version) == want


def test_a_release_without_news_is_refused() -> None:
    with pytest.raises(ReleaseError, match=r"say what 1\.2\.0 brings"):
        news("# Changelog\n\n## [Unreleased]\n\n## [1.0.0] - 2026-01-01\n\nFirst.\n", "1.2.0")


def test_checksums_are_those_that_sha256sum_checks(tmp_path: Path) -> None:
    for name in ("b.tar", "a.tgz"):
        (tmp_path / name).write_text(name)
    (tmp_path / SUMS).write_text(checksums(tmp_path.iterdir()))
    check = ["sha256sum", "--check", "--strict", SUMS]
    assert subprocess.run(check, cwd=tmp_path, capture_output=True, text=True, check=True).stdout == "a.tgz: OK\nb.tar: OK\n"
    (tmp_path / "b.tar").write_text("other")
    assert subprocess.run(check, cwd=tmp_path, capture_output=True, check=False).returncode != 0


def test_notes_name_files_digests_and_news(tmp_path: Path) -> None:
    (tmp_path / "sampan.tgz").write_bytes(b"x" * 100_000)
    source = Source(root=ROOT, version="0.1.0", revision="abc", epoch=1_700_000_000)
    text = release_notes(source, {"charts/sampan:0.1.0": "sha256:1"}, tmp_path.iterdir())
    assert "# Sampan 0.1.0\n\nOf commit abc, 2023-11-14T22:13:20Z." in text
    assert "| `charts/sampan:0.1.0` | `sha256:1` |" in text
    assert "| `sampan.tgz` | 0.1 | `" in text
    assert news((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), "0.1.0") in text
