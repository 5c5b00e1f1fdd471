"""The Leases of simulated nodes, which a kwok that was started again must take before its nodes do anything. Never here: processes."""

import time
from typing import Any

from sampan.local.nodes.control_plane import REAL_LABEL
from sampan.local.patience import PATIENCE
from sampan.local.processes.kubectl import Kubectl


def release(kubectl: Kubectl) -> bool:
    """Take the nodes' Leases from the kwok that is gone: the new one would wait 40 s for them to end. Lost nodes stay lost.

    kwok reads a node's pods when it takes the Lease, and passes over them while its own copy of the Lease lags behind; so each pod
    that has not ended is shown to it once more when all Leases are taken. Returns False where they are not taken in time.
    """
    held = {lease["metadata"]["name"] for lease in _leases(kubectl)}
    if not held:
        return True
    kubectl.run("delete", "leases", "-n", "kube-node-lease", *sorted(held))
    deadline = time.monotonic() + PATIENCE
    while held - {lease["metadata"]["name"] for lease in _leases(kubectl)}:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.3)
    unfinished = ("--field-selector", "status.phase!=Succeeded,status.phase!=Failed")
    kubectl.run("annotate", "pods", "-A", *unfinished, "--overwrite", f"local.sampan.dev/started={time.time_ns()}")
    return True


def _leases(kubectl: Kubectl) -> list[dict[str, Any]]:
    """Return the Leases of simulated nodes that are not lost."""
    real = {node["metadata"]["name"] for node in kubectl.get("nodes", "-l", REAL_LABEL)["items"]}
    leases = kubectl.get("leases", "-n", "kube-node-lease")["items"]
    return [each for each in leases if each["spec"].get("holderIdentity") != "lost" and each["metadata"]["name"] not in real]
