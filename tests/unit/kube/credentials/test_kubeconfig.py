"""Every row K1 to K27 of the catalogue of bad kubeconfigs has its code, and no message has a value."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.kube.credentials.addresses import DEFAULT_POLICY, AddressPolicy
from sampan.kube.credentials.codes import Code
from sampan.kube.credentials.credential import Credentials
from sampan.kube.credentials.kubeconfig import InvalidKubeconfig, parse
from sampan.kube.credentials.secret import Secret
from sampan.kube.transport.tls import tls_context
from unit.kube.certs import authority, b64, issue, kubeconfig, rsa_key
from unit.kube.provider_kubeconfigs import JWT, TAKEN, text

CLIENT = issue(authority(), name="client")
WEAK = issue(authority(), key=rsa_key(1024))
OTHER = issue(authority())


def pair(certificate: str, key: str) -> str:
    """User lines with a client certificate."""
    return f"    client-certificate-data: {b64(certificate)}\n    client-key-data: {b64(key)}"


def user(line: str) -> str:
    """A kubeconfig whose user has one more line."""
    return kubeconfig(user=f"    token: abc\n    {line}")


def cluster(line: str) -> str:
    """A kubeconfig whose cluster has one more line."""
    return kubeconfig(cluster=f"    {line}")


def server(url: str) -> str:
    """A kubeconfig with that server."""
    return kubeconfig(server=json.dumps(url))


GOOD = kubeconfig()
REFUSED: list[tuple[str, str | bytes, Code]] = [
    ("K1 not UTF-8", GOOD.encode() + b"# \xff", Code.NOT_UTF8),
    ("K1 UTF-16", GOOD.encode("utf-16"), Code.NOT_UTF8),
    ("K2 anchor", GOOD.replace("name: u\n", "name: &x u\n"), Code.ANCHORS),
    ("K2 bomb", "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]", Code.ANCHORS),
    ("K2 tag", GOOD.replace("kind: Config", "kind: !!python/name:os.system Config"), Code.TAGS),
    ("K2 nested", "[" * 5000, Code.TOO_DEEP),
    ("K2 duplicate key", GOOD + "kind: Config\n", Code.DUPLICATE_KEY),
    ("K2 two documents", GOOD + "---\nkind: Config\n", Code.SEVERAL_DOCUMENTS),
    ("K2 not YAML", "a: [", Code.NOT_YAML),
    ("K3 too large", GOOD + "#" * 65536, Code.TOO_LARGE),
    ("K4 list", "- a\n- b\n", Code.NOT_A_MAPPING),
    ("K4 empty", "", Code.NOT_A_MAPPING),
    ("K4 text", "hello", Code.NOT_A_MAPPING),
    ("K4 users a mapping", GOOD.replace("users:\n- name: u", "users:\n  name: u"), Code.WRONG_TYPE),
    ("K4 token a list", kubeconfig(user="    token: [a]"), Code.WRONG_TYPE),
    ("K4 kind", GOOD.replace("kind: Config", "kind: Secret"), Code.WRONG_TYPE),
    ("K5 exec", kubeconfig(user="    exec: {command: touch, args: [/tmp/canary], apiVersion: client.authentication.k8s.io/v1}"), Code.EXEC),
    ("K5 exec beside half a pair", kubeconfig(user="    client-key-data: eA==\n    exec: {command: touch}"), Code.EXEC),
    ("K6 auth-provider", user("auth-provider: {name: gcp}"), Code.AUTH_PROVIDER),
    ("K7 tokenFile", user("tokenFile: /proc/self/environ"), Code.TOKEN_FILE),
    ("K8 CA path", GOOD.replace("certificate-authority-data:", "certificate-authority: /etc/passwd #"), Code.FILE_PATH),
    ("K9 certificate path", user("client-certificate: /etc/passwd"), Code.FILE_PATH),
    ("K9 key path", user("client-key: /etc/passwd"), Code.FILE_PATH),
    ("K10 insecure", cluster("insecure-skip-tls-verify: true"), Code.INSECURE),
    ("K10 insecure, YAML 1.1 spelling", cluster("insecure-skip-tls-verify: yes"), Code.INSECURE),
    ("K11 no CA by a slip", GOOD.replace("certificate-authority-data", "certificateAuthorityData"), Code.NO_CA),
    ("K11 CA not base64", kubeconfig().replace(b64(authority().cert_pem), "'***'"), Code.INVALID_BASE64),
    ("K11 CA not PEM", kubeconfig().replace(b64(authority().cert_pem), b64("hello")), Code.INVALID_CERTIFICATE),
    ("K12 http", server("http://api.example.com"), Code.NOT_HTTPS),
    ("K12 no scheme", server("api.example.com:6443"), Code.NOT_HTTPS),
    ("K12 empty", server(""), Code.NOT_HTTPS),
    ("K12 file", server("file:///etc/passwd"), Code.NOT_HTTPS),
    ("K13 user", server("https://u:p@api.example.com"), Code.SERVER_URL),
    ("K13 query", server("https://api.example.com?x=1"), Code.SERVER_URL),
    ("K13 fragment", server("https://api.example.com#x"), Code.SERVER_URL),
    ("K13 path that climbs", server("https://api.example.com/k8s/../x"), Code.SERVER_URL),
    ("K13 path in a code", server("https://api.example.com/k8s%2f.."), Code.SERVER_URL),
    ("K13 path with a gap", server("https://api.example.com/k8s//x"), Code.SERVER_URL),
    ("K13 percent", server("https://%31%32%37.0.0.1"), Code.SERVER_URL),
    ("K13 backslash", server("https://api.example.com\\@evil"), Code.SERVER_URL),
    ("K13 newline", server("https://api.example.com\n"), Code.SERVER_URL),
    ("K13 port", server("https://api.example.com:99999"), Code.SERVER_URL),
    ("K13 full-width digits", server("https://\uff11\uff12\uff17.0.0.1"), Code.SERVER_URL),
    ("K14 loopback", server("https://127.0.0.1:6443"), Code.ADDRESS),
    ("K14 localhost", server("https://LocalHost:6443"), Code.ADDRESS),
    ("K14 metadata", server("https://169.254.169.254"), Code.ADDRESS),
    ("K14 metadata by IPv6", server("https://[fd00:ec2::254]"), Code.ADDRESS),
    ("K14 hex", server("https://0x7f000001"), Code.ADDRESS),
    ("K14 short", server("https://127.1"), Code.ADDRESS),
    ("K14 decimal", server("https://2130706433"), Code.ADDRESS),
    ("K14 mapped", server("https://[::ffff:127.0.0.1]"), Code.ADDRESS),
    ("K14 unspecified", server("https://0.0.0.0"), Code.ADDRESS),
    ("K14 not an address", server("https://[:::]"), Code.SERVER_URL),
    ("K16 proxy", cluster("proxy-url: http://evil.example.com"), Code.PROXY),
    ("K18 username", user("username: a"), Code.BASIC_AUTH),
    ("K18 password", user("password: canary"), Code.BASIC_AUTH),
    ("K19 as", user("as: root"), Code.IMPERSONATION),
    ("K19 as-groups", user("as-groups: ['system:masters']"), Code.IMPERSONATION),
    ("K19 as-uid", user("as-uid: x"), Code.IMPERSONATION),
    ("K19 as-user-extra", user("as-user-extra: {a: [b]}"), Code.IMPERSONATION),
    ("K20 no current-context", GOOD.replace("current-context: main\n", ""), Code.NO_CONTEXT),
    ("K20 unknown context", GOOD.replace("current-context: main", "current-context: canary"), Code.CONTEXT_NOT_FOUND),
    ("K20 unknown user", GOOD.replace("    user: u", "    user: canary"), Code.USER_NOT_FOUND),
    ("K20 unknown cluster", GOOD.replace("    cluster: c", "    cluster: canary"), Code.CLUSTER_NOT_FOUND),
    ("K20 two of one name", GOOD + "- name: u\n  user: {token: b}\n", Code.DUPLICATE_NAME),
    ("K22 key of another certificate", kubeconfig(user=pair(CLIENT.cert_pem, OTHER.key_pem)), Code.KEY_MISMATCH),
    ("K22 RSA 1024", kubeconfig(user=pair(WEAK.cert_pem, WEAK.key_pem)), Code.WEAK_KEY),
    ("K22 no key", kubeconfig(user=f"    client-certificate-data: {b64(CLIENT.cert_pem)}"), Code.NO_CREDENTIALS),
    ("K22 not a key", kubeconfig(user=pair(CLIENT.cert_pem, "canary")), Code.INVALID_KEY),
    ("K22 not a certificate", kubeconfig(user=pair("canary", CLIENT.key_pem)), Code.INVALID_CERTIFICATE),
    ("K22 no certificate", kubeconfig(user=f"    client-key-data: {b64(CLIENT.key_pem)}"), Code.NO_CREDENTIALS),
    ("K22 nothing", kubeconfig(user="    token:"), Code.NO_CREDENTIALS),
    ("K23 newline", kubeconfig(user='    token: "canary\\r\\nX-Evil: 1"'), Code.INVALID_TOKEN),
    ("K23 two words", kubeconfig(user='    token: "canary canary"'), Code.INVALID_TOKEN),
    ("K23 base64 of a token", kubeconfig(user="    token: " + b64(JWT)), Code.INVALID_TOKEN),
    ("K23 control", kubeconfig(user='    token: "canary\\x01"'), Code.INVALID_TOKEN),
    ("K23 not ASCII", kubeconfig(user='    token: "canaré"'), Code.INVALID_TOKEN),
    ("K23 empty", kubeconfig(user='    token: ""'), Code.NO_CREDENTIALS),
    ("K23 long", kubeconfig(user="    token: " + "a" * 20_000), Code.INVALID_TOKEN),
    ("redacted CA", kubeconfig().replace(b64(authority().cert_pem), "DATA+OMITTED"), Code.REDACTED),
    ("redacted token", kubeconfig(user="    token: REDACTED"), Code.REDACTED),
    ("certificate server name", cluster("tls-server-name: https://canary"), Code.SERVER_NAME),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "want"), [pytest.param(raw, want, id=name) for name, raw, want in REFUSED])
def test_refuses(raw: str | bytes, want: Code) -> None:
    with pytest.raises(InvalidKubeconfig) as caught:
        parse(raw if isinstance(raw, bytes) else raw.encode(), policy=DEFAULT_POLICY)
    assert caught.value.code is want
    assert "canary" not in str(caught.value)
    assert "evil" not in str(caught.value)
    assert len(str(caught.value)) < 320
    assert caught.value.__cause__ is None


def test_every_code_is_reached() -> None:
    assert {want for _, _, want in REFUSED} | {Code.EXPIRED, Code.NOT_YET_VALID} == set(Code)


def test_k22_dates() -> None:
    raw = kubeconfig(user=pair(CLIENT.cert_pem, CLIENT.key_pem)).replace(
        b64(authority().cert_pem), b64(issue(None, ca=True, days=99).cert_pem)
    )
    for shift, want in ((5, Code.EXPIRED), (-5, Code.NOT_YET_VALID)):
        with pytest.raises(InvalidKubeconfig) as caught:
            parse(raw.encode(), policy=DEFAULT_POLICY, now=datetime.now(UTC) + timedelta(days=shift))
        assert caught.value.code is want
    with pytest.raises(InvalidKubeconfig) as caught:
        parse(GOOD.encode(), policy=DEFAULT_POLICY, now=datetime.now(UTC) + timedelta(days=5))
    assert caught.value.code is Code.EXPIRED


def test_takes_a_token() -> None:
    got = parse(GOOD.encode(), policy=DEFAULT_POLICY)
    assert (got.host, got.port, got.path, got.server_name) == ("api.example.com", 6443, "", None)
    assert got.token is not None
    assert got.token.reveal() == "abc.def-123"
    assert got.ca_pem == authority().cert_pem


def test_takes_a_client_certificate_and_json() -> None:
    config = {
        "kind": "Config",
        "preferences": {},
        "current-context": "x",
        "clusters": [{"name": "c", "cluster": {"server": "https://10.0.0.1/", "certificate-authority-data": b64(authority().cert_pem)}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {"client-certificate-data": b64(CLIENT.cert_pem), "client-key-data": b64(CLIENT.key_pem)}}],
    }
    got = parse(json.dumps(config).encode(), policy=DEFAULT_POLICY)
    assert (got.server, got.token) == ("https://10.0.0.1:443", None)
    assert got.client_key is not None
    assert got.client_key.reveal() == CLIENT.key_pem


def test_k21_only_the_current_context_counts() -> None:
    raw = GOOD + "- name: other\n  user: {token: 'not a token'}\n"
    assert parse(raw.encode(), policy=DEFAULT_POLICY).token is not None


@pytest.mark.parametrize("document", [pytest.param(document, id=name) for name, document in TAKEN.items()])
def test_takes_what_tools_hand_out(document: dict[str, Any] | str | bytes) -> None:
    got = parse(text(document), policy=DEFAULT_POLICY)
    assert got.token is not None or got.client_key is not None
    tls_context(got)  # OpenSSL takes it too


def test_reads_what_the_shapes_say() -> None:
    rancher = parse(text(TAKEN["Rancher"]), policy=DEFAULT_POLICY)
    assert rancher.server == "https://rancher.example.com:443/k8s/clusters/c-abc12"
    assert rancher.token == Secret("kubeconfig-user-x1y2z:q8w7e6r5t4")
    assert parse(text(TAKEN["Huawei CCE: current verifies, another skips it"]), policy=DEFAULT_POLICY).host == "203.0.113.20"
    aks = parse(text(TAKEN["AKS local account: certificate and token"]), policy=DEFAULT_POLICY)
    assert aks.token == Secret("0f" * 32)
    assert aks.client_key is not None
    assert parse(text(TAKEN["a certificate for another name"]), policy=DEFAULT_POLICY).server_name == "kubernetes.default.svc"
    assert parse(text(TAKEN["a full name with its dot"]), policy=DEFAULT_POLICY).server == "https://api.example.com:6443"
    assert parse(text(TAKEN["several slashes at the end"]), policy=DEFAULT_POLICY).server == "https://203.0.113.7:6443"
    assert parse(text(TAKEN["a token with a line end"]), policy=DEFAULT_POLICY).token == Secret(JWT)
    many = parse(text(TAKEN["a CA that tools described"]), policy=DEFAULT_POLICY)
    assert many.ca_pem is not None
    assert many.ca_pem.count("BEGIN CERTIFICATE") == 2
    assert parse(text(TAKEN["a CA with CRLF"]), policy=DEFAULT_POLICY).ca_pem == authority().cert_pem


def test_k14_loopback_by_explicit_policy_and_k15_a_name_is_left_to_the_resolver() -> None:
    assert parse(server("https://127.0.0.1:6443").encode(), policy=AddressPolicy(allow_loopback=True)).port == 6443
    assert parse(server("https://rebinding.example.com").encode(), policy=DEFAULT_POLICY).policy is DEFAULT_POLICY


def test_an_exec_plugin_is_never_run(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    plugin = f"exec: {{command: touch, args: ['{canary}'], apiVersion: client.authentication.k8s.io/v1}}"
    with pytest.raises(InvalidKubeconfig):
        parse(kubeconfig(user=f"    {plugin}").encode(), policy=DEFAULT_POLICY)
    assert parse(user(plugin).encode(), policy=DEFAULT_POLICY).token is not None, "kubectl runs none beside a token either"
    other = GOOD + f"- name: other\n  user: {{exec: {{command: touch, args: ['{canary}'], apiVersion: client.authentication.k8s.io/v1}}}}\n"
    assert parse(other.encode(), policy=DEFAULT_POLICY).token is not None
    assert not canary.exists()


def test_the_largest_costs_little() -> None:
    started = time.process_time()
    with pytest.raises(InvalidKubeconfig):
        parse(GOOD.encode() + b"x: " * 15_000, policy=DEFAULT_POLICY)
    assert time.process_time() - started < 0.5


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A good kubeconfig with a piece replaced."""
    raw = GOOD.encode()
    start = draw(st.integers(0, len(raw)))
    return raw[:start] + draw(st.binary(max_size=20)) + raw[start + draw(st.integers(0, 20)) :]


KEYS = st.sampled_from(["clusters", "users", "contexts", "name", "user", "cluster", "context", "server", "token", "current-context", "x"])
SCALAR = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
TREE = st.recursive(SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12)


@given(st.binary(max_size=300) | mutated() | TREE.map(lambda tree: json.dumps(tree).encode()))
def test_never_anything_but_credentials_or_a_code(raw: bytes) -> None:
    try:
        got = parse(raw, policy=DEFAULT_POLICY)
    except InvalidKubeconfig as exc:
        assert isinstance(exc.code, Code)  # noqa: PT017
        return
    assert isinstance(got, Credentials)
