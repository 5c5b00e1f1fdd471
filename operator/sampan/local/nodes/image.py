"""Images for real nodes, made of the machine's own busybox and loaded from a file: no registry has a part in it. Never here: loading."""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sampan.local.nodes.settings import PAUSE_IMAGE
from sampan.release.archive import IMAGE_CONFIG, MANIFEST, Blobs, manifest, write_archive
from sampan.release.layers import Layer, write_layer

TOOL_IMAGE: Final = "registry.example/tool:1"
"""A shell with busybox's tools, on every real node."""
_EPOCH: Final = 0
_CONFIGS: Final[Mapping[str, dict[str, Any]]] = {
    # Process 1 of a pod's sandbox has nothing to do but to be there.
    PAUSE_IMAGE: {"Entrypoint": ["/bin/busybox", "sleep", "2147483647"], "User": "65535:65535"},
    TOOL_IMAGE: {"Cmd": ["sh"], "Env": ["PATH=/bin"], "User": "65532:65532"},
}


def write_images(out: Path, busybox: Path, *, architecture: str) -> None:
    """Write an OCI archive with both images. Raises OSError, CalledProcessError."""
    with tempfile.TemporaryDirectory(prefix=".image-", dir=out.parent) as folder:
        root = Path(folder) / "root"
        _fill(root, busybox)
        layer = write_layer(root, Path(folder) / "layer.tar.gz", epoch=_EPOCH)
        blobs = Blobs({layer.digest: layer.file})
        named = [_put(blobs, layer, name, architecture=architecture) for name in _CONFIGS]
        fresh = Path(folder) / out.name
        write_archive(fresh, blobs, named, epoch=_EPOCH)
        fresh.replace(out)


def _fill(root: Path, busybox: Path) -> None:
    tools, etc, tmp = (root / name for name in ("bin", "etc", "tmp"))
    for folder in (tools, etc, tmp):
        folder.mkdir(parents=True)
    tmp.chmod(0o1777)
    shutil.copy(busybox, tools / "busybox")
    (tools / "busybox").chmod(0o755)
    listed = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True)
    for applet in listed.stdout.split():
        if applet != "busybox":
            (tools / applet).symlink_to("busybox")
    (etc / "passwd").write_text("root:x:0:0::/:/bin/sh\nuser:x:65532:65532::/tmp:/bin/sh\n")
    (etc / "group").write_text("root:x:0:\nuser:x:65532:\n")


def _put(blobs: Blobs, layer: Layer, name: str, *, architecture: str) -> dict[str, Any]:
    told = {
        "architecture": architecture,
        "os": "linux",
        "config": _CONFIGS[name],
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id]},
    }
    config = blobs.put_json(told, IMAGE_CONFIG)
    one = blobs.put_json(manifest(config, [layer.descriptor()], {}), MANIFEST)
    annotations = {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name.rpartition(":")[2]}
    return {**one, "platform": {"architecture": architecture, "os": "linux"}, "annotations": annotations}
