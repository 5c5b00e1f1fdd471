"""Pure: the configuration files of a real node's containerd, kubelet and CNI, and of its cluster's CoreDNS.

Paths that every node has alike (/run/containerd, /var/lib/kubelet) are bound to folders of its own (power.py). Never here: writing them.
"""

from pathlib import Path
from typing import Any, Final

from sampan.local.nodes import addresses

RUNTIME_FOLDER: Final = Path("/run/containerd")
SOCKET: Final = RUNTIME_FOLDER / "containerd.sock"
PAUSE_IMAGE: Final = "localhost/pause:1"


def containerd(folder: Path, *, runc: Path, cni: Path) -> str:
    """containerd's config.toml: `folder` holds the images; `cni` is the folder of the CNI plugins.

    Root without CAP_SYS_RESOURCE may lower nobody's oom_score_adj, and a container would not start for it.
    """
    return f"""version = 3
root = '{folder}/containerd'
state = '{RUNTIME_FOLDER}'
[grpc]
  address = '{SOCKET}'
[ttrpc]
  address = '{SOCKET}.ttrpc'
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = '{PAUSE_IMAGE}'
[plugins.'io.containerd.cri.v1.runtime']
  netns_mounts_under_state_dir = true
  disable_apparmor = true
  restrict_oom_score_adj = true
  enable_unprivileged_ports = true
[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = ['{cni}']
  conf_dir = '{folder}/cni'
  use_internal_loopback = true
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
  runtime_type = 'io.containerd.runc.v2'
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
  BinaryName = '{runc}'
  SystemdCgroup = false
[plugins.'io.containerd.nri.v1.nri']
  disable = true
[plugins.'io.containerd.internal.v1.opt']
  path = '{folder}/opt'
"""


def cni(folder: Path, number: int) -> dict[str, Any]:
    """The network of the node's pods: a bridge with the node's range. Nobody masks addresses: nodes know each other's ranges."""
    pods = addresses.pod_range(number)
    addressing = {"type": "host-local", "ranges": [[{"subnet": pods}]], "routes": [{"dst": "0.0.0.0/0"}], "dataDir": f"{folder}/ipam"}
    bridge = {"type": "bridge", "bridge": "pods", "isGateway": True, "ipMasq": False, "hairpinMode": True, "ipam": addressing}
    return {"cniVersion": "1.0.0", "name": "pods", "plugins": [bridge]}


def kubelet(folder: Path, number: int, *, ca: Path, cgroup: str, taints: list[dict[str, str]]) -> dict[str, Any]:
    """The kubelet's KubeletConfiguration. A disk that is nearly full is no reason to evict here: it is the machine's, not the node's."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": addresses.node_address(number),
        "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": True}, "x509": {"clientCAFile": str(ca)}},
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": f"{folder}/kubelet.crt",
        "tlsPrivateKeyFile": f"{folder}/kubelet.key",
        "containerRuntimeEndpoint": f"unix://{SOCKET}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cgroup}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "clusterDomain": "cluster.local",
        "clusterDNS": [addresses.DNS_SERVER],
        "resolvConf": f"{folder}/resolv.conf",
        "makeIPTablesUtilChains": False,
        "volumePluginDir": f"{folder}/volume-plugins",
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "nodeStatusUpdateFrequency": "5s",
        "syncFrequency": "10s",
        "registerWithTaints": taints,
    }


def corefile(kubeconfig: Path) -> str:
    """CoreDNS's Corefile: names of the cluster's Services and pods, and no other."""
    return f""".:53 {{
  bind {addresses.DNS_SERVER}
  errors
  kubernetes cluster.local {{
    kubeconfig {kubeconfig}
    pods insecure
  }}
}}
"""
