"""Kubeconfigs in the shapes that installers, clouds and gateways hand out.

Lives here: one document per tool, told by what its kind of file has that others have not.
Must never live here: a key that is used anywhere else.
"""

import json
import textwrap
from typing import Any

import yaml
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from unit.kube.certs import Pair, authority, b64, issue, rsa_key

EC = issue(authority(), name="system:admin")
RSA = issue(authority(), name="kubernetes-admin", key=rsa_key(2048))
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJodWIifQ.c2lnbmF0dXJl"
CA = b64(authority().cert_pem)
EXEC = {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "get-credential", "args": ["--cluster", "gpu"], "env": None}


def pkcs1(pair: Pair) -> str:
    """The key in the older form of its kind: PKCS#1 or SEC 1."""
    return pair.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def certificate_user(pair: Pair = RSA, *, chain: str = "", key: str | None = None) -> dict[str, Any]:
    """A user with a client certificate."""
    return {"client-certificate-data": b64(pair.cert_pem + chain), "client-key-data": b64(key or pair.key_pem)}


def config(
    server: str = "https://203.0.113.7:6443",
    *,
    cluster: dict[str, Any] | None = None,
    user: dict[str, Any] | None = None,
    context: dict[str, Any] | None = None,
    **top: Any,
) -> dict[str, Any]:
    """A kubeconfig of one context; arguments add keys, or replace the user."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "gpu", "cluster": {"server": server, "certificate-authority-data": CA, **(cluster or {})}}],
        "contexts": [{"name": "gpu", "context": {"cluster": "gpu", "user": "hub", **(context or {})}}],
        "users": [{"name": "hub", "user": {"token": JWT} if user is None else user}],
        "current-context": "gpu",
        **top,
    }


def also(document: dict[str, Any], *, cluster: dict[str, Any], user: dict[str, Any]) -> dict[str, Any]:
    """The same with a second context, which is not the current one."""
    document["clusters"].append({"name": "second", "cluster": cluster})
    document["users"].append({"name": "second", "user": user})
    document["contexts"].append({"name": "second", "context": {"cluster": "second", "user": "second"}})
    return document


def _note(name: str) -> list[dict[str, Any]]:
    """What minikube leaves in a file for itself."""
    deep = {"last-update": "Mon, 01 Jan 2024 00:00:00 UTC", "provider": "minikube.sigs.k8s.io", "more": [{"a": [{"b": {"c": "d"}}]}]}
    return [{"name": name, "extension": deep}]


def _ed25519() -> dict[str, Any]:
    """A user with an Ed25519 key, whose certificate the test's CA signed."""
    key = ed25519.Ed25519PrivateKey.generate()
    return certificate_user(issue(authority(), name="ed", key=key))  # type: ignore[arg-type]


TAKEN: dict[str, Any] = {
    "kubeadm": config(user=certificate_user(key=pkcs1(RSA)), preferences={}),
    "kubeadm super-admin, PKCS#8": config(user=certificate_user()),
    "k3s: SEC 1 key, chain of leaf and CA": config(user=certificate_user(EC, chain=authority().cert_pem, key=pkcs1(EC))),
    "a key after its EC PARAMETERS": config(
        user=certificate_user(EC, key="-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + pkcs1(EC))
    ),
    "certificate and key in one file": config(user=certificate_user(EC, chain=EC.key_pem, key=EC.cert_pem + EC.key_pem)),
    "Ed25519": config(user=_ed25519()),
    "kind": config("https://192.0.2.5:40123", user=certificate_user(), preferences={}),
    "minikube with inlined files and its notes": config(
        "https://192.168.49.2:8443", user=certificate_user(), cluster={"extensions": _note("cluster_info")},
        context={"extensions": _note("context_info"), "namespace": "default"}, extensions=_note("top"), preferences={"colors": True},
    ),
    "microk8s": config("https://10.1.2.3:16443", user={"token": "UzVhbXBsZVRva2Vu"}),
    "AKS local account: certificate and token": config(
        "https://gpu-dns-12ab.hcp.westeurope.azmk8s.io:443", user={**certificate_user(), "token": "0f" * 32}
    ),
    "AKS beside an Entra user that runs kubelogin": also(
        config(user=certificate_user()), cluster={"server": "https://192.0.2.9"}, user={"exec": EXEC}
    ),
    "a ServiceAccount beside EKS's own user": also(
        config("https://0A1B2C3D4E.gr7.eu-west-1.eks.amazonaws.com"), cluster={"server": "https://192.0.2.9"},
        user={"exec": {**EXEC, "interactiveMode": "IfAvailable", "provideClusterInfo": False}},
    ),
    "GKE's own user unused": also(
        config("https://198.51.100.20"), cluster={"server": "https://192.0.2.9"},
        user={"exec": {**EXEC, "installHint": "Install it", "provideClusterInfo": True}},
    ),
    "an old GKE or OIDC user unused": also(
        config(), cluster={"server": "https://192.0.2.9"}, user={"auth-provider": {"name": "gcp", "config": {"cmd-path": "gcloud"}}}
    ),
    "OpenShift": config("https://api.gpu.example.com:6443", user={"token": "sha256~AbC_d-0123456789"}, context={"namespace": "ai"}),
    "OpenShift of version 3": config("https://master.example.com:8443", user={"token": "Pq0_rS-tUv"}, context={"namespace": ""}),
    "Rancher": config("https://rancher.example.com/k8s/clusters/c-abc12", user={"token": "kubeconfig-user-x1y2z:q8w7e6r5t4"}),
    "Rancher with a public certificate": config(
        "https://rancher.example.com/k8s/clusters/c-m-1a2b3c4d",
        user={"token": "kubeconfig-u-1a2b3:" + "x9" * 27},
        cluster={"certificate-authority-data": None},
    ),
    "GKE's connect gateway": config(
        "https://connectgateway.googleapis.com/v1/projects/123456789/locations/global/gkeMemberships/gpu",
        user={"token": "ya29.A0_b-C"}, cluster={"certificate-authority-data": None},
    ),
    "Rancher's authorised endpoint": config("https://203.0.113.8:6443", user={"token": "kubeconfig-u-abcde:f0g1h2"}),
    "vCluster behind a platform": config("https://platform.example.com/kubernetes/project/p/virtualcluster/v/"),
    "KubeSphere": config("https://ks-apiserver.example.com:9443/clusters/member", user={"token": JWT}, context={"namespace": "project"}),
    "Pinniped's concierge by certificate": config("https://192.0.2.30:443", user={"token": JWT, "exec": None}),
    "Gardener's admin kubeconfig": also(
        config("https://api.gpu.project.gardener.example.com", user=certificate_user(), context={"namespace": "default"}),
        cluster={"server": "https://api.gpu.project.internal.gardener.example.com", "insecure-skip-tls-verify": True}, user={"token": JWT},
    ),
    "Alibaba ACK": config("https://198.51.100.9:6443", user=certificate_user(key=pkcs1(RSA)), preferences={}),
    "Tencent TKE": config("https://cls-1a2b3c4d.ccs.tencent-cloud.com", user=certificate_user()),
    "Huawei CCE: current verifies, another skips it": json.dumps({
        **also(config("https://203.0.113.20:5443", user=certificate_user(), preferences={}),
               cluster={"server": "https://203.0.113.20:5443", "insecure-skip-tls-verify": True}, user={"token": JWT}),
        "kind": "Config",
    }),
    "Volcengine VKE": config("https://198.51.100.44:6443", user=certificate_user(), context={"namespace": None}),
    "kops before 1.19: a password beside the certificate": config(user={**certificate_user(), "username": "admin", "password": "x"}),
    "a token set over EKS's own user by kubectl": config(user={"token": JWT, "exec": EXEC}),
    "a certificate beside a plugin": config(user={**certificate_user(), "exec": EXEC}),
    "minikube: files beside their contents": config(
        cluster={"certificate-authority": "/etc/minikube/ca.crt"},
        user={**certificate_user(), "client-certificate": "/etc/minikube/client.crt", "client-key": "/etc/minikube/client.key"},
    ),
    "a certificate for another name": config(cluster={"tls-server-name": "kubernetes.default.svc"}),
    "a certificate for an address": config(cluster={"tls-server-name": "10.96.0.1"}),
    "a proxy that is not used": also(
        config(), cluster={"server": "https://192.0.2.9", "proxy-url": "socks5://127.0.0.1:1080"}, user={"token": JWT}
    ),
    "impersonation that is not used": also(config(), cluster={"server": "https://192.0.2.9"}, user={"token": JWT, "as": "root"}),
    "files that are not used": also(
        config(), cluster={"server": "", "certificate-authority": "ca"}, user={"client-certificate": "a", "client-key": "b"}
    ),
    "two unused entries of one name": also(
        also(config(), cluster={}, user={}), cluster={"server": "http://192.0.2.9"}, user={"tokenFile": "/x"}
    ),
    "unused entries of other shapes": {**config(), "users": [None, "x", {"name": "y"}, {"user": {}}, *config()["users"]]},
    "empty strings and nulls": config(
        user={"token": JWT, "exec": None, "auth-provider": None, "as": "", "as-groups": [], "as-user-extra": {}, "username": "",
              "tokenFile": "", "client-certificate-data": "", "client-key-data": None},
        cluster={"proxy-url": "", "tls-server-name": "", "certificate-authority": None, "insecure-skip-tls-verify": False,
                 "disable-compression": True},
        extensions=None, preferences=None,
    ),
    "keys of other tools": config(colors=True, metadata={"a": 1}, cluster={"display": "x"}, user={"token": JWT, "expires": "never"}),
    "IPv6": config("https://[2001:db8::7]:6443"),
    "unique local IPv6": config("https://[fd12:3456:789a::7]:6443"),
    "IPv6 without a port": config("https://[2001:DB8::7]/"),
    "upper case": config("HTTPS://API.Example.com:6443"),
    "several slashes at the end": config("https://203.0.113.7:6443//"),
    "a full name with its dot": config("https://api.example.com.:6443"),
    "a CA that tools described": config(
        cluster={"certificate-authority-data": b64("subject=CN = 根\n" + authority().cert_pem + "\n# the next one\n" + EC.cert_pem)}
    ),
    "a CA with CRLF": config(cluster={"certificate-authority-data": b64(authority().cert_pem.replace("\n", "\r\n"))}),
    "a CA with spaces at line ends": config(cluster={"certificate-authority-data": b64(authority().cert_pem.replace("\n", "  \n"))}),
    "a CA after a byte order mark": config(cluster={"certificate-authority-data": b64("\ufeff" + authority().cert_pem)}),
    "base64 in lines": config(cluster={"certificate-authority-data": "\n".join(textwrap.wrap(CA, 64)) + "\n"}),
    "a token with a line end": config(user={"token": f" {JWT}\n"}),
    "byte order mark and CRLF": b"\xef\xbb\xbf" + yaml.safe_dump(config()).replace("\n", "\r\n").encode(),
    "JSON in tabs": json.dumps(config(), indent="\t"),
    "JSON with escaped slashes": json.dumps(config()).replace("/", "\\/"),
    "an empty document at the end": "---\n# mine\n" + yaml.safe_dump(config()) + "---\n",
}  # fmt: skip
"""Kubeconfigs that work as they are."""


class _Plain(yaml.SafeDumper):
    """Writes equal values out each time."""

    def ignore_aliases(self, data: object) -> bool:
        """No anchors."""
        return True


def text(document: dict[str, Any] | str | bytes) -> bytes:
    """A shape as bytes."""
    if isinstance(document, bytes):
        return document
    return document.encode() if isinstance(document, str) else yaml.dump(document, Dumper=_Plain, allow_unicode=True).encode()
