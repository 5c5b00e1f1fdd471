"""docs/operations.md, command by command, on API servers of a hub and a member; the operator runs as the chart's Deployment says."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration.operations.played_kubelet import PlayedKubelet
from integration.support import PATIENCE, Api
from places import ROOT
from sampan.local.binaries import Binaries
from sampan.local.processes.kubectl import tool_environment
from servers import bare_server

pytestmark = pytest.mark.integration

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+) ?([\w.-]*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
HERE: dict[str, Any] = {"operator": {"allowLoopbackMembers": True}, "query": {"enabled": "Disabled"}}
"""What this place asks for beside the page's values: members on 127.0.0.1, and no API that a server would have to reach a pod for."""
NODE = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "n1", "labels": {"nvidia.com/gpu.product": "NVIDIA-A10", "kubernetes.io/arch": "amd64"}},
}
VOLUME = {
    "apiVersion": "v1",
    "kind": "PersistentVolume",
    "metadata": {"name": "state"},
    "spec": {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "hostPath": {"path": "/nowhere"},
        "claimRef": {"namespace": "sampan-system", "name": "sampan-state"},
    },
}
"""What a StorageClass would make for the operator's claim."""
CAPACITY = {"cpu": "64", "memory": "256Gi", "pods": "110", "nvidia.com/gpu": "2"}


@dataclass
class Place:
    """Where the page's reader works: a folder with the checkout's charts, contexts for hub and member."""

    folder: Path
    kubelet: PlayedKubelet
    environment: dict[str, str]

    def run(self, script: str) -> str:
        """Run a block of the page as its reader would paste it; AssertionError with what it said where a command fails."""
        command = ["bash", "-euxo", "pipefail", "-c", script]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False, timeout=4 * PATIENCE
        )
        logs = "".join(path.read_text(errors="replace")[-3000:] for path in self.kubelet.folder.glob("*.log")) if done.returncode else ""
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}\n{self.kubelet.faults}\n{logs}"
        return done.stdout


def contexts(hub: Api, member: Api) -> str:
    """One kubeconfig with both."""
    made: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "current-context": "hub", "clusters": [], "users": [], "contexts": []}
    for name, api in (("hub", hub), ("my-cluster", member)):
        document = yaml.safe_load(api.kubeconfig.read_text(encoding="utf-8"))
        made["clusters"].append({**document["clusters"][0], "name": name})
        made["users"].append({**document["users"][0], "name": name})
        made["contexts"].append({"name": name, "context": {"cluster": name, "user": name}})
    return yaml.safe_dump(made)


def beat(member: Api, over: threading.Event) -> None:
    """The node's kubelet says every few seconds that it is there."""
    member.kubectl("create", "-f", "-", input=yaml.safe_dump(NODE))
    while True:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "lastHeartbeatTime": now}
        status = {"capacity": CAPACITY, "allocatable": CAPACITY, "conditions": [ready]}
        body = yaml.safe_dump({"status": status})
        member.kubectl("patch", "node", "n1", "--subresource=status", "--type=merge", f"--patch={body}")
        if over.wait(10):
            return


@pytest.fixture
def place(binaries: Binaries, tmp_path: Path) -> Iterator[Place]:
    """A hub without our kinds, and a member with a node."""
    over = threading.Event()
    with bare_server(binaries, "operations-hub") as hub, bare_server(binaries, "operations-member") as member:
        for api in (hub, member):
            api.kubectl("delete", "crds", "--all")
        hub.kubectl("create", "-f", "-", input=yaml.safe_dump(VOLUME))
        heart = threading.Thread(target=beat, args=(member, over))
        heart.start()
        (tmp_path / "pods").mkdir()
        kubelet = PlayedKubelet(hub, "sampan-system", tmp_path / "pods")
        (tmp_path / "helm").symlink_to(ROOT / "helm")
        (tmp_path / "kubeconfig").write_text(contexts(hub, member), encoding="utf-8")
        programs = [
            str(Path(sys.executable).parent),
            *{str(Path(binaries[name]).parent) for name in ("helm", "kubectl")},
            os.environ["PATH"],
        ]
        environment = tool_environment(tmp_path) | {"PATH": ":".join(programs), "KUBECONFIG": str(tmp_path / "kubeconfig")}
        try:
            yield Place(tmp_path, kubelet, environment)
        finally:
            over.set()
            heart.join()
            kubelet.close()


def with_here(text: str) -> str:
    """The page's values with those of this place."""
    values = yaml.safe_load(text)
    for name, more in HERE.items():
        values[name] = {**values.get(name, {}), **more}
    return yaml.safe_dump(values)


def test_every_command_of_the_page_works(place: Place) -> None:
    said = {}
    for language, name, text in BLOCKS:
        if language == "yaml":
            (place.folder / name).write_text(with_here(text) if name == "hub.yaml" else text, encoding="utf-8")
        else:
            said[text] = place.run(text)
    joined = next(out for script, out in said.items() if script.startswith("sampan join"))
    assert "is Schedulable after" in joined
    rolled = next(out for script, out in said.items() if script.startswith("helm rollback"))
    assert "successfully rolled out" in rolled
    gone = next(out for script, out in said.items() if script.startswith("sampan uninstall"))
    assert "now run: helm uninstall sampan -n sampan-system" in gone
    assert 'release "sampan" uninstalled' in gone
    assert place.run("kubectl get crds -o name") == ""
    assert not place.kubelet.faults


def test_each_fenced_block_of_the_page_is_a_file_or_is_run() -> None:
    fences = len(re.findall(r"^```", PAGE, re.MULTILINE))
    assert fences == 2 * len(BLOCKS), "a block says `sh`, or `yaml` and the name of its file"
    assert {language for language, _, _ in BLOCKS} == {"sh", "yaml"}
    assert [name for language, name, _ in BLOCKS if language == "yaml"] == ["hub.yaml", "provider.yaml", "offer.yaml", "monitoring.yaml"]
