"""Tests of sampan.local.nodes.image, with a busybox that only lists."""

import json
import tarfile
from pathlib import Path

from sampan.local.nodes.image import TOOL_IMAGE, write_images
from sampan.local.nodes.settings import PAUSE_IMAGE
from unit.local.conftest import MakeProgram


def test_both_images_are_in_one_archive_that_is_the_same_each_time(program: MakeProgram, tmp_path: Path) -> None:
    busybox = program("busybox", "printf 'busybox\\nsh\\nsleep\\n'")
    archives = [tmp_path / "one.tar", tmp_path / "two.tar"]
    for archive in archives:
        write_images(archive, busybox, architecture="amd64")
    assert archives[0].read_bytes() == archives[1].read_bytes()
    with tarfile.open(archives[0]) as opened:
        told = opened.extractfile("index.json")
        assert told is not None
        index = json.load(told)
    names = [one["annotations"]["io.containerd.image.name"] for one in index["manifests"]]
    assert sorted(names) == sorted([PAUSE_IMAGE, TOOL_IMAGE])
