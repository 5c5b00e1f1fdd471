"""Kubeconfigs from strangers, by an allow-list.

Lives here: bytes → Credentials or a code that says what is not accepted. Only what the current context uses is judged: of that
the known keys are read, keys that would change the connection in a way we do not follow are refused, all others mean nothing.
Must never live here: a file access, a subprocess, a network call, or a value of the document in a message.
"""

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime

from sampan.kube.credentials.addresses import AddressPolicy
from sampan.kube.credentials.bounded_yaml import UnreadableYaml, YamlMap, read_yaml
from sampan.kube.credentials.codes import Code
from sampan.kube.credentials.credential import Credentials
from sampan.kube.credentials.kubeconfig_faults import FLATTEN, YAML_ADVICE, InvalidKubeconfig
from sampan.kube.credentials.kubeconfig_values import Part, authorities, identity, server, server_name

__all__ = ["InvalidKubeconfig", "parse"]

_CLUSTER = frozenset({"server", "tls-server-name", "certificate-authority-data", "disable-compression", "extensions"})
_USER = frozenset({"token", "client-certificate-data", "client-key-data", "extensions"})
_INLINE = f"put the file's content, as base64, into {{}}-data and remove {{}} ({FLATTEN} does)"
_NO_PLUGIN = "put a token (the notes of the chart sampan-member make one), or client-certificate-data with client-key-data, there instead"
_INSTEAD = "and put a token (the notes of the chart sampan-member make one), or client-certificate-data with client-key-data, there"
_NO_IMPERSONATION = "give a credential of the identity itself and remove it"
_REFUSED_OF_CLUSTER: Mapping[str, tuple[Code, str]] = {
    "insecure-skip-tls-verify": (Code.INSECURE, "give certificate-authority-data instead"),
    "certificate-authority": (Code.FILE_PATH, _INLINE.format(*["certificate-authority"] * 2)),
    "proxy-url": (Code.PROXY, "the hub connects directly: remove it and give a server that the hub reaches"),
}
_REFUSED_OF_USER: Mapping[str, tuple[Code, str]] = {
    "exec": (Code.EXEC, f"the hub runs no plugins: {_NO_PLUGIN}"),
    "auth-provider": (Code.AUTH_PROVIDER, f"the hub runs no plugins: {_NO_PLUGIN}"),
    "tokenFile": (Code.TOKEN_FILE, "put the token itself into token and remove tokenFile"),
    "client-certificate": (Code.FILE_PATH, _INLINE.format(*["client-certificate"] * 2)),
    "client-key": (Code.FILE_PATH, _INLINE.format(*["client-key"] * 2)),
    "username": (Code.BASIC_AUTH, f"API servers no longer take passwords: remove it, {_INSTEAD}"),
    "password": (Code.BASIC_AUTH, f"API servers no longer take passwords: remove it, {_INSTEAD}"),
    "as": (Code.IMPERSONATION, _NO_IMPERSONATION),
    "as-uid": (Code.IMPERSONATION, _NO_IMPERSONATION),
    "as-groups": (Code.IMPERSONATION, _NO_IMPERSONATION),
    "as-user-extra": (Code.IMPERSONATION, _NO_IMPERSONATION),
}
_FILES = ("certificate-authority", "client-certificate", "client-key")
_NO = frozenset({"false", "no", "off", "n"})


def parse(raw: bytes, *, policy: AddressPolicy, now: datetime | None = None) -> Credentials:
    """Credentials of the current context. Raises InvalidKubeconfig, and nothing else, whatever the bytes.

    Null, an empty string, list or mapping stand for a key that is not there, as with kubectl. ``now`` (aware; default: the clock)
    judges certificates.
    """
    moment = datetime.now(UTC) if now is None else now
    # 1. Bytes to plain values, bounded.
    document = _read(raw)
    # 2. The current context and what it names.
    current = document.text("current-context")
    if current is None:
        raise InvalidKubeconfig(Code.NO_CONTEXT, "current-context is not set: put the name of one of contexts there")
    context = _entry(document, "contexts", current, missing=(Code.CONTEXT_NOT_FOUND, "current-context"))
    cluster = _entry(document, "clusters", context.text("cluster"), missing=(Code.CLUSTER_NOT_FOUND, f"{context.where}.cluster"))
    user = _entry(document, "users", context.text("user"), missing=(Code.USER_NOT_FOUND, f"{context.where}.user"))
    # 3. What they ask for that is not done here.
    _refuse(cluster, _REFUSED_OF_CLUSTER)
    _refuse(user, _REFUSED_OF_USER)
    # 4. Their values.
    host, port, path = server(cluster, policy)
    name = server_name(cluster)
    ca_pem = authorities(cluster, moment)
    token, certificate, key = identity(user, moment)
    return Credentials(
        host=host,
        port=port,
        path=path,
        server_name=name,
        ca_pem=ca_pem,
        token=token,
        client_certificate=certificate,
        client_key=key,
        policy=policy,
    )


def _read(raw: bytes) -> Part:
    try:
        document = read_yaml(raw)
    except UnreadableYaml as exc:
        code, line = exc.code, exc.line
    else:
        return _document(document)
    where = f" (line {line})" if line else ""
    raise InvalidKubeconfig(code, YAML_ADVICE[code] + where)


def _document(document: object) -> Part:
    """The whole document, if it is one of ours."""
    if not isinstance(document, YamlMap):
        raise InvalidKubeconfig(Code.NOT_A_MAPPING, _what_else(document))
    for key, wanted in (("apiVersion", "v1"), ("kind", "Config")):
        if (document.get(key) or wanted) != wanted:
            raise InvalidKubeconfig(Code.WRONG_TYPE, f"{key} is not {wanted}: give a kubeconfig")
    return Part(where="", values=document, known=frozenset())


def _what_else(document: object) -> str:
    """What a document that is no mapping may be instead."""
    if document in (None, ""):
        return "the document is empty"
    try:
        base64.b64decode("".join(str(document).split()), validate=True)
    except (binascii.Error, ValueError):
        return "the document is not a mapping: give a kubeconfig"
    return "the document is one word: where it is base64 of a kubeconfig, it was encoded once too often (stringData needs no base64)"


def _entry(document: Part, section: str, name: str | None, *, missing: tuple[Code, str]) -> Part:
    """What is under that name in a section. Other entries of the section are not looked into."""
    listed, inner = document.get(section), section.removesuffix("s")
    if listed is not None and not isinstance(listed, list):
        raise InvalidKubeconfig(Code.WRONG_TYPE, f"{section} is not a list")
    named = [
        (f"{section}[{index}].{inner}", entry.get(inner))
        for index, entry in enumerate(listed or [])
        if isinstance(entry, YamlMap) and name is not None and entry.get("name") == name
    ]
    if not named:
        raise InvalidKubeconfig(missing[0], f"{missing[1]} names no entry of {section}")
    if len(named) > 1:
        raise InvalidKubeconfig(Code.DUPLICATE_NAME, f"{section} has two entries of the name that {missing[1]} names: keep one")
    where, body = named[0]
    if not isinstance(body, YamlMap):
        raise InvalidKubeconfig(Code.WRONG_TYPE, f"{where} is not a mapping")
    known = {"clusters": _CLUSTER | _REFUSED_OF_CLUSTER.keys(), "users": _USER | _REFUSED_OF_USER.keys()}
    return Part(where=where, values=body, known=known.get(section, frozenset()))


def _without_effect(part: Part) -> frozenset[str]:
    """Keys that kubectl passes over too: a file beside its content, a plugin or a password beside what tells already who one is."""
    files = {key for key in _FILES if part.get(f"{key}-data") is not None}
    certificate = part.get("client-certificate-data") is not None and part.get("client-key-data") is not None
    token = part.get("token") is not None
    plugin = {"exec"} if token or certificate else set()
    password = {"username", "password"} if certificate and not token else set()  # beside a token they are an error to kubectl
    return frozenset(files | plugin | password)


def _refuse(part: Part, refused: Mapping[str, tuple[Code, str]]) -> None:
    """Refuse keys that ask for something we do not do."""
    idle = _without_effect(part)
    for key, (code, advice) in refused.items():
        value = part.get(key)
        if value is None or key in idle or (code is Code.INSECURE and str(value).lower() in _NO):
            continue
        raise InvalidKubeconfig(code, f"{part.where}.{key}: {advice}")
