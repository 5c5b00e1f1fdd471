"""Pure: what a control plane is told so that it can have real nodes. Never here: running it."""

from pathlib import Path
from typing import Any, Final

from sampan.local.nodes import addresses

REAL_LABEL: Final = "local.sampan.dev/real"
"""On nodes with a kubelet: kwok leaves them alone."""


def api_server_flags(home: Path, egress: Path) -> tuple[tuple[str, str], ...]:
    """Flags by which the API server reaches kubelets, webhooks and aggregated APIs through the proxy on the socket; `home`: kwokctl's."""
    return (
        ("service-cluster-ip-range", addresses.SERVICES),
        ("advertise-address", addresses.SWITCH),
        ("egress-selector-config-file", str(egress)),
        ("enable-aggregator-routing", "true"),
        ("kubelet-client-certificate", str(home / "pki" / "admin.crt")),
        ("kubelet-client-key", str(home / "pki" / "admin.key")),
        ("kubelet-certificate-authority", str(home / "pki" / "ca.crt")),
        ("kubelet-preferred-address-types", "InternalIP"),
    )


def egress_selection(socket: Path) -> dict[str, Any]:
    """The EgressSelectorConfiguration: everything inside the cluster by HTTP CONNECT on the socket."""
    connection = {"proxyProtocol": "HTTPConnect", "transport": {"uds": {"udsName": str(socket)}}}
    return {
        "apiVersion": "apiserver.k8s.io/v1beta1",
        "kind": "EgressSelectorConfiguration",
        "egressSelections": [{"name": "cluster", "connection": connection}],
    }


def leave_room(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return kwokctl's documents with a kwok that leaves real nodes alone."""
    told, *others = documents
    selector = {"key": "manage-nodes-with-label-selector", "value": f"!{REAL_LABEL}"}
    all_nodes = {"key": "manage-all-nodes", "value": "false", "override": True}  # kwokctl says true, and a selector is nothing beside that
    kwok = {"name": "kwok-controller", "extraArgs": [all_nodes, selector]}
    return [{**told, "componentsPatches": [*told["componentsPatches"], kwok]}, *others]
