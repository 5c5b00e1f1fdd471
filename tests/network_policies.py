"""What NetworkPolicies let through, by the rules of networking.k8s.io/v1: for tests on machines whose network enforces none.

A pod that no policy of a direction selects is open in that direction; else it lets through what any of those that select it allows.
Knows no named ports and no endPort; a label selector may have matchLabels and `matchExpressions` with In.
"""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Policy = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A pod, or with an empty namespace an address outside of the cluster."""

    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    ip: str = "10.1.2.3"


def connects(policies: Iterable[Policy], source: Peer, target: Peer, *, port: int = 29500, protocol: str = "TCP") -> bool:
    """Tell whether a connection gets out of its source and into its target."""
    policies = tuple(policies)
    out = _open(policies, "Egress", subject=source, other=target, port=(protocol, port))
    return out and _open(policies, "Ingress", subject=target, other=source, port=(protocol, port))


def _open(policies: Iterable[Policy], way: str, *, subject: Peer, other: Peer, port: tuple[str, int]) -> bool:
    if not subject.namespace:
        return True
    mine = [each["spec"] for each in policies if each["metadata"]["namespace"] == subject.namespace]
    mine = [spec for spec in mine if way in spec["policyTypes"] and _selects(spec["podSelector"], subject.labels)]
    rules = [rule for spec in mine for rule in spec.get(way.lower(), ())]
    peers = "from" if way == "Ingress" else "to"
    return not mine or any(_has_port(rule, port) and _has_peer(rule.get(peers), subject, other) for rule in rules)


def _has_port(rule: Mapping[str, Any], port: tuple[str, int]) -> bool:
    ports = rule.get("ports")
    return not ports or any((each.get("protocol", "TCP"), each.get("port", port[1])) == port for each in ports)


def _has_peer(peers: Iterable[Mapping[str, Any]] | None, subject: Peer, other: Peer) -> bool:
    return not peers or any(_is(peer, subject, other) for peer in peers)


def _is(peer: Mapping[str, Any], subject: Peer, other: Peer) -> bool:
    if "ipBlock" in peer:
        address, block = ipaddress.ip_address(other.ip), peer["ipBlock"]
        within = [address in ipaddress.ip_network(cidr) for cidr in (block["cidr"], *block.get("except", ()))]
        return within[0] and not any(within[1:])
    if not other.namespace:
        return False
    there = peer.get("namespaceSelector")
    named = {"kubernetes.io/metadata.name": other.namespace}
    at_place = other.namespace == subject.namespace if there is None else _selects(there, named)
    return at_place and _selects(peer.get("podSelector", {}), other.labels)


def _selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    plain = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    assert all(each["operator"] == "In" for each in selector.get("matchExpressions", ())), "not written here"
    return plain and all(labels.get(each["key"]) in each["values"] for each in selector.get("matchExpressions", ()))
