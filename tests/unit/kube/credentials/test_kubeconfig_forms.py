"""What people's kubeconfigs are like beyond one context, one CA and a direct way: and that a refusal names the line."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sampan.kube.credentials.addresses import DEFAULT_POLICY, TRUSTED, AddressPolicy
from sampan.kube.credentials.codes import Code
from sampan.kube.credentials.credential import Proxy
from sampan.kube.credentials.kubeconfig import InvalidKubeconfig, parse
from sampan.kube.credentials.secret import Secret
from unit.kube.provider_kubeconfigs import CA, EXEC, JWT, also, config, text

PROXIES = AddressPolicy(allowed_proxies=frozenset({"proxy.example.com:3128", "10.0.0.5:80", "[fd12::5]:3128"}))


def refused(document: Any, *, context: str = "", policy: AddressPolicy = DEFAULT_POLICY) -> InvalidKubeconfig:
    """Why a document is refused."""
    with pytest.raises(InvalidKubeconfig) as caught:
        parse(text(document), policy=policy, context=context)
    return caught.value


def test_a_named_context_counts_instead_of_the_current_one() -> None:
    document = also(
        config(user={"exec": EXEC}), cluster={"server": "https://192.0.2.9/x", "certificate-authority-data": CA}, user={"token": "b"}
    )
    assert refused(document).code is Code.EXEC
    got = parse(text(document), policy=DEFAULT_POLICY, context="second")
    assert (got.server, got.token) == ("https://192.0.2.9:443/x", Secret("b"))
    missing = refused(document, context="third")
    assert missing.code is Code.CONTEXT_NOT_FOUND
    assert missing.message == "spec.kubeconfigSecretRef.context of the offer names no entry of contexts"
    del document["current-context"]
    assert parse(text(document), policy=DEFAULT_POLICY, context="second") == got
    assert "kubeconfigSecretRef.context" in refused(document).message


@pytest.mark.parametrize("given", [None, ""])
def test_without_a_ca_the_public_ones_count(given: str | None) -> None:
    rancher = config("https://rancher.example.com/k8s/clusters/c-m-1", cluster={"certificate-authority-data": given})
    assert parse(text(rancher), policy=DEFAULT_POLICY).ca_pem is None
    assert refused(config(cluster={"certificate-authority-data": given, "insecure-skip-tls-verify": True})).code is Code.INSECURE


@pytest.mark.parametrize(
    "slip", ["certificateAuthorityData", "certificate_authority_data", "Certificate-Authority-Data", "certificate-data"]
)
def test_a_slip_in_the_ca_is_not_taken_for_a_public_server(slip: str) -> None:
    assert refused(config(cluster={"certificate-authority-data": None, slip: CA})).code is Code.NO_CA


@pytest.mark.parametrize(
    ("url", "want"),
    [
        ("http://proxy.example.com:3128", Proxy(host="proxy.example.com", port=3128)),
        ("HTTP://Proxy.Example.com:3128/", Proxy(host="proxy.example.com", port=3128)),
        ("http://10.0.0.5", Proxy(host="10.0.0.5", port=80)),
        ("http://[fd12::5]:3128", Proxy(host="fd12::5", port=3128)),
        ("http://hub:p%40ss@proxy.example.com:3128", Proxy(host="proxy.example.com", port=3128, login=Secret("hub:p%40ss"))),
    ],
)
def test_a_proxy_that_the_platform_team_allows_is_used(url: str, want: Proxy) -> None:
    got = parse(text(config(cluster={"proxy-url": url})), policy=PROXIES)
    assert got.proxy == want
    assert got.fingerprint != parse(text(config()), policy=PROXIES).fingerprint
    assert parse(text(config(cluster={"proxy-url": url})), policy=TRUSTED).proxy == want
    assert "p%40ss" not in repr(got)


def test_a_login_at_a_proxy_is_sent_as_it_was_meant() -> None:
    sent = Proxy(host="p", port=1, login=Secret("hub:p%40ss")).authorization
    assert sent == Secret("Basic aHViOnBAc3M=")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://canary.example.com:3128", "is not a proxy that the hub's platform team allows"),
        ("http://proxy.example.com:3129", "SAMPAN_ALLOWED_PROXIES"),
        ("https://proxy.example.com:3128", "must be http://HOST[:PORT]"),
        ("socks5://proxy.example.com:3128", "must be http://HOST[:PORT]"),
        ("http://proxy.example.com:3128/path", "must be http://HOST[:PORT]"),
        ("http://proxy.example.com:99999", "must be http://HOST[:PORT]"),
        ("proxy.example.com:3128", "must be http://HOST[:PORT]"),
    ],
)
def test_other_proxies_are_refused_with_a_way_out(url: str, words: str) -> None:
    error = refused(config(cluster={"proxy-url": url}), policy=PROXIES)
    assert error.code is Code.PROXY
    assert words in error.message
    assert "canary" not in error.message


def test_behind_a_proxy_too_no_server_is_at_a_forbidden_address() -> None:
    error = refused(config("https://169.254.169.254", cluster={"proxy-url": "http://proxy.example.com:3128"}), policy=PROXIES)
    assert error.code is Code.ADDRESS


LINES = [
    ("server: https://203.0.113.7:6443", "server: http://203.0.113.7:6443"),
    ("server: https://203.0.113.7:6443", "server: https://169.254.169.254"),
    ("server: https://203.0.113.7:6443", "server: https://203.0.113.7:6443?x"),
    ("server: https://203.0.113.7:6443", "server: https://203.0.113.7:70000"),
    ("server: https://203.0.113.7:6443", "server: [a]"),
    (f"certificate-authority-data: {CA}", "certificate-authority-data: '*'"),
    (f"certificate-authority-data: {CA}", "certificate-authority-data: eA=="),
    (f"certificate-authority-data: {CA}", "certificate-authority: /ca.crt"),
    (f"certificate-authority-data: {CA}", "insecure-skip-tls-verify: true"),
    (f"certificate-authority-data: {CA}", "proxy-url: http://203.0.113.9"),
    (f"token: {JWT}", "token: a b"),
    (f"token: {JWT}", "token: REDACTED"),
    (f"token: {JWT}", "tokenFile: /t"),
    (f"token: {JWT}", "exec: {command: aws}"),
    (f"token: {JWT}", "as: root"),
    (f"token: {JWT}", "client-key-data: eA=="),
    ("current-context: gpu", "current-context: other"),
    ("    user: hub", "    user: other"),
    ("    cluster: gpu", "    cluster: other"),
    ("kind: Config", "kind: Secret"),
]


@pytest.mark.parametrize(("good", "bad"), LINES)
def test_a_refusal_names_the_line(good: str, bad: str) -> None:
    lines = yaml.safe_dump(config(), sort_keys=False, width=100_000).splitlines()
    number = next(index for index, line in enumerate(lines) if line.strip() == good.strip() and line.endswith(good))
    lines[number] = lines[number].replace(good, bad)
    error = refused("\n".join(lines))
    assert error.message.endswith(f"(line {number + 1})"), error.message


def test_what_is_not_there_is_named_by_the_line_of_what_it_belongs_to() -> None:
    raw = yaml.safe_dump(config(user={"x": "y"}), sort_keys=False)
    at = next(index for index, line in enumerate(raw.splitlines(), start=1) if line.strip() == "x: y")
    assert refused(raw).message.endswith(f"(line {at})")


NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_./:@ 算力", min_size=1, max_size=24)
TOKENS = st.text("".join(map(chr, range(33, 127))), min_size=1, max_size=60).filter(lambda token: not token.startswith("ZXlK"))
HOSTS = st.sampled_from([
    ("203.0.113.7", "203.0.113.7"), ("api.example.com", "api.example.com"), ("API.Example.com.", "api.example.com"),
    ("[2001:db8::1]", "2001:db8::1"), ("[fd12:3456:789a::1]", "fd12:3456:789a::1"), ("192.168.1.9", "192.168.1.9"),
    ("xn--fiq228c.example", "xn--fiq228c.example"), ("a_b.example", "a_b.example"),
])  # fmt: skip
PATHS = st.sampled_from(["", "/", "/k8s/clusters/c-m-1", "/v1/projects/1/locations/global/gkeMemberships/x/", "/a~b/c@d:e,f"])
ENDINGS = st.sampled_from(["", "\n", "\n\n", "\r\n", "\n---\n", "\n# end\n"])


@given(
    data=st.data(), names=st.lists(NAMES, min_size=2, max_size=5, unique=True), token=TOKENS, host=HOSTS, path=PATHS, ending=ENDINGS,
    port=st.none() | st.integers(1, 65535), as_json=st.booleans(), public=st.booleans(),
)  # fmt: skip
def test_every_shape_of_a_good_kubeconfig_is_read_as_it_was_meant(
    data: st.DataObject, *, names: list[str], token: str, host: tuple[str, str], path: str, ending: str, port: int | None,
    as_json: bool, public: bool,
) -> None:  # fmt: skip
    """Several contexts in any order, any names, addresses, tokens and line ends."""
    wanted = names[0]
    good = {
        "server": f"https://{host[0]}{'' if port is None else f':{port}'}{path}",
        **({} if public else {"certificate-authority-data": CA}),
    }
    bad = {"server": "http://nowhere", "certificate-authority": "/x"}
    document = {
        "clusters": data.draw(st.permutations([{"name": n, "cluster": good if n == wanted else bad} for n in names])),
        "users": data.draw(st.permutations([{"name": n, "user": {"token": token} if n == wanted else {"exec": EXEC}} for n in names])),
        "contexts": data.draw(st.permutations([{"name": n, "context": {"cluster": n, "user": n}} for n in names])),
        "current-context": data.draw(st.sampled_from(names)),
    }
    raw = json.dumps(document) if as_json else text(document).decode()
    got = parse((raw.rstrip("\n") + ending).encode(), policy=DEFAULT_POLICY, context=wanted)
    assert (got.host, got.port, got.path) == (host[1], port or 443, path.rstrip("/"))
    assert got.token == Secret(token)
    assert (got.ca_pem is None) == public
