"""The hub's own service addresses, which no member may be at: whoever is sent there would speak to the hub's inside.

Read once at the start. What is done with them is the address policy's.
"""

import ipaddress
import logging
from typing import Final

import msgspec

from sampan.kube.credentials.addresses import Address, AddressNotAllowed, Network, literal_address
from sampan.kube.credentials.hub import InCluster, Source
from sampan.kube.errors import KubeError
from sampan.kube.transport.client import Client
from sampan.kube.transport.paths import resource_path
from sampan.kube.watch.listing import Bounds, Collection, list_all

log = logging.getLogger(__name__)

_CIDRS: Final = resource_path("networking.k8s.io/v1", "servicecidrs")


class _Spec(msgspec.Struct):
    cidrs: list[str] = []


class ServiceCIDR(msgspec.Struct):
    """The one field that is read of a ServiceCIDR."""

    spec: _Spec = msgspec.field(default_factory=_Spec)


async def service_networks(client: Client, source: Source) -> tuple[Network, ...]:
    """Return the hub's service ranges; where it tells none (before Kubernetes 1.33), the API server's own service address alone."""
    try:
        found = (await list_all(client, Collection(path=_CIDRS, into=ServiceCIDR), Bounds())).items
    except KubeError as error:
        log.warning("hub.service_networks_unknown", extra={"reason": f"{error.reason}: {_WAY_OUT}"})
        return _of_source(source)
    return tuple(sorted({ipaddress.ip_network(text) for each in found for text in each.spec.cidrs}, key=str))


_WAY_OUT: Final = "servicecidrs.networking.k8s.io cannot be listed; give the hub's service range in SAMPAN_DENIED_NETWORKS"


def _of_source(source: Source) -> tuple[Network, ...]:
    """The address of Service kubernetes, by which a pod reaches its API server."""
    address = _literal(source.host) if isinstance(source, InCluster) else None
    return () if address is None else (ipaddress.ip_network(address),)


def _literal(host: str) -> Address | None:
    try:
        return literal_address(host)
    except (AddressNotAllowed, ValueError):
        return None
