"""Kubeconfigs from strangers, by an allow-list.

Lives here: bytes → Credentials or a code that says what is not accepted. Only what one context uses is judged: of that
the known keys are read, keys that would change the connection in a way we do not follow are refused, all others mean nothing.
Must never live here: a file access, a subprocess, a network call, or a value of the document in a message.
"""

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from sampan.kube.credentials.addresses import AddressPolicy
from sampan.kube.credentials.bounded_yaml import UnreadableYaml, YamlMap, read_yaml
from sampan.kube.credentials.codes import Code
from sampan.kube.credentials.credential import Credentials
from sampan.kube.credentials.kubeconfig_faults import FLATTEN, YAML_ADVICE, InvalidKubeconfig
from sampan.kube.credentials.kubeconfig_values import Part, authorities, identity, proxy, server, server_name

__all__ = ["InvalidKubeconfig", "parse"]

_CLUSTER = frozenset({"server", "tls-server-name", "certificate-authority-data", "proxy-url", "disable-compression", "extensions"})
_USER = frozenset({"token", "client-certificate-data", "client-key-data", "extensions"})
_INLINE = f"put the file's content, as base64, into {{}}-data and remove {{}} ({FLATTEN} does)"
_NO_PLUGIN = "put a token (sampan join makes one), or client-certificate-data with client-key-data, there instead"
_INSTEAD = "and put a token (sampan join makes one), or client-certificate-data with client-key-data, there"
_NO_IMPERSONATION = "give a credential of the identity itself and remove it"
_REFUSED_OF_CLUSTER: Mapping[str, tuple[Code, str]] = {
    "insecure-skip-tls-verify": (Code.INSECURE, "give certificate-authority-data instead"),
    "certificate-authority": (Code.FILE_PATH, _INLINE.format(*["certificate-authority"] * 2)),
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


def parse(raw: bytes, *, policy: AddressPolicy, context: str = "", now: datetime | None = None) -> Credentials:
    """Credentials of a context, the current one where none is named. Raises InvalidKubeconfig, and nothing else, whatever the bytes.

    Null, an empty string, list or mapping stand for a key that is not there, as with kubectl. ``now`` (aware; default: the clock)
    judges certificates.
    """
    moment = datetime.now(UTC) if now is None else now
    # 1. Bytes to plain values, bounded.
    document = _read(raw)
    # 2. The context and what it names.
    chosen = _context(document, context)
    cluster = _entry(document, "clusters", chosen.text("cluster"), named_by=_Reference(Code.CLUSTER_NOT_FOUND, chosen, "cluster"))
    user = _entry(document, "users", chosen.text("user"), named_by=_Reference(Code.USER_NOT_FOUND, chosen, "user"))
    # 3. What they ask for that is not done here.
    _refuse(cluster, _REFUSED_OF_CLUSTER)
    _refuse(user, _REFUSED_OF_USER)
    # 4. Their values.
    host, port, path = server(cluster, policy)
    name, through = server_name(cluster), proxy(cluster, policy)
    ca_pem = authorities(cluster, moment)
    token, certificate, key = identity(user, moment)
    return Credentials(
        host=host,
        port=port,
        path=path,
        server_name=name,
        proxy=through,
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
    raise InvalidKubeconfig(code, YAML_ADVICE[code], line=line)


def _document(document: object) -> Part:
    """The whole document, if it is one of ours."""
    if not isinstance(document, YamlMap):
        raise InvalidKubeconfig(Code.NOT_A_MAPPING, _what_else(document))
    whole = Part(where="", values=document, known=frozenset())
    for key, wanted in (("apiVersion", "v1"), ("kind", "Config")):
        if (document.get(key) or wanted) != wanted:
            raise whole.fault(Code.WRONG_TYPE, f"{key} is not {wanted}: give a kubeconfig", key)
    return whole


def _what_else(document: object) -> str:
    """What a document that is no mapping may be instead."""
    if document in (None, ""):
        return "the document is empty"
    try:
        base64.b64decode("".join(str(document).split()), validate=True)
    except (binascii.Error, ValueError):
        return "the document is not a mapping: give a kubeconfig"
    return "the document is one word: where it is base64 of a kubeconfig, it was encoded once too often (stringData needs no base64)"


class _Reference(NamedTuple):
    """Where an entry is named: the code for when it is not there, and the key, None for one that is not of the document."""

    code: Code
    part: Part
    key: str | None

    def fault(self, code: Code, words: str) -> InvalidKubeconfig:
        """What is wrong with what it names."""
        if self.key is None:
            return InvalidKubeconfig(code, f"spec.kubeconfigSecretRef.context of the offer {words}")
        return self.part.fault(code, f"{self.part.field(self.key)} {words}", self.key)


def _context(document: Part, name: str) -> Part:
    """The context of that name, the current one for an empty name."""
    current = name or document.text("current-context")
    if current is None:
        message = "current-context is not set: put the name of one of contexts there, or into spec.kubeconfigSecretRef.context of the offer"
        raise document.fault(Code.NO_CONTEXT, message, "current-context")
    named_by = _Reference(Code.CONTEXT_NOT_FOUND, document, None if name else "current-context")
    return _entry(document, "contexts", current, named_by=named_by)


def _entry(document: Part, section: str, name: str | None, *, named_by: _Reference) -> Part:
    """What is under that name in a section. Other entries of the section are not looked into."""
    listed, inner = document.get(section), section.removesuffix("s")
    if listed is not None and not isinstance(listed, list):
        raise document.fault(Code.WRONG_TYPE, f"{section} is not a list", section)
    named = [
        (f"{section}[{index}].{inner}", entry.get(inner), entry.line)
        for index, entry in enumerate(listed or [])
        if isinstance(entry, YamlMap) and name is not None and entry.get("name") == name
    ]
    if not named:
        raise named_by.fault(named_by.code, f"names no entry of {section}")
    where, body, line = named[-1]
    if len(named) > 1:
        raise InvalidKubeconfig(Code.DUPLICATE_NAME, f"{section} has two entries of the name that is wanted: keep one", line=line)
    if not isinstance(body, YamlMap):
        raise InvalidKubeconfig(Code.WRONG_TYPE, f"{where} is not a mapping", line=line)
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
        raise part.fault(code, f"{part.where}.{key}: {advice}", key)
