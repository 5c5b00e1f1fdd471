"""Credentials lead to other machines only, in whatever way an address is written."""

import asyncio
import ipaddress
import socket

import pytest

from sampan.kube.credentials.addresses import DEFAULT_POLICY, TRUSTED, AddressNotAllowed, AddressPolicy, CheckedResolver, literal_address

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


@pytest.mark.parametrize("host", ["10.1.2.3", "192.168.7.7", "8.8.8.8", "2001:db8::1", "api.example.com", "a1.b2", "host-1"])
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


@pytest.mark.parametrize(("host", "listed"), [("127.0.0.1", False), ("::1", False), ("::ffff:127.0.0.1", False), ("fd12::5", True)])
def test_networks_are_advised_only_where_listing_them_helps(host: str, listed: bool) -> None:
    anywhere = AddressPolicy(allowed_networks=(ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")))
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
    for host in ("10.96.0.1", "::ffff:10.96.0.1", "fd13::5"):
        with pytest.raises(AddressNotAllowed):
            policy.check_host(host)
    TRUSTED.check_host("fd13::5")
    TRUSTED.check_host("127.0.0.1")


def _answers(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    async def getaddrinfo(*_: object, **__: object) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        return [(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize("answer", ["127.0.0.1", "169.254.169.254", "::1", "::ffff:169.254.169.254", "fd00::1"])
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
