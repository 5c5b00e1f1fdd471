"""What kwokctl is told about one control plane: its ports, programs, flags and kwok's stages. Pure but for the stages' files.

Never here: running anything.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from sampan.local.binaries import KUBERNETES_VERSION, Binaries
from sampan.local.nodes import addresses

_API_VERSION: Final = "config.kwok.x-k8s.io/v1alpha1"
_STAGES: Final = Path(__file__).parents[1] / "stages"
# Many pods start and end at once in a burst; the defaults of 4 would serialise them.
_SPEED: Final = {
    "cidr": "10.240.0.1/12",
    "podPlayStageParallelism": 16,
    "nodePlayStageParallelism": 8,
    "podsOnNodeSyncParallelism": 8,
    "nodeLeaseParallelism": 8,
}


def configuration(
    binaries: Binaries, *, ports: Sequence[int], components: Sequence[str], api_flags: Sequence[tuple[str, str]]
) -> list[dict[str, Any]]:
    """Return the documents of kwokctl's configuration file; `ports` are six."""
    etcd_peer, etcd, api, manager, scheduler, kwok = ports
    options = {
        "runtime": "binary",
        "kubeVersion": KUBERNETES_VERSION,
        "bindAddress": "127.0.0.1",
        "disableQPSLimits": True,
        "components": list(components),
        "heartbeatFactor": 1,  # kwokctl's default of 5 makes a lost node a matter of minutes
        "etcdPeerPort": etcd_peer,
        "etcdPort": etcd,
        "kubeApiserverPort": api,
        "kubeControllerManagerPort": manager,
        "kubeSchedulerPort": scheduler,
        "kwokControllerPort": kwok,
        "etcdBinary": binaries["etcd"],
        "kubeApiserverBinary": binaries["kube-apiserver"],
        "kubeControllerManagerBinary": binaries["kube-controller-manager"],
        "kubeSchedulerBinary": binaries["kube-scheduler"],
        "kwokControllerBinary": binaries["kwok"],
        "kubectlBinary": binaries["kubectl"],
        # As pods on real nodes reach it: those of its own, and those of the hub.
        "kubeApiserverCertSANs": [addresses.API_SERVER, addresses.SWITCH],
    }
    return [
        {"apiVersion": _API_VERSION, "kind": "KwokctlConfiguration", "options": options, "componentsPatches": _patches(api_flags)},
        {"apiVersion": _API_VERSION, "kind": "KwokConfiguration", "options": _SPEED},
        *(stage for file in sorted(_STAGES.glob("*.yaml")) for stage in yaml.safe_load_all(file.read_text())),
    ]


def _patches(api_flags: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return extra flags by component."""
    extra = {
        # A federation on one machine is for trying out: its data outlives its processes, but not a power cut of the machine.
        "etcd": {"unsafe-no-fsync": "true"},
        "kube-apiserver": dict(api_flags),
        "kube-controller-manager": {"leader-elect": "false", "concurrent-job-syncs": "20"},
        "kube-scheduler": {"leader-elect": "false"},
    }
    listed = {component: [{"key": key, "value": value} for key, value in flags.items()] for component, flags in extra.items()}
    return [{"name": component, "extraArgs": arguments} for component, arguments in listed.items()]
