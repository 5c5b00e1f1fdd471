"""Kubeconfigs from strangers, by an allow-list.

Lives here: bytes → Credentials or a code that says what is not accepted. What is not known is refused.
Must never live here: a file access, a subprocess, a network call, or a value of the document in a message.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum

from sampan.kube.addresses import AddressNotAllowed, AddressPolicy
from sampan.kube.bounded_yaml import UnreadableYaml, YamlMap, read_yaml
from sampan.kube.certificates import BadCertificate, check_ca, check_client
from sampan.kube.credentials import Credentials
from sampan.kube.secret import Secret

MAX_TOKEN = 16 * 1024
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750, section 2.1
_URL = re.compile(r"https://(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:(?P<port>[0-9]{1,5}))?/?")
_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class Code(StrEnum):
    """Why a kubeconfig is refused. Closed: a status says ``InvalidKubeconfig/<code>``."""

    TOO_LARGE = "TooLarge"
    NOT_UTF8 = "NotUTF8"
    NOT_YAML = "NotYAML"
    ANCHORS = "AnchorsNotAllowed"
    TAGS = "TagsNotAllowed"
    TOO_DEEP = "TooDeep"
    DUPLICATE_KEY = "DuplicateKey"
    SEVERAL_DOCUMENTS = "SeveralDocuments"
    NOT_A_MAPPING = "NotAMapping"
    WRONG_TYPE = "WrongType"
    UNKNOWN_KEY = "UnknownKey"
    DUPLICATE_NAME = "DuplicateName"
    EXEC = "ExecNotAllowed"
    AUTH_PROVIDER = "AuthProviderNotAllowed"
    TOKEN_FILE = "TokenFileNotAllowed"  # noqa: S105  (a code, not a secret)
    FILE_PATH = "FilePathNotAllowed"
    INSECURE = "InsecureSkipTLSVerify"
    NO_CA = "NoCAData"
    NOT_HTTPS = "NotHTTPS"
    SERVER_URL = "ServerURLNotAllowed"
    ADDRESS = "AddressNotAllowed"
    PROXY = "ProxyNotAllowed"
    SERVER_NAME = "TLSServerNameNotAllowed"
    BASIC_AUTH = "BasicAuthNotAllowed"
    IMPERSONATION = "ImpersonationNotAllowed"
    NO_CONTEXT = "NoCurrentContext"
    CONTEXT_NOT_FOUND = "ContextNotFound"
    CLUSTER_NOT_FOUND = "ClusterNotFound"
    USER_NOT_FOUND = "UserNotFound"
    NO_CREDENTIALS = "NoCredentials"
    AMBIGUOUS = "AmbiguousCredentials"
    INVALID_BASE64 = "InvalidBase64"
    INVALID_TOKEN = "InvalidToken"  # noqa: S105
    INVALID_NAMESPACE = "InvalidNamespace"
    INVALID_CERTIFICATE = "InvalidCertificate"
    INVALID_KEY = "InvalidClientKey"
    EXPIRED = "CertificateExpired"
    NOT_YET_VALID = "CertificateNotYetValid"
    KEY_MISMATCH = "CertificateKeyMismatch"
    WEAK_KEY = "WeakKey"


class InvalidKubeconfig(Exception):  # noqa: N818
    """Refused: ``code`` for machines, ``message`` names the field and what would be right, never a value."""

    def __init__(self, code: Code, message: str) -> None:
        """Keep both."""
        self.code = code
        self.message = message
        super().__init__(f"{code.value}: {message}")


_TOP = frozenset({"apiVersion", "kind", "preferences", "clusters", "contexts", "users", "current-context"})
_CLUSTER = frozenset({"server", "certificate-authority-data", "insecure-skip-tls-verify", "disable-compression"})
_CONTEXT = frozenset({"cluster", "user", "namespace"})
_USER = frozenset({"token", "client-certificate-data", "client-key-data"})
_REFUSED: Mapping[str, tuple[Code, str]] = {
    "exec": (Code.EXEC, "a plugin would run a command here; use a token or client certificate data"),
    "auth-provider": (Code.AUTH_PROVIDER, "use a token or client certificate data"),
    "tokenFile": (Code.TOKEN_FILE, "put the token itself into token"),
    "certificate-authority": (Code.FILE_PATH, "inline the file as certificate-authority-data"),
    "client-certificate": (Code.FILE_PATH, "inline the file as client-certificate-data"),
    "client-key": (Code.FILE_PATH, "inline the file as client-key-data"),
    "proxy-url": (Code.PROXY, "proxies are set by the hub's administrator only"),
    "tls-server-name": (Code.SERVER_NAME, "the certificate must be valid for the host in server"),
    "username": (Code.BASIC_AUTH, "use a token or client certificate data"),
    "password": (Code.BASIC_AUTH, "use a token or client certificate data"),
    "as": (Code.IMPERSONATION, "give a credential of the identity itself"),
    "as-uid": (Code.IMPERSONATION, "give a credential of the identity itself"),
    "as-groups": (Code.IMPERSONATION, "give a credential of the identity itself"),
    "as-user-extra": (Code.IMPERSONATION, "give a credential of the identity itself"),
    "extensions": (Code.UNKNOWN_KEY, "remove it (kubectl config view --minify --flatten --raw helps)"),
}


def parse(raw: bytes, *, policy: AddressPolicy, now: datetime | None = None) -> Credentials:
    """Credentials of the current context. Raises InvalidKubeconfig, and nothing else, whatever the bytes.

    Keys are judged in every entry, values in those the current context uses. ``now`` (aware; default: the clock) judges
    certificates.
    """
    moment = datetime.now(UTC) if now is None else now
    # 1. Bytes to plain values, bounded.
    document = _read(raw)
    # 2. Known keys only, everywhere.
    clusters, contexts, users = _sections(document)
    # 3. The current context and what it names.
    current = _text(document, "current-context")
    if not current:
        raise InvalidKubeconfig(Code.NO_CONTEXT, "current-context is not set")
    context = _pick(contexts, current, Code.CONTEXT_NOT_FOUND)
    cluster = _pick(clusters, _text(context, "cluster"), Code.CLUSTER_NOT_FOUND)
    user = _pick(users, _text(context, "user"), Code.USER_NOT_FOUND)
    # 4. Their values.
    host, port = _server(_text(cluster, "server"), policy)
    ca_pem = _ca(cluster, moment)
    token, certificate, key = _identity(user, moment)
    return Credentials(
        host=host,
        port=port,
        ca_pem=ca_pem,
        token=token,
        client_certificate=certificate,
        client_key=key,
        namespace=_namespace(context),
        policy=policy,
    )


def _read(raw: bytes) -> YamlMap:
    try:
        document = read_yaml(raw)
    except UnreadableYaml as exc:
        fault, line = exc.fault, exc.line
    else:
        if isinstance(document, YamlMap):
            return document
        raise InvalidKubeconfig(Code.NOT_A_MAPPING, "the document is not a mapping")
    where = f" (line {line})" if line else ""
    raise InvalidKubeconfig(Code(fault.value), f"the document is not plain, small YAML{where}")


def _sections(document: YamlMap) -> tuple[dict[str, YamlMap], dict[str, YamlMap], dict[str, YamlMap]]:
    _check_keys(document, _TOP, "")
    for key, wanted in (("apiVersion", "v1"), ("kind", "Config")):
        if document.get(key, wanted) != wanted:
            raise InvalidKubeconfig(Code.WRONG_TYPE, f"{key} is not {wanted}")
    if document.get("preferences"):
        raise InvalidKubeconfig(Code.UNKNOWN_KEY, "preferences is not empty: remove it")
    return (
        _entries(document, "clusters", _CLUSTER),
        _entries(document, "contexts", _CONTEXT),
        _entries(document, "users", _USER),
    )


def _entries(document: YamlMap, section: str, allowed: frozenset[str]) -> dict[str, YamlMap]:
    """The named entries of a section, each with known keys only."""
    listed = document.get(section)
    if listed is None:
        return {}
    if not isinstance(listed, list):
        raise InvalidKubeconfig(Code.WRONG_TYPE, f"{section} is not a list")
    inner = section.removesuffix("s")
    found: dict[str, YamlMap] = {}
    for index, entry in enumerate(listed):
        where = f"{section}[{index}]"
        if not isinstance(entry, YamlMap):
            raise InvalidKubeconfig(Code.WRONG_TYPE, f"{where} is not a mapping")
        _check_keys(entry, frozenset({"name", inner}), where)
        name, body = _text(entry, "name", where), entry.get(inner)
        body = YamlMap() if body is None else body
        if name is None or not isinstance(body, YamlMap):
            raise InvalidKubeconfig(Code.WRONG_TYPE, f"{where} needs a name and a mapping {inner}")
        _check_keys(body, allowed, f"{where}.{inner}")
        if name in found:
            raise InvalidKubeconfig(Code.DUPLICATE_NAME, f"{where}.name was used before")
        found[name] = body
    return found


def _check_keys(mapping: YamlMap, allowed: frozenset[str], where: str) -> None:
    """Refuse keys outside the allow-list. An unknown key is named by its line: it may be a secret in the wrong place."""
    for key in mapping:
        if key in allowed:
            continue
        if key in _REFUSED:
            code, advice = _REFUSED[key]
            raise InvalidKubeconfig(code, f"{where}.{key}: {advice}".removeprefix("."))
        raise InvalidKubeconfig(Code.UNKNOWN_KEY, f"{where or 'the document'} has an unknown key on line {mapping.lines[key]}")
    if mapping.get("insecure-skip-tls-verify") not in {None, "false", "False", "FALSE"}:
        raise InvalidKubeconfig(Code.INSECURE, f"{where}.insecure-skip-tls-verify: give certificate-authority-data instead")


def _text(mapping: YamlMap, key: str, where: str = "") -> str | None:
    value = mapping.get(key)
    if value is None or isinstance(value, str):
        return value
    raise InvalidKubeconfig(Code.WRONG_TYPE, f"{where}.{key} is not a string".removeprefix("."))


def _pick(entries: dict[str, YamlMap], name: str | None, missing: Code) -> YamlMap:
    """The entry of that name."""
    if name is None or name not in entries:
        field = {Code.CONTEXT_NOT_FOUND: "current-context", Code.CLUSTER_NOT_FOUND: "context.cluster"}.get(missing, "context.user")
        raise InvalidKubeconfig(missing, f"{field} names an entry that is not there")
    return entries[name]


def _server(url: str | None, policy: AddressPolicy) -> tuple[str, int]:
    if url is None or not url.lower().startswith("https://"):
        raise InvalidKubeconfig(Code.NOT_HTTPS, "cluster.server must start with https://")
    match = _URL.fullmatch("https://" + url[8:])
    if match is None:
        raise InvalidKubeconfig(Code.SERVER_URL, "cluster.server must be https://HOST[:PORT], without user, path, query or fragment")
    host, port = match["host"].strip("[]").lower(), int(match["port"] or 443)
    if not 0 < port < 65536:
        raise InvalidKubeconfig(Code.SERVER_URL, "cluster.server: the port must be 1 to 65535")
    try:
        policy.check_host(host)
    except AddressNotAllowed as exc:
        raise InvalidKubeconfig(Code.ADDRESS, f"cluster.server: {exc}") from None
    except ValueError:
        raise InvalidKubeconfig(Code.SERVER_URL, "cluster.server: the host is neither a name nor an address") from None
    return host, port


def _ca(cluster: YamlMap, now: datetime) -> str:
    pem = _data(cluster, "certificate-authority-data", "cluster")
    if not pem:
        raise InvalidKubeconfig(Code.NO_CA, "cluster.certificate-authority-data is not set")
    try:
        check_ca(pem, now)
    except BadCertificate as exc:
        raise InvalidKubeconfig(Code(exc.fault.value), "cluster.certificate-authority-data") from None
    return pem


def _identity(user: YamlMap, now: datetime) -> tuple[Secret | None, str | None, Secret | None]:
    token = _text(user, "token", "user")
    certificate = _data(user, "client-certificate-data", "user")
    key = _data(user, "client-key-data", "user")
    if token is not None and (certificate or key):
        raise InvalidKubeconfig(Code.AMBIGUOUS, "user has a token and a client certificate: keep one")
    if token is not None:
        if len(token) > MAX_TOKEN or not _TOKEN.fullmatch(token):
            raise InvalidKubeconfig(Code.INVALID_TOKEN, "user.token is not a bearer token (RFC 6750)")
        return Secret(token), None, None
    if not certificate or not key:
        raise InvalidKubeconfig(Code.NO_CREDENTIALS, "user needs a token, or client-certificate-data with client-key-data")
    try:
        check_client(certificate, key, now)
    except BadCertificate as exc:
        raise InvalidKubeconfig(Code(exc.fault.value), "user.client-certificate-data or user.client-key-data") from None
    return None, certificate, Secret(key)


def _data(mapping: YamlMap, key: str, where: str) -> str | None:
    """A base64 field as text."""
    text = _text(mapping, key, where)
    if text is None:
        return None
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        raise InvalidKubeconfig(Code.INVALID_BASE64, f"{where}.{key} is not base64 of a PEM text") from None


def _namespace(context: YamlMap) -> str | None:
    name = _text(context, "namespace", "context")
    if name and not _NAMESPACE.fullmatch(name):
        raise InvalidKubeconfig(Code.INVALID_NAMESPACE, "context.namespace is not a namespace name")
    return name or None
