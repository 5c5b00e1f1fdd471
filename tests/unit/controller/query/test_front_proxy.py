"""The front proxy is believed by its certificate's name, and by nothing else."""

import ssl
from typing import Any

import pytest

from sampan.controller.query.front_proxy import Caller, FrontProxy, NotAuthenticated, server_context
from unit.kube.certs import authority, issue

PROXY = FrontProxy(frozenset({"front-proxy-client"}))
ALICE = {"X-Remote-User": "alice"}


def certificate(name: str) -> dict[str, Any]:
    """What `getpeercert` gives for a verified certificate of that common name."""
    return {"subject": ((("organizationName", "front-proxy-client"),), (("commonName", name),))}


def test_the_front_proxy_s_word_is_believed() -> None:
    assert PROXY.caller(ALICE, certificate("front-proxy-client")) == Caller("alice")


@pytest.mark.parametrize(
    ("headers", "shown", "allowed"),
    [
        (ALICE, None, PROXY),
        (ALICE, {}, PROXY),
        (ALICE, certificate("kubelet"), PROXY),
        (ALICE, certificate("front-proxy-client"), FrontProxy(frozenset())),
        ({}, certificate("front-proxy-client"), PROXY),
        ({"X-Remote-User": ""}, certificate("front-proxy-client"), PROXY),
    ],
    ids=["no certificate", "empty certificate", "another name", "no name allowed", "no user", "empty user"],
)
def test_nobody_else_s_is(headers: dict[str, str], shown: dict[str, Any] | None, allowed: FrontProxy) -> None:
    with pytest.raises(NotAuthenticated):
        allowed.caller(headers, shown)


@pytest.mark.parametrize("text", ["", "\n", "none", "-----BEGIN CERTIFICATE-----\n"])
def test_a_ca_that_is_none_is_an_error_of_its_kind(text: str) -> None:
    own = issue(authority(), name="sampan-query", hosts=["127.0.0.1"])
    with pytest.raises(ssl.SSLError):
        server_context(certificate=own.cert_pem, key=own.key_pem, client_ca=text)
