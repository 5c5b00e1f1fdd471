"""The values of a kubeconfig's entries.

Lives here: what a server, a CA bundle, a token, a key pair must be, and the words that say so.
Must never live here: which entry counts, or a value of the document in a message.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime

from sampan.kube.credentials.addresses import AddressNotAllowed, AddressPolicy, literal_address
from sampan.kube.credentials.bounded_yaml import YamlMap
from sampan.kube.credentials.certificates import BadCertificate, ca_bundle, client_pair
from sampan.kube.credentials.codes import Code
from sampan.kube.credentials.kubeconfig_faults import FLATTEN, InvalidKubeconfig
from sampan.kube.credentials.secret import Secret

MAX_TOKEN = 16 * 1024
MAX_PATH = 512
_TOKEN = re.compile(r"[!-~]+")  # what a header may carry, without white space; Rancher's have a colon, OpenShift's a tilde
_ENCODED_JWT = re.compile(r"ZXlK[A-Za-z0-9+/]+=*")  # base64 of "eyJ", with which every JWT begins
_URL = re.compile(
    r"https://(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:(?P<port>[0-9]{1,5}))?(?P<path>(/[A-Za-z0-9._~!$&'()*+,;=:@-]+)*)/*"
)
_REDACTED = frozenset({"DATA+OMITTED", "DATA OMITTED", "REDACTED"})
_NO_CA = (
    "is not set: put there, as base64, the PEM certificate of the CA that signed the server's certificate, a public one too "
    "(openssl s_client -showcerts -connect HOST:PORT prints what the server shows)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A mapping of the document: where it stands, and which keys of it have a meaning."""

    where: str
    values: YamlMap
    known: frozenset[str]

    def get(self, key: str) -> object:
        """The value; None for null, an empty string, list or mapping, as kubectl leaves such keys out."""
        return self.values.get(key) or None

    def text(self, key: str) -> str | None:
        """The same, which must be a string."""
        value = self.get(key)
        if value is None or isinstance(value, str):
            return value
        raise InvalidKubeconfig(Code.WRONG_TYPE, f"{self.field(key)} is not a string")

    def field(self, key: str) -> str:
        """The path of a key."""
        return f"{self.where}.{key}".removeprefix(".")

    def slip(self) -> str:
        """A hint for where a key is missing: another one that means nothing, by its line, as its name may be a secret."""
        lines = [str(line) for key, line in self.values.lines.items() if key not in self.known]
        return f" (the key on line {lines[0]} is not known)" if lines else ""


def server(cluster: Part, policy: AddressPolicy) -> tuple[str, int, str]:
    """Host, port and path (without a slash at its end) of the API server. Raises InvalidKubeconfig."""
    where, url = cluster.field("server"), cluster.text("server")
    if url is None or not url.lower().startswith("https://"):
        raise InvalidKubeconfig(Code.NOT_HTTPS, f"{where} must start with https://{cluster.slip() if url is None else ''}")
    match = _URL.fullmatch("https://" + url[8:])
    if match is None or len(match["path"]) > MAX_PATH or {".", ".."} & set(match["path"].split("/")):
        raise InvalidKubeconfig(Code.SERVER_URL, f"{where} must be https://HOST[:PORT][/PATH], without user, query, fragment or dots")
    host, port = _host(match["host"].strip("[]")), int(match["port"] or 443)
    if not 0 < port < 65536:
        raise InvalidKubeconfig(Code.SERVER_URL, f"{where}: the port must be 1 to 65535")
    try:
        policy.check_host(host)
    except AddressNotAllowed as exc:
        raise InvalidKubeconfig(Code.ADDRESS, f"{where}: {exc}") from None
    except ValueError:
        raise InvalidKubeconfig(Code.SERVER_URL, f"{where}: the host is neither a name nor an address") from None
    return host, port, match["path"]


def server_name(cluster: Part) -> str | None:
    """The name that the server's certificate is for, where it is not the host. Raises InvalidKubeconfig."""
    name = cluster.text("tls-server-name")
    if name is None:
        return None
    try:
        literal_address(_host(name))
    except (AddressNotAllowed, ValueError):
        message = f"{cluster.field('tls-server-name')} must be a host name or an address that the server's certificate has"
        raise InvalidKubeconfig(Code.SERVER_NAME, message) from None
    return _host(name)


def authorities(cluster: Part, now: datetime) -> str:
    """The CAs to believe, as PEM. Raises InvalidKubeconfig."""
    key = "certificate-authority-data"
    data = _data(cluster, key)
    if data is None:
        raise InvalidKubeconfig(Code.NO_CA, f"{cluster.field(key)} {_NO_CA}{cluster.slip()}")
    try:
        return ca_bundle(data, now)
    except BadCertificate as exc:
        raise InvalidKubeconfig(exc.code, f"{cluster.field(key)} {exc.words}") from None


def identity(user: Part, now: datetime) -> tuple[Secret | None, str | None, Secret | None]:
    """Token, certificates and key; the token, the pair or both are there. Raises InvalidKubeconfig."""
    token, certificate, key = _token(user), _data(user, "client-certificate-data"), _data(user, "client-key-data")
    if certificate is not None and key is not None:
        try:
            chain, own = client_pair(certificate, key, now)
        except BadCertificate as exc:
            field = "client-key-data" if exc.of_key else "client-certificate-data"
            raise InvalidKubeconfig(exc.code, f"{user.field(field)} {exc.words}") from None
        return token, chain, Secret(own)
    if certificate is not None or key is not None:
        half, other = ("client-certificate-data", "client-key-data")[:: 1 if certificate is not None else -1]
        raise InvalidKubeconfig(Code.NO_CREDENTIALS, f"{user.field(half)} is there without {other}: give both{user.slip()}")
    if token is None:
        message = f"{user.where} needs a token, or client-certificate-data with client-key-data{user.slip()}"
        raise InvalidKubeconfig(Code.NO_CREDENTIALS, message)
    return token, None, None


def _token(user: Part) -> Secret | None:
    text = user.text("token")
    token = text.strip() if text else None
    where = user.field("token")
    if not token:
        return None
    if token in _REDACTED:
        raise _redacted(where)
    if len(token) > MAX_TOKEN or not _TOKEN.fullmatch(token):
        raise InvalidKubeconfig(Code.INVALID_TOKEN, f"{where} must be one word of ASCII characters, on one line, without Bearer")
    if _ENCODED_JWT.fullmatch(token):
        raise InvalidKubeconfig(Code.INVALID_TOKEN, f"{where} is base64 of a token: decode it (kubectl get secret shows it encoded)")
    return Secret(token)


def _data(part: Part, key: str) -> bytes | None:
    """A base64 field."""
    text, where = part.text(key), part.field(key)
    if text is None:
        return None
    if text.strip() in _REDACTED:
        raise _redacted(where)
    if "-----BEGIN" in text:
        raise InvalidKubeconfig(Code.INVALID_BASE64, f"{where} is PEM: put base64 of it there")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidKubeconfig(Code.INVALID_BASE64, f"{where} is not base64 of a PEM text") from None


def _redacted(where: str) -> InvalidKubeconfig:
    return InvalidKubeconfig(Code.REDACTED, f"{where} was left out when the kubeconfig was printed: print it with {FLATTEN}")


def _host(name: str) -> str:
    """A name as it is compared and sent: lower case, without the dot that ends a full name."""
    return name.lower().removesuffix(".")
