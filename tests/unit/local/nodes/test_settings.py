"""Tests of sampan.local.nodes.settings."""

import tomllib
from pathlib import Path

from sampan.local.nodes import addresses, settings

FOLDER = Path("/state/nodes/east/a10-2")


def test_containerd_keeps_everything_in_the_nodes_folder_and_pins_the_sandbox() -> None:
    told = tomllib.loads(settings.containerd(FOLDER, runc=Path("/usr/sbin/runc"), cni=Path("/usr/lib/cni")))
    assert told["root"].startswith(str(FOLDER))
    plugins = told["plugins"]
    assert plugins["io.containerd.cri.v1.images"]["pinned_images"]["sandbox"] == settings.PAUSE_IMAGE
    runtime = plugins["io.containerd.cri.v1.runtime"]
    assert runtime["restrict_oom_score_adj"] is True
    assert runtime["cni"] == {"bin_dirs": ["/usr/lib/cni"], "conf_dir": f"{FOLDER}/cni", "use_internal_loopback": True}
    assert runtime["containerd"]["runtimes"]["runc"]["options"]["BinaryName"] == "/usr/sbin/runc"


def test_pods_have_the_nodes_own_range() -> None:
    (bridge,) = settings.cni(FOLDER, 2)["plugins"]
    assert bridge["ipam"]["ranges"] == [[{"subnet": addresses.pod_range(2)}]]
    assert bridge["ipam"]["dataDir"].startswith(str(FOLDER))


def test_the_kubelet_asks_its_api_server_who_may_and_knows_its_cgroup() -> None:
    taint = {"key": "dedicated", "value": "ml", "effect": "NoSchedule"}
    told = settings.kubelet(FOLDER, 2, ca=Path("/pki/ca.crt"), cgroup="sampan-1/east-a10-2", taints=[taint])
    assert told["authentication"]["anonymous"]["enabled"] is False
    assert told["authorization"] == {"mode": "Webhook"}
    assert (told["address"], told["clusterDNS"]) == (addresses.node_address(2), [addresses.DNS_SERVER])
    assert told["cgroupRoot"] == "/sampan-1/east-a10-2"
    assert told["registerWithTaints"] == [taint]


def test_names_are_served_from_the_clusters_api_alone() -> None:
    told = settings.corefile(Path("/state/coredns.kubeconfig"))
    assert f"bind {addresses.DNS_SERVER}" in told
    assert "kubeconfig /state/coredns.kubeconfig" in told
    assert "forward" not in told
