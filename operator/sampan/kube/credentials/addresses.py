"""Which addresses a credential may lead to.

Lives here: the policy, the check of literals in every spelling, the resolver that connects only to checked addresses.
Must never live here: TLS, HTTP, parsing of kubeconfigs.
"""

import asyncio
import ipaddress
import re
import socket
from dataclasses import dataclass
from typing import Any

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_LOOPBACK: tuple[Network, ...] = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
_EVERYWHERE: tuple[Network, ...] = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))
_NEVER_A_SERVER: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",  # this host
        "169.254.0.0/16",  # link-local: metadata services of most clouds
        "192.0.0.0/24",  # protocol assignments, Oracle's metadata
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
        "100.100.100.200/32",  # Alibaba's metadata
        "168.63.129.16/32",  # Azure's wire server
        "::/128",
        "fe80::/10",  # link-local
        "fec0::/10",  # site-local, deprecated
        "ff00::/8",  # multicast
        "fd00:ec2::/32",  # AWS's metadata, time and pod identity
        "fd20:ce::254/128",  # Google's metadata
        "fd00:42::42/128",  # Scaleway's metadata
        "fd00:c1::a9fe:a9fe/128",  # Oracle's metadata
    )
)
_ALLOWING = (0, 2)
"""Which of an AddressPolicy's ranks allow: everything, and the allowed networks."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_HOSTNAME = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)*")
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")


_NOT_ALLOWED = (
    "the address cannot be another cluster's, is the hub's own, or is one that its platform team denies: give one that the hub reaches "
    "from outside, or have them add its network to SAMPAN_ALLOWED_NETWORKS (operator.allowedNetworks of the chart)"
)
_LOOPBACK_ADDRESS = "a loopback address leads to the hub's own machine: give one of the member that the hub reaches"


class AddressNotAllowed(OSError):  # noqa: N818  (an OSError: a connection that fails)
    """The policy forbids this address; the message names no address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressPolicy:
    """What the platform team allows: by default any address that can be another machine's.

    The narrowest network that holds an address decides, be it of the built-in refusals, of ``own_networks`` (the hub's services), of
    ``allowed_networks`` or of ``denied_networks``; of equal ones a denied network beats an allowed one, and that beats the others.
    So 0.0.0.0/0 denied beside 203.0.113.0/24 allowed leaves that one, and 10.0.0.0/8 allowed does not open services at 10.96.0.0/12.
    """

    allow_loopback: bool = False
    denied_networks: tuple[Network, ...] = ()
    allowed_networks: tuple[Network, ...] = ()
    own_networks: tuple[Network, ...] = ()
    allowed_proxies: frozenset[str] = frozenset()
    """host:port of each HTTP proxy that a kubeconfig may name."""
    trusted: bool = False
    """Whoever gave the credential may lead us anywhere."""

    def allows(self, address: Address) -> bool:
        """Whether a connection to ``address``, and to every IPv4 address written inside it, may be opened."""
        return self.trusted or all(self._allows_one(each) for each in _spellings(address))

    def check_host(self, host: str) -> None:
        """Raise AddressNotAllowed where ``host`` is a literal, or a name of this machine, that may not be used.

        Other names are judged when they are resolved, by CheckedResolver.
        """
        name = host.lower()
        if not (self.allow_loopback or self.trusted) and (name == "localhost" or name.endswith(".localhost")):
            raise AddressNotAllowed("the name is of this machine: give one that the hub reaches")
        address = literal_address(host)
        if address is not None and not self.allows(address):
            raise AddressNotAllowed(_why_not(address))

    def allows_proxy(self, host: str, port: int) -> bool:
        """Whether a kubeconfig may lead us through this proxy."""
        return self.trusted or host_port(host, port) in self.allowed_proxies

    @property
    def _ranks(self) -> tuple[tuple[Network, ...], ...]:
        """Networks by what counts of equal ones: the later."""
        return _EVERYWHERE, _NEVER_A_SERVER + self.own_networks, self.allowed_networks, self.denied_networks

    def _allows_one(self, address: Address) -> bool:
        if _within(address, _LOOPBACK):
            return self.allow_loopback and not _within(address, self.denied_networks)
        said = [
            (network.prefixlen, rank) for rank, networks in enumerate(self._ranks) for network in networks if _within(address, (network,))
        ]
        return max(said)[1] in _ALLOWING


DEFAULT_POLICY = AddressPolicy()
"""For what strangers give: only addresses that can be another machine's."""

TRUSTED = AddressPolicy(trusted=True)
"""For credentials the operator was started with: the hub's own API server may be anywhere."""


def host_port(host: str, port: int) -> str:
    """``host:port`` as it is written, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def literal_address(host: str) -> Address | None:
    """The address that ``host`` spells, None for a name.

    Raises AddressNotAllowed for spellings that some resolvers read as an address (``0x7f000001``, ``127.1``, octal,
    zones) and ValueError for what is neither a name nor an address.
    """
    if ":" in host:
        if "%" in host:
            raise AddressNotAllowed("an address with a zone is of this machine only")
        return ipaddress.IPv6Address(host)
    name = host.lower()
    if len(name) > 253 or not _HOSTNAME.fullmatch(name):
        raise ValueError("not a host name")
    if not _NUMERIC_LABEL.fullmatch(name.rpartition(".")[2]):
        return None
    try:
        return ipaddress.IPv4Address(name)
    except ValueError:
        raise AddressNotAllowed("an IPv4 address must be four decimal numbers") from None


AddrInfo = tuple[int, int, int, str, tuple[Any, ...]]
"""Family, type, protocol, canonical name and socket address, as getaddrinfo gives them."""


class CheckedResolver:
    """Resolves a name once per connection and gives only addresses the policy allows: what was checked is what is used."""

    def __init__(self, policy: AddressPolicy) -> None:
        """Judge by ``policy``."""
        self._policy = policy

    async def resolve(self, host: str, port: int) -> list[AddrInfo]:
        """All addresses of ``host``; raises AddressNotAllowed if any of them is forbidden, OSError if there is none."""
        infos = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        if not infos:
            raise OSError("the name has no address")
        for info in infos:
            self._check(str(info[4][0]))
        return [(int(family), int(kind), protocol, name, address) for family, kind, protocol, name, address in infos]

    def _check(self, text: str) -> None:
        address = ipaddress.ip_address(text)
        if not self._policy.allows(address):
            raise AddressNotAllowed(f"of the name in server: {_why_not(address)}")


def _why_not(address: Address) -> str:
    """What to do about an address that is not allowed: no administrator's list of networks lets a loopback one be used."""
    return _LOOPBACK_ADDRESS if any(_within(each, _LOOPBACK) for each in _spellings(address)) else _NOT_ALLOWED


def _spellings(address: Address) -> list[Address]:
    """The address and the IPv4 addresses that IPv6 forms carry (mapped, compatible, 6to4, Teredo, NAT64)."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    found: list[Address] = [address]
    if address.sixtofour is not None:
        found.append(address.sixtofour)
    if address.teredo is not None:
        found.extend(address.teredo)
    if 1 < int(address) < 1 << 32:  # ::a.b.c.d, deprecated
        found.append(ipaddress.IPv4Address(int(address)))
    if address in _NAT64:
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return found


def _within(address: Address, networks: tuple[Network, ...]) -> bool:
    """Membership; an address of the other family is in no network."""
    return any(address.version == network.version and address in network for network in networks)
