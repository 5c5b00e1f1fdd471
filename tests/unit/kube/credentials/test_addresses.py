"""Credentials lead to other machines only, in whatever way an address is written."""

import asyncio
import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.kube.credentials.addresses import (
    DEFAULT_POLICY,
    TRUSTED,
    AddressNotAllowed,
    AddressPolicy,
    CheckedResolver,
    Network,
    literal_address,
)

FORBIDDEN = [
    "127.0.0.1", "127.255.0.9", "0.0.0.0", "169.254.169.254", "224.0.0.1", "255.255.255.255", "100.100.100.200", "168.63.129.16",
    "::1", "::", "fe80::1", "ff02::1", "fd00:ec2::254", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
    "64:ff9b::7f00:1", "2002:7f00:1::", "fe80::1%eth0", "localhost", "LOCALHOST", "a.localhost",
    "0x7f000001", "0x7f.1", "127.1", "2130706433", "0177.0.0.1", "127.0.0.01", "1.2.3", "1.2.3.4.5", "0x", "999.1.1.1",
]  # fmt: skip


@pytest.mark.parametrize("host", FORBIDDEN)
def test_refuses(host: str) -> None:
    with pytest.raises(AddressNotAllowed) as caught:
        DEFAULT_POLICY.check_host(host)
    assert host not in str(caught.value)


@pytest.mark.parametrize(
    "host", ["10.1.2.3", "192.168.7.7", "8.8.8.8", "2001:db8::1", "fd12:3456::1", "fd00::1", "api.example.com", "a1.b2", "host-1"]
)
def test_lets_others_pass(host: str) -> None:
    DEFAULT_POLICY.check_host(host)
    assert literal_address("api.example.com") is None


@pytest.mark.parametrize("host", ["a b", "-a", "a..b", "a_b\n", "é.example", "x" * 64 + ".com", "a/b", ":::", "1::2::3", ""])
def test_what_is_no_host_is_a_value_error(host: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (ipaddress words it)
        literal_address(host)


def test_loopback_only_when_allowed() -> None:
    policy = AddressPolicy(allow_loopback=True)
    for host in ("127.0.0.1", "::1", "localhost", "::ffff:127.0.0.1"):
        policy.check_host(host)
    with pytest.raises(AddressNotAllowed):
        policy.check_host("169.254.169.254")


@pytest.mark.parametrize(("host", "listed"), [("127.0.0.1", False), ("::1", False), ("::ffff:127.0.0.1", False), ("fe80::5", True)])
def test_networks_are_advised_only_where_listing_them_helps(host: str, listed: bool) -> None:
    anywhere = AddressPolicy(allowed_networks=networks("0.0.0.0/0", "::/0", "127.0.0.0/8", "fe80::/10"))
    with pytest.raises(AddressNotAllowed) as caught:
        DEFAULT_POLICY.check_host(host)
    assert ("SAMPAN_ALLOWED_NETWORKS" in str(caught.value)) == listed
    if listed:
        anywhere.check_host(host)
    else:
        with pytest.raises(AddressNotAllowed):
            anywhere.check_host(host)


def test_an_administrator_can_allow_and_deny() -> None:
    ula, services = ipaddress.ip_network("fd12::/16"), ipaddress.ip_network("10.96.0.0/12")
    policy = AddressPolicy(allowed_networks=(ula,), denied_networks=(services,))
    policy.check_host("fd12::5")
    policy.check_host("fd13::5")
    for host in ("10.96.0.1", "::ffff:10.96.0.1"):
        with pytest.raises(AddressNotAllowed):
            policy.check_host(host)
    TRUSTED.check_host("fd13::5")
    TRUSTED.check_host("127.0.0.1")
    TRUSTED.check_host("localhost")


def networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


NARROWEST = [
    ("the hub's services are denied by themselves", AddressPolicy(own_networks=networks("10.96.0.0/12", "fd12::/108")),
     {"10.96.0.1": False, "10.111.255.255": False, "10.112.0.1": True, "fd12::1": False, "64:ff9b::a60:1": False}),
    ("a wider allowed network opens neither them nor metadata",
     AddressPolicy(own_networks=networks("10.96.0.0/12"), allowed_networks=networks("10.0.0.0/8", "0.0.0.0/0")),
     {"10.96.0.1": False, "10.1.2.3": True, "169.254.169.254": False}),
    ("a part of them that is not used may be allowed",
     AddressPolicy(own_networks=networks("10.96.0.0/12"), allowed_networks=networks("10.100.0.0/16")),
     {"10.100.0.1": True, "10.96.0.1": False}),
    ("everything denied but one network",
     AddressPolicy(denied_networks=networks("0.0.0.0/0", "::/0"), allowed_networks=networks("203.0.113.0/24")),
     {"203.0.113.9": True, "198.51.100.1": False, "2001:db8::1": False, "::ffff:203.0.113.9": True}),
    ("of equal networks the denied one counts",
     AddressPolicy(denied_networks=networks("203.0.113.0/24"), allowed_networks=networks("203.0.113.0/24")), {"203.0.113.9": False}),
    ("loopback may be denied where it is allowed", AddressPolicy(allow_loopback=True, denied_networks=networks("127.0.0.2/32")),
     {"127.0.0.1": True, "127.0.0.2": False}),
]  # fmt: skip


@pytest.mark.parametrize(("policy", "want"), [pytest.param(policy, want, id=name) for name, policy, want in NARROWEST])
def test_the_narrowest_network_decides(policy: AddressPolicy, want: dict[str, bool]) -> None:
    assert {text: policy.allows(ipaddress.ip_address(text)) for text in want} == want


V4 = st.tuples(st.integers(0, 2**32 - 1), st.integers(4, 32)).map(lambda pair: ipaddress.ip_network(pair, strict=False))


@given(st.lists(V4, max_size=4), st.lists(V4, max_size=4), st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address))
def test_a_decision_holds_for_each_way_to_write_an_address(
    allowed: list[Network], denied: list[Network], address: ipaddress.IPv4Address
) -> None:
    policy = AddressPolicy(allowed_networks=tuple(allowed), denied_networks=tuple(denied))
    plain = policy.allows(address)
    assert policy.allows(ipaddress.IPv6Address(f"::ffff:{address}")) == plain
    assert policy.allows(ipaddress.IPv6Address(f"64:ff9b::{address}")) == plain
    assert AddressPolicy(allowed_networks=tuple(reversed(allowed)), denied_networks=tuple(denied)).allows(address) == plain
    if not plain:
        return
    assert not AddressPolicy(denied_networks=(*denied, ipaddress.ip_network(address))).allows(address)


def test_proxies_are_named_by_host_and_port() -> None:
    policy = AddressPolicy(allowed_proxies=frozenset({"proxy.example.com:3128", "[2001:db8::1]:80"}))
    assert policy.allows_proxy("proxy.example.com", 3128)
    assert policy.allows_proxy("2001:db8::1", 80)
    assert not policy.allows_proxy("proxy.example.com", 80)
    assert not DEFAULT_POLICY.allows_proxy("proxy.example.com", 3128)
    assert TRUSTED.allows_proxy("127.0.0.1", 1)


def _answers(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    async def getaddrinfo(*_: object, **__: object) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        return [(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize("answer", ["127.0.0.1", "169.254.169.254", "::1", "::ffff:169.254.169.254", "fd00:ec2::254"])
async def test_a_name_that_resolves_to_a_forbidden_address_is_refused(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    _answers(monkeypatch, "8.8.8.8", answer)
    with pytest.raises(AddressNotAllowed):
        await CheckedResolver(DEFAULT_POLICY).resolve("api.example.com", 443)


async def test_gives_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    _answers(monkeypatch, "8.8.8.8")
    (result,) = await CheckedResolver(DEFAULT_POLICY).resolve("api.example.com", 443)
    assert result == (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 443))


async def test_no_address_is_an_os_error(monkeypatch: pytest.MonkeyPatch) -> None:
    _answers(monkeypatch)
    with pytest.raises(OSError, match="no address"):
        await CheckedResolver(DEFAULT_POLICY).resolve("api.example.com", 443)
