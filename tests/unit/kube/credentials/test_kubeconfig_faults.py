"""The advice in a refusal works: who follows it has a kubeconfig that is taken."""

import base64
import inspect
import json
import re
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from sampan.kube.credentials import bounded_yaml
from sampan.kube.credentials.addresses import DEFAULT_POLICY, AddressPolicy
from sampan.kube.credentials.codes import Code
from sampan.kube.credentials.kubeconfig import InvalidKubeconfig, parse
from sampan.kube.credentials.kubeconfig_faults import YAML_ADVICE
from unit.kube.certs import Pair, authority, b64, issue, rsa_key
from unit.kube.provider_kubeconfigs import CA, EC, EXEC, JWT, RSA, also, certificate_user, config, text

Shape = dict[str, Any] | str | bytes
C = Code
GOOD = config()
PAIR = config(user=certificate_user())
EC_PAIR = config(user=certificate_user(EC))
PLAIN = yaml.safe_dump(GOOD)
EXPIRED = issue(authority(), name="client", days=-1)
EARLY_CA = issue(None, name="old", ca=True, days=-1)


def der(pair: Pair) -> str:
    """Base64 of a certificate's DER."""
    return base64.b64encode(pair.certificate.public_bytes(Encoding.DER)).decode()


def locked(pair: Pair, form: PrivateFormat) -> str:
    """The key under a password."""
    return pair.key.private_bytes(Encoding.PEM, form, BestAvailableEncryption(b"pw")).decode()


def ca(data: str | None) -> dict[str, Any]:
    """A kubeconfig with that CA data."""
    return config(cluster={"certificate-authority-data": data})


def without(*keys: str, **changed: Any) -> dict[str, Any]:
    """A good kubeconfig without some keys at the top."""
    return {key: value for key, value in {**GOOD, **changed}.items() if key not in keys}


CASES: list[tuple[str, Shape, C, str, Shape]] = [
    ("exec", config(user={"exec": EXEC}), C.EXEC, "users[0].user.exec: the hub runs no plugins: put a token", GOOD),
    ("exec, to a certificate", config(user={"exec": EXEC}), C.EXEC, "client-certificate-data with client-key-data", PAIR),
    ("auth-provider", config(user={"auth-provider": {"name": "oidc"}}), C.AUTH_PROVIDER, "users[0].user.auth-provider", GOOD),
    ("tokenFile", config(user={"tokenFile": "/t"}), C.TOKEN_FILE, "put the token itself into token and remove tokenFile", GOOD),
    ("tokenFile and token", config(user={"tokenFile": "/t", "token": JWT}), C.TOKEN_FILE, "remove tokenFile", GOOD),
    ("CA file", config(cluster={"certificate-authority": "/ca", "certificate-authority-data": None}), C.FILE_PATH,
     "as base64, into certificate-authority-data and remove certificate-authority", GOOD),
    ("client files", config(user={"client-certificate": "c", "client-key": "k"}), C.FILE_PATH, "users[0].user.client-certificate", PAIR),
    ("key file", config(user={"client-certificate-data": CA, "client-key": "k"}), C.FILE_PATH, "into client-key-data", PAIR),
    ("insecure with a CA", config(cluster={"insecure-skip-tls-verify": True}), C.INSECURE, "give certificate-authority-data instead", GOOD),
    ("insecure without", config(cluster={"insecure-skip-tls-verify": "true", "certificate-authority-data": ""}),
     C.INSECURE, "clusters[0].cluster.insec", GOOD),
    ("proxy", config(cluster={"proxy-url": "http://10.0.0.1:3128"}), C.PROXY, "remove it and give a server that the hub reaches", GOOD),
    ("proxy that is none of HTTP", config(cluster={"proxy-url": "socks5://10.0.0.1:1080"}),
     C.PROXY, "must be http://HOST[:PORT] of a proxy that knows CONNECT: name one, or remove it", GOOD),
    ("password", config(user={"username": "admin", "password": "admin"}), C.BASIC_AUTH, "put a token", GOOD),
    ("password beside a token", config(user={"token": JWT, "password": "admin"}), C.BASIC_AUTH, "users[0].user.password", GOOD),
    ("impersonation", config(user={"token": JWT, "as": "system:admin"}),
     C.IMPERSONATION, "give a credential of the identity itself and remove it", GOOD),
    ("groups", config(user={"token": JWT, "as-groups": ["a"]}), C.IMPERSONATION, "users[0].user.as-groups", GOOD),
    ("no context", without("current-context"), C.NO_CONTEXT, "put the name of one of contexts there", GOOD),
    ("empty context", without(**{"current-context": ""}), C.NO_CONTEXT, "current-context is not set", GOOD),
    ("context of another name", without(**{"current-context": "x"}),
     C.CONTEXT_NOT_FOUND, "current-context names no entry of contexts", GOOD),
    ("cluster of another name", config(context={"cluster": "x"}),
     C.CLUSTER_NOT_FOUND, "contexts[0].context.cluster names no entry of clusters", GOOD),
    ("user of another name", config(context={"user": None}), C.USER_NOT_FOUND, "contexts[0].context.user names no entry of users", GOOD),
    ("two users of one name", {**GOOD, "users": GOOD["users"] * 2}, C.DUPLICATE_NAME, "keep one", GOOD),
    ("a slip in its name", config(cluster={"certificate-authority-data": None, "certificate-authoritydata": CA}),
     C.NO_CA, "is not set, and a key like it means nothing: correct it (line 5)", GOOD),
    ("PEM as it is", ca(authority().cert_pem), C.INVALID_BASE64, "is PEM: put base64 of it there", GOOD),
    ("DER", ca(der(authority())), C.INVALID_CERTIFICATE, "is base64 of DER: put base64 of PEM there", GOOD),
    ("twice in base64", ca(b64(CA)), C.INVALID_CERTIFICATE, "put into base64 twice: do it once", GOOD),
    ("a key as CA", ca(b64(EC.key_pem)), C.INVALID_CERTIFICATE, "is base64 of PEM of another kind", GOOD),
    ("expired CA", ca(b64(EARLY_CA.cert_pem)),
     C.EXPIRED, f"expired on {EARLY_CA.certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC: give a new", GOOD),
    ("expired client", config(user=certificate_user(EXPIRED)), C.EXPIRED,
     f"client-certificate-data expired on {EXPIRED.certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC", PAIR),
    ("key of another", config(user=certificate_user(EC, key=RSA.key_pem)),
     C.KEY_MISMATCH, "client-key-data is not of the first certificate", EC_PAIR),
    ("CA before leaf", config(user={**certificate_user(EC), "client-certificate-data": b64(authority().cert_pem + EC.cert_pem)}),
     C.KEY_MISMATCH,
     "of the first certificate in client-certificate-data", config(user=certificate_user(EC, chain=authority().cert_pem))),
    ("PKCS#8 key under a password", config(user=certificate_user(EC, key=locked(EC, PrivateFormat.PKCS8))),
     C.INVALID_KEY, "is encrypted: put the decrypted key", EC_PAIR),
    ("PKCS#1 key under a password", config(user=certificate_user(RSA, key=locked(RSA, PrivateFormat.TraditionalOpenSSL))),
     C.INVALID_KEY, "is encrypted", PAIR),
    ("key in DER", config(user={**certificate_user(EC), "client-key-data": base64.b64encode(
        EC.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())).decode()}), C.INVALID_KEY, "is base64 of DER", EC_PAIR),
    ("weak key", config(user=certificate_user(issue(authority(), key=rsa_key(1024)))), C.WEAK_KEY, "RSA needs 2048 bits", PAIR),
    ("certificate without key", config(user={"client-certificate-data": CA}),
     C.NO_CREDENTIALS, "is there without client-key-data: give both", PAIR),
    ("no credentials", config(user={"extensions": []}), C.NO_CREDENTIALS, "users[0].user needs a token, or client-certificate-data", GOOD),
    ("a slip in token", config(user={"Token": JWT}),
     C.NO_CREDENTIALS, "needs a token, or client-certificate-data with client-key-data (the key on line", GOOD),
    ("token in lines", config(user={"token": JWT.replace(".", ".\n")}), C.INVALID_TOKEN, "on one line", GOOD),
    ("token in base64", config(user={"token": b64(JWT)}), C.INVALID_TOKEN, "is base64 of a token: decode it", GOOD),
    ("printed without --raw", config(cluster={"certificate-authority-data": "DATA+OMITTED"}, user={"token": "REDACTED"}),
     C.REDACTED, "--flatten --raw", GOOD),
    ("a token printed without --raw", config(user={"token": "REDACTED"}), C.REDACTED, "users[0].user.token was left out", GOOD),
    ("http", config("http://203.0.113.7:8080"), C.NOT_HTTPS, "clusters[0].cluster.server must start with https://", GOOD),
    ("no scheme", config("203.0.113.7:6443"), C.NOT_HTTPS, "must start with https://", GOOD),
    ("no server", config(cluster={"server": None, "Server": "https://x"}), C.NOT_HTTPS, "is not known)", GOOD),
    ("a query", config("https://203.0.113.7:6443?timeout=30s"), C.SERVER_URL, "without user, query, fragment", GOOD),
    ("a port too many", config("https://203.0.113.7:65536"), C.SERVER_URL, "the port must be 1 to 65535", GOOD),
    ("loopback of the provider's machine", config("https://127.0.0.1:6443"), C.ADDRESS, "clusters[0].cluster.server: ", GOOD),
    ("a URL as server name", config(cluster={"tls-server-name": "https://x"}),
     C.SERVER_NAME, "must be a host name or an address", config(cluster={"tls-server-name": "x"})),
    ("anchors", PLAIN.replace("name: gpu", "name: &n gpu", 1), C.ANCHORS, "write each value out (line", GOOD),
    ("tags", PLAIN.replace("kind: Config", "kind: !!str Config"), C.TAGS, "remove them (line", GOOD),
    ("a key twice", PLAIN + "kind: Config\n", C.DUPLICATE_KEY, "keep one (line", GOOD),
    ("two documents", PLAIN + "---\n" + PLAIN, C.SEVERAL_DOCUMENTS, "keep one (line", GOOD),
    ("tabs", PLAIN.replace("  ", "\t"), C.NOT_YAML, "neither YAML nor JSON (line", GOOD),
    ("UTF-16", PLAIN.encode("utf-16"), C.NOT_UTF8, "save it as UTF-8", GOOD),
    ("large", config(extensions=[{"name": "x", "extension": "x" * 70_000}]), C.TOO_LARGE, "larger than 64 KiB: keep one context", GOOD),
    ("many", json.dumps({**GOOD, "users": [{}] * 11_000 + GOOD["users"]}), C.TOO_DEEP, "keep one context", GOOD),
    ("deep", PLAIN + "extensions: " + "[" * 20 + "]" * 20, C.TOO_DEEP, "nested too deep", GOOD),
    ("empty", "", C.NOT_A_MAPPING, "the document is empty", GOOD),
    ("the Secret's data twice encoded", b64(PLAIN), C.NOT_A_MAPPING, "encoded once too often", GOOD),
    ("something else", "hello there", C.NOT_A_MAPPING, "give a kubeconfig", GOOD),
    ("a Secret", {"apiVersion": "v1", "kind": "Secret"}, C.WRONG_TYPE, "kind is not Config: give a kubeconfig", GOOD),
    ("a context of another shape", {**GOOD, "contexts": {"name": "gpu"}}, C.WRONG_TYPE, "contexts is not a list", GOOD),
]  # fmt: skip


@pytest.mark.parametrize(("broken", "code", "words", "mended"), [pytest.param(*rest, id=name) for name, *rest in CASES])
def test_who_follows_the_advice_is_taken(broken: Shape, code: C, words: str, mended: Shape) -> None:
    with pytest.raises(InvalidKubeconfig) as caught:
        parse(text(broken), policy=DEFAULT_POLICY)
    assert caught.value.code is code
    assert words in caught.value.message
    parse(text(mended), policy=DEFAULT_POLICY)


def test_the_administrator_may_allow_a_network() -> None:
    policy = AddressPolicy(own_networks=(ip_network("fd12::/16"),))
    raw = text(config("https://[fd12:3456::1]:6443"))
    with pytest.raises(InvalidKubeconfig, match="SAMPAN_ALLOWED_NETWORKS") as caught:
        parse(raw, policy=policy)
    assert caught.value.code is Code.ADDRESS
    assert parse(raw, policy=replace(policy, allowed_networks=(ip_network("fd12:3456::/48"),))).host == "fd12:3456::1"


def test_every_code_has_advice_that_was_followed() -> None:
    assert {code for _, _, code, _, _ in CASES} | {C.NOT_YET_VALID} == set(C)
    raised = re.findall(r"UnreadableYaml\(Code\.(\w+)", inspect.getsource(bounded_yaml))
    assert {code.name for code in YAML_ADVICE} == set(raised)


def test_one_that_was_printed_flat_needs_no_advice() -> None:
    unused = {"exec": EXEC}
    raw = also(config(), cluster={"insecure-skip-tls-verify": True, "server": "https://192.0.2.1"}, user=unused)
    assert parse(text(raw), policy=DEFAULT_POLICY) == parse(text(GOOD), policy=DEFAULT_POLICY)
