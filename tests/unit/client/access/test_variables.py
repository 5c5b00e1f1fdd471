"""A hub named by environment variables, as a CI system gives secrets to a step."""

import base64
from pathlib import Path

import pytest

from sampan.client import Client, KubeconfigError
from sampan.client.access.connection import client_for, configured
from sampan.client.access.target import Target
from sampan.client.access.variables import certificates, named

PEM = "-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----"
DATA = base64.b64encode(PEM.encode()).decode()
HUB = {"SAMPAN_HUB_SERVER": "https://hub.example:6443/path\n", "SAMPAN_HUB_TOKEN": "abc.def\n", "SAMPAN_HUB_NAMESPACE": "team-b"}


def test_without_a_server_no_hub_is_named() -> None:
    assert named({"SAMPAN_HUB_TOKEN": "x"}) is None
    assert named({"SAMPAN_HUB_SERVER": "  "}) is None


def test_server_token_and_namespace_are_read() -> None:
    found = named(HUB)
    assert found is not None
    assert (found.cluster, found.namespace) == ({"server": "https://hub.example:6443/path"}, "team-b")


@pytest.mark.parametrize("form", ["pem", "base64", "wrapped", "file", "file of base64"])
def test_the_ca_may_be_what_people_have(form: str, tmp_path: Path) -> None:
    file = tmp_path / "ca"
    file.write_text(DATA if form == "file of base64" else PEM + "\n")
    given = {"pem": f"\n{PEM}\n", "base64": DATA, "wrapped": DATA[:20] + "\n" + DATA[20:]}.get(form, str(file))
    assert base64.b64decode(certificates(given)).decode().strip() == PEM


@pytest.mark.parametrize("ca", ["/nowhere/ca.crt", "junk", base64.b64encode(b"no certificate").decode(), "x" * 5000, "\0"])
def test_a_ca_that_is_none_is_told(ca: str) -> None:
    with pytest.raises(KubeconfigError, match="SAMPAN_HUB_CA is neither a certificate nor a file that can be read; give PEM"):
        certificates(ca)


def test_a_file_that_names_itself_or_holds_nothing_is_no_ca(tmp_path: Path) -> None:
    empty, own = tmp_path / "empty", tmp_path / "own"
    empty.touch()
    own.write_text(str(own))
    for file in (empty, own):
        with pytest.raises(KubeconfigError):
            certificates(str(file))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"SAMPAN_HUB_SERVER": "http://hub.example"}, "SAMPAN_HUB_SERVER is no https:// URL; give the server's address"),
        ({"SAMPAN_HUB_SERVER": "hub.example:6443"}, "SAMPAN_HUB_SERVER is no https:// URL"),
        ({"SAMPAN_HUB_TOKEN": ""}, "SAMPAN_HUB_TOKEN is empty; give the ServiceAccount's token"),
    ],
)
def test_what_is_lacking_is_told_by_the_variable_s_name(change: dict[str, str], says: str) -> None:
    with pytest.raises(KubeconfigError, match=says) as told:
        named({**HUB, **change})
    assert "abc.def" not in str(told.value)


def test_they_count_before_a_kubeconfig_but_for_one_that_the_options_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(
        "current-context: a\ncontexts: [{name: a, context: {cluster: c, namespace: files}}]\n"
        "clusters: [{name: c, cluster: {server: 'https://other.example'}}]\n"
    )
    monkeypatch.setenv("KUBECONFIG", str(file))
    for variable, value in HUB.items():
        monkeypatch.setenv(variable, value)
    client, namespace = client_for(Target())
    assert (client.configuration.host, namespace) == ("https://hub.example:6443/path", "team-b")
    assert client.configuration.auth_settings()["BearerToken"]["value"] == "Bearer abc.def"
    client, namespace = client_for(Target(context="a"))
    assert (client.configuration.host, namespace) == ("https://other.example", "files")
    assert configured(Target())
    assert Client.from_environment().namespace == "team-b"
    assert Client.from_environment(namespace="other").namespace == "other"
    assert Client.from_kubeconfig().namespace == "files"
    assert Client.from_token("https://hub.example", "abc").namespace == "default"
