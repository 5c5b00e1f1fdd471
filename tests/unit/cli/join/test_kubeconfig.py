"""From the provider's own context to the kubeconfig that the hub gets."""

from pathlib import Path
from typing import Any

import pytest

from sampan.cli.join.kubeconfig import Address, address_of, credentials_of
from sampan.cli.lib.errors import CliError
from sampan.client.access.kubeconfig import Context
from unit.kube.certs import authority, b64

CA = b64(authority().cert_pem)


def context(**cluster: Any) -> Context:
    return Context(name="mine", cluster={"server": "https://203.0.113.7:6443", **cluster}, user={}, namespace="")


def made(of: Context, *, server: str | None = None, authority: Path | None = None) -> tuple[Address, list[str]]:
    return address_of(of, server=server, authority=authority)


def test_data_goes_before_a_file_and_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "ca.crt"
    file.write_text(authority().cert_pem)
    for given in (context(**{"certificate-authority": str(file)}), context(**{"certificate-authority-data": CA})):
        address, notes = made(given)
        assert (address.ca, notes) == (CA, [])
    assert made(context(**{"certificate-authority-data": "eA=="}), authority=file)[0].ca == CA


def test_what_the_hub_gets_is_what_it_reads() -> None:
    address, _ = made(context(**{"certificate-authority-data": CA, "tls-server-name": "kubernetes"}))
    got = credentials_of(address.text(token="a.b.c", namespace="jobs"))
    assert (got.server, got.server_name, got.ca_pem) == ("https://203.0.113.7:6443", "kubernetes", authority().cert_pem)
    assert got.token is not None
    assert got.token.reveal() == "a.b.c"


def test_a_public_certificate_needs_no_ca() -> None:
    address, _ = made(context(server="https://rancher.example.com/k8s/clusters/c-m-1"))
    assert credentials_of(address.text(token="a", namespace="jobs")).ca_pem is None


def test_the_hubs_own_way_is_an_option() -> None:
    given = context(server="https://127.0.0.1:6443", **{"certificate-authority-data": CA, "tls-server-name": "x"})
    address, notes = made(given, server="https://gpu.example.com:6443")
    assert (address.server, address.server_name, address.ca, notes) == ("https://gpu.example.com:6443", "", CA, [])


@pytest.mark.parametrize("server", ["https://127.0.0.1:6443", "https://[::1]:6443", "https://localhost:6443", "https://0.0.0.0"])
def test_an_address_of_ones_own_machine_is_noted(server: str) -> None:
    (note,) = made(context(server=server))[1]
    assert "give --server" in note


def test_a_proxy_is_not_passed_on() -> None:
    address, (note,) = made(context(**{"certificate-authority-data": CA, "proxy-url": "http://10.0.0.1:3128"}))
    assert "proxy-url" in note
    assert "proxy" not in address.text(token="a", namespace="jobs")


def test_a_server_that_is_not_verified_needs_a_ca(tmp_path: Path) -> None:
    with pytest.raises(CliError, match="give --certificate-authority FILE"):
        made(context(**{"insecure-skip-tls-verify": True}))
    file = tmp_path / "ca.crt"
    file.write_text(authority().cert_pem)
    assert made(context(**{"insecure-skip-tls-verify": True}), authority=file)[0].ca == CA


@pytest.mark.parametrize("server", ["http://203.0.113.7:8080", "203.0.113.7:6443", ""])
def test_what_the_hub_would_refuse_is_refused_here(server: str) -> None:
    address, _ = made(context(server=server, **{"certificate-authority-data": CA}))
    with pytest.raises(CliError, match="the hub would refuse this kubeconfig") as caught:
        credentials_of(address.text(token="a", namespace="jobs"))
    assert caught.value.exit_code == 2
