"""What is left of real nodes when they are ended: nothing, however they ended. Without a control plane: kubelets wait for theirs in vain.

Skipped where the machine cannot have such nodes, for the reason that the fixture gives.
"""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from integration.support import wait_for
from sampan.local.nodes import cgroups
from sampan.local.nodes.cluster_nodes import ClusterNodes, end_all
from sampan.local.nodes.machine import Parts
from sampan.local.paths import federation_folder
from sampan.local.processes.lookup import gone, programs_with
from sampan.local.scenario import NodeGroup

GROUP = NodeGroup(name="a10-{}", count=2, capacity={"nvidia.com/gpu": "2"})


def write_ca(folder: Path) -> None:
    """Certificates as kwokctl makes them."""
    folder.mkdir(parents=True)
    key, now = rsa.generate_private_key(65537, 2048), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kwok-ca")])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1)).sign(key, hashes.SHA256())
    for who in ("ca", "admin"):
        (folder / f"{who}.crt").write_bytes(made.public_bytes(Encoding.PEM))
        (folder / f"{who}.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))


@pytest.fixture
def nodes(real_parts: Parts) -> Iterator[ClusterNodes]:
    """Two nodes that run, with the switch between them."""
    folder = federation_folder(f"sampan-test-nodes-{os.getpid()}")
    home = folder / "kwok" / "clusters" / "east"
    try:
        write_ca(home / "pki")
        made = ClusterNodes(cluster="east", federation=folder, home=home, api_port=1, groups=(GROUP,))
        made.prepare()
        made.switch_on(real_parts)
        yield made
    finally:
        end_all(folder)
        shutil.rmtree(folder, ignore_errors=True)


def processes(nodes: ClusterNodes) -> list[int]:
    """Everything that runs in the nodes, by their cgroups, and the switch."""
    top = cgroups.ROOT / "memory" / cgroups.of_federation(nodes.federation)
    inside = [int(pid) for record in top.rglob("cgroup.procs") for pid in record.read_text().split()]
    return sorted({*inside, *programs_with("sampan.local.nodes.", str(nodes.folder)), *programs_with(f"{nodes.folder}/Corefile")})


def namespaces(pids: list[int]) -> set[str]:
    """Their network namespaces; each ends with its last process."""
    found = set()
    for pid in pids:
        try:
            found.add(str(Path(f"/proc/{pid}/ns/net").readlink()))
        except FileNotFoundError:  # kubelet and shims call others that end at once
            continue
    return found


def links() -> set[str]:
    """Network devices of the machine itself."""
    return {place.name for place in Path("/sys/class/net").iterdir()}


@pytest.mark.parametrize("killed", [False, True], ids=["by down", "by kill -9 of everything"])
def test_nothing_is_left_of_real_nodes(nodes: ClusterNodes, killed: bool) -> None:
    wait_for(lambda: all((node.folder / "kubelet.log").is_file() for node in nodes.nodes), "both kubelets run")
    pids = processes(nodes)
    assert len(pids) >= 2 + 2 * 4, "switch and name server; of each node its two Pythons, containerd and kubelet"
    assert len(namespaces(pids) - namespaces([os.getpid()])) == 3, "the switch's and the nodes'"
    if killed:
        for pid in pids:
            with suppress(ProcessLookupError):  # the first of a node takes the others with it
                os.kill(pid, signal.SIGKILL)
    assert end_all(nodes.federation) == []
    assert [pid for pid in pids if not gone(pid)] == []
    assert processes(nodes) == []
    assert list(cgroups.ROOT.glob(f"*/{cgroups.of_federation(nodes.federation)}")) == []
    assert str(nodes.federation) not in Path("/proc/self/mounts").read_text()
    assert not links() & {"nodes", "node1", "node2", "uplink", "pods"}


def test_a_node_that_was_cut_off_comes_back_on_the_same_switch(nodes: ClusterNodes, real_parts: Parts) -> None:
    first, second = nodes.nodes
    wait_for((first.folder / "kubelet.log").is_file, "the first kubelet runs")
    before = second.pid
    first.cut_power()
    wait_for(lambda: not programs_with("sampan.local.nodes.", str(first.folder)), "all of the node is gone")
    (first.folder / "kubelet.log").unlink()
    assert nodes.switch_on(real_parts) == [first.name]
    wait_for((first.folder / "kubelet.log").is_file, "its kubelet runs again")
    assert first.pid is not None
    assert second.pid == before
