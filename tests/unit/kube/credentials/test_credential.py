"""Credentials as a value."""

from dataclasses import replace

import pytest

from sampan.kube.credentials.credential import Credentials
from sampan.kube.credentials.secret import Secret

TOKEN = Credentials(host="api.example.com", port=6443, ca_pem="CA", token=Secret("canary-token"))
PAIR = Credentials(host="::1", port=443, ca_pem="CA", client_certificate="CERT", client_key=Secret("canary-key"))


def test_shows_no_secret() -> None:
    assert "canary" not in f"{TOKEN!r} {PAIR!r} {TOKEN.fingerprint}"


def test_server_is_a_url() -> None:
    assert TOKEN.server == "https://api.example.com:6443"
    assert PAIR.server == "https://[::1]:443"
    assert replace(PAIR, path="/k8s/clusters/c-1").server == "https://[::1]:443/k8s/clusters/c-1"


@pytest.mark.parametrize(
    "change",
    [
        {"host": "b"},
        {"port": 1},
        {"ca_pem": "CB"},
        {"token": Secret("other")},
        {"path": "/k8s"},
        {"server_name": ""},
        {"client_certificate": "x"},
    ],
)
def test_any_change_changes_the_fingerprint(change: dict[str, object]) -> None:
    assert replace(TOKEN, **change).fingerprint != TOKEN.fingerprint  # type: ignore[arg-type]
    assert replace(TOKEN).fingerprint == TOKEN.fingerprint


def test_parts_cannot_run_into_each_other() -> None:
    one = Credentials(host="h", port=1, ca_pem="ab", token=Secret("c"))
    assert one.fingerprint != replace(one, ca_pem="a", token=Secret("bc")).fingerprint


def test_a_new_token_leads_to_the_same_server() -> None:
    assert replace(TOKEN, token=Secret("new")).endpoint == TOKEN.endpoint
    for change in ({"ca_pem": "CB"}, {"path": "/k8s"}, {"server_name": "other"}):
        assert replace(TOKEN, **change).endpoint != TOKEN.endpoint  # type: ignore[arg-type]
