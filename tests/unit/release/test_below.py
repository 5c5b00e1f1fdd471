"""The layers below Sampan's own are built once for a folder that keeps them, and anew where what they are made of has changed."""

from dataclasses import replace
from pathlib import Path

import pytest

from sampan.release import below
from sampan.release.below import Below, kept_below
from sampan.release.layers import write_layer
from sampan.release.source import Source


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The architectures that were built for, each in its place a layer with that word: Debian's packages come from a network."""
    made: list[str] = []

    def build(source: Source, folder: Path, *, architecture: str) -> Below:
        root = folder / "root"
        root.mkdir()
        (root / "word").write_text(architecture)
        layers = (
            write_layer(root, folder / "base.tar.gz", epoch=source.epoch),
            write_layer(root, folder / "deps.tar.gz", epoch=source.epoch),
        )
        made.append(architecture)
        return Below(layers, [{"name": architecture}], 5)

    monkeypatch.setattr(below, "build_below", build)
    return made


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """A checkout of which only the lock file is read."""
    lock = tmp_path / "checkout" / "operator" / "requirements-runtime.lock"
    lock.parent.mkdir(parents=True)
    lock.write_text("one==1\n")
    return Source(root=tmp_path / "checkout", version="1", revision="a", epoch=7)


def test_what_is_kept_is_what_was_built(built: list[str], source: Source, tmp_path: Path) -> None:
    first = kept_below(source, tmp_path / "kept", architecture="amd64")
    again = kept_below(replace(source, revision="b", epoch=8), tmp_path / "kept", architecture="amd64")
    assert built == ["amd64"]
    assert again == first
    assert [layer.file.stat().st_size for layer in again.layers] == [layer.size for layer in again.layers]


def test_another_lock_file_or_architecture_is_built_anew(built: list[str], source: Source, tmp_path: Path) -> None:
    kept_below(source, tmp_path / "kept", architecture="amd64")
    kept_below(source, tmp_path / "kept", architecture="arm64")
    source.runtime_lock.write_text("one==2\n")
    kept_below(source, tmp_path / "kept", architecture="amd64")
    assert built == ["amd64", "arm64", "amd64"]


def test_a_build_that_fails_leaves_nothing_to_be_taken_for_one(built: list[str], source: Source, tmp_path: Path) -> None:
    nowhere = replace(source, epoch="when")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        kept_below(nowhere, tmp_path / "kept", architecture="amd64")
    assert built == []
    assert kept_below(source, tmp_path / "kept", architecture="amd64").unpacked == 5
    assert built == ["amd64"]
