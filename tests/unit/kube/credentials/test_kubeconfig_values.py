"""Parts of a kubeconfig: what counts as not there, and what a slip is."""

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.kube.credentials.addresses import DEFAULT_POLICY
from sampan.kube.credentials.bounded_yaml import YamlMap
from sampan.kube.credentials.kubeconfig_faults import InvalidKubeconfig
from sampan.kube.credentials.kubeconfig_values import Part, authorities, identity, server, server_name

NOW = datetime.now(UTC)


def part(**values: object) -> Part:
    """A mapping whose keys stand on lines 1, 2, …"""
    mapping = YamlMap()
    for line, (key, value) in enumerate(values.items(), start=1):
        name = key.replace("_", "-")
        mapping[name] = value
        mapping.lines[name] = line
    return Part(where="clusters[0].cluster", values=mapping, known=frozenset({"server", "token"}))


def test_null_and_empty_are_not_there() -> None:
    given_part = part(a=None, b="", c=[], d={}, e="x")
    assert [given_part.get(key) for key in "abcdef"] == [None, None, None, None, "x", None]
    with pytest.raises(InvalidKubeconfig, match=r"clusters\[0\].cluster.a is not a string"):
        part(a=["x"]).text("a")


def test_a_slip_is_named_by_its_line_alone() -> None:
    assert part(server="x", canary="y").slip() == " (the key on line 2 is not known)"
    assert part(server="x").slip() == ""


@pytest.mark.parametrize(
    ("url", "want"),
    [
        ("https://a.example.com", ("a.example.com", 443, "")),
        ("https://a.example.com/k8s/clusters/c-m-1", ("a.example.com", 443, "/k8s/clusters/c-m-1")),
        ("https://a.example.com:8443/v1/projects/1/gkeMemberships/x@y:z/", ("a.example.com", 8443, "/v1/projects/1/gkeMemberships/x@y:z")),
        ("HTTPS://[2001:DB8::1]:6443/~a", ("2001:db8::1", 6443, "/~a")),
    ],
)
def test_servers(url: str, want: tuple[str, int, str]) -> None:
    assert server(part(server=url), DEFAULT_POLICY) == want


def test_a_server_name_is_a_name_or_an_address() -> None:
    assert server_name(part(tls_server_name="Kubernetes.Default.svc.")) == "kubernetes.default.svc"
    assert server_name(part(tls_server_name="10.96.0.1")) == "10.96.0.1"
    assert server_name(part(tls_server_name="")) is None
    for bad in ("a b", "a/b", "127.1", "a\n"):
        with pytest.raises(InvalidKubeconfig, match="tls-server-name"):
            server_name(part(tls_server_name=bad))


@given(st.text(max_size=60))
def test_a_server_is_taken_or_refused(url: str) -> None:
    try:
        host, port, path = server(part(server="https://" + url), DEFAULT_POLICY)
    except InvalidKubeconfig:
        return
    assert host
    assert 0 < port < 65536
    assert not path.endswith("/")
    assert ".." not in path.split("/")


@given(st.binary(max_size=200))
def test_data_is_taken_or_refused(raw: bytes) -> None:
    text = base64.b64encode(raw).decode()
    with pytest.raises(InvalidKubeconfig):
        authorities(part(certificate_authority_data=text), NOW)
    with pytest.raises(InvalidKubeconfig):
        identity(part(client_certificate_data=text, client_key_data=text), NOW)
