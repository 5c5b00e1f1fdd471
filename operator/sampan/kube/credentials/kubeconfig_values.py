"""The values of a kubeconfig's entries.

Lives here: what a server, a proxy, a CA bundle, a token, a key pair must be, and the words that say so.
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
from sampan.kube.credentials.credential import Proxy
from sampan.kube.credentials.kubeconfig_faults import FLATTEN, InvalidKubeconfig
from sampan.kube.credentials.secret import Secret

MAX_TOKEN = 16 * 1024
MAX_PATH = 512
_TOKEN = re.compile(r"[!-~]+")  # what a header may carry, without white space; Rancher's have a colon, OpenShift's a tilde
_ENCODED_JWT = re.compile(r"ZXlK[A-Za-z0-9+/]+=*")  # base64 of "eyJ", with which every JWT begins
_URL = re.compile(
    r"https://(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:(?P<port>[0-9]{1,5}))?(?P<path>(/[A-Za-z0-9._~!$&'()*+,;=:@-]+)*)/*"
)
_PROXY = re.compile(r"http://((?P<login>[!-~]*)@)?(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:(?P<port>[0-9]{1,5}))?/?", re.IGNORECASE)
_REDACTED = frozenset({"DATA+OMITTED", "DATA OMITTED", "REDACTED"})
_NO_PROXY = (
    "is not a proxy that the hub's platform team allows: remove it and give a server that the hub reaches, or have them add its "
    "HOST:PORT to SAMPAN_ALLOWED_PROXIES (operator.allowedProxies of the chart)"
)
_NO_SUCH_PROXY = "must be http://HOST[:PORT] of a proxy that knows CONNECT: name one, or remove it and give a server that the hub reaches"


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
        raise self.fault(Code.WRONG_TYPE, f"{self.field(key)} is not a string", key)

    def field(self, key: str) -> str:
        """The path of a key."""
        return f"{self.where}.{key}".removeprefix(".")

    def fault(self, code: Code, message: str, key: str) -> InvalidKubeconfig:
        """A refusal with the line of a key or, where that is not there, the line on which the mapping begins."""
        return InvalidKubeconfig(code, message, line=self.values.lines.get(key, self.values.line))

    def slip(self) -> str:
        """A hint for where a key is missing: another one that means nothing, by its line, as its name may be a secret."""
        lines = [str(line) for key, line in self.values.lines.items() if key not in self.known]
        return f" (the key on line {lines[0]} is not known)" if lines else ""


def server(cluster: Part, policy: AddressPolicy) -> tuple[str, int, str]:
    """Host, port and path (without a slash at its end) of the API server. Raises InvalidKubeconfig."""
    where, url = cluster.field("server"), cluster.text("server")
    if url is None or not url.lower().startswith("https://"):
        raise cluster.fault(Code.NOT_HTTPS, f"{where} must start with https://{cluster.slip() if url is None else ''}", "server")
    match = _URL.fullmatch("https://" + url[8:])
    if match is None or len(match["path"]) > MAX_PATH or {".", ".."} & set(match["path"].split("/")):
        message = f"{where} must be https://HOST[:PORT][/PATH], without user, query, fragment or dots"
        raise cluster.fault(Code.SERVER_URL, message, "server")
    host, port = _host(match["host"].strip("[]")), int(match["port"] or 443)
    if not 0 < port < 65536:
        raise cluster.fault(Code.SERVER_URL, f"{where}: the port must be 1 to 65535", "server")
    try:
        policy.check_host(host)
    except AddressNotAllowed as exc:
        raise cluster.fault(Code.ADDRESS, f"{where}: {exc}", "server") from None
    except ValueError:
        raise cluster.fault(Code.SERVER_URL, f"{where}: the host is neither a name nor an address", "server") from None
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
        raise cluster.fault(Code.SERVER_NAME, message, "tls-server-name") from None
    return _host(name)


def proxy(cluster: Part, policy: AddressPolicy) -> Proxy | None:
    """The proxy before the server. Raises InvalidKubeconfig for one that is not allowed, or that is none of HTTP."""
    url, where = cluster.text("proxy-url"), cluster.field("proxy-url")
    if url is None:
        return None
    match = _PROXY.fullmatch(url)
    if match is None or not 0 < int(match["port"] or 80) < 65536:
        raise cluster.fault(Code.PROXY, f"{where} {_NO_SUCH_PROXY}", "proxy-url")
    host, port = _host(match["host"].strip("[]")), int(match["port"] or 80)
    if not policy.allows_proxy(host, port):
        raise cluster.fault(Code.PROXY, f"{where} {_NO_PROXY}", "proxy-url")
    return Proxy(host=host, port=port, login=Secret(match["login"]) if match["login"] else None)


def authorities(cluster: Part, now: datetime) -> str | None:
    """The CAs to believe, as PEM; None, as with kubectl, for those that this machine believes. Raises InvalidKubeconfig."""
    key = "certificate-authority-data"
    data = _data(cluster, key)
    if data is None:
        if slip := _similar(cluster, key):
            raise InvalidKubeconfig(Code.NO_CA, f"{cluster.field(key)} is not set, and a key like it means nothing: correct it", line=slip)
        return None
    try:
        return ca_bundle(data, now)
    except BadCertificate as exc:
        raise cluster.fault(exc.code, f"{cluster.field(key)} {exc.words}", key) from None


def identity(user: Part, now: datetime) -> tuple[Secret | None, str | None, Secret | None]:
    """Token, certificates and key; the token, the pair or both are there. Raises InvalidKubeconfig."""
    token, certificate, key = _token(user), _data(user, "client-certificate-data"), _data(user, "client-key-data")
    if certificate is not None and key is not None:
        try:
            chain, own = client_pair(certificate, key, now)
        except BadCertificate as exc:
            field = "client-key-data" if exc.of_key else "client-certificate-data"
            raise user.fault(exc.code, f"{user.field(field)} {exc.words}", field) from None
        return token, chain, Secret(own)
    if certificate is not None or key is not None:
        half, other = ("client-certificate-data", "client-key-data")[:: 1 if certificate is not None else -1]
        raise user.fault(Code.NO_CREDENTIALS, f"{user.field(half)} is there without {other}: give both{user.slip()}", half)
    if token is None:
        message = f"{user.where} needs a token, or client-certificate-data with client-key-data{user.slip()}"
        raise user.fault(Code.NO_CREDENTIALS, message, "token")
    return token, None, None


def _token(user: Part) -> Secret | None:
    text = user.text("token")
    token = text.strip() if text else None
    where = user.field("token")
    if not token:
        return None
    if token in _REDACTED:
        raise _redacted(user, "token")
    if len(token) > MAX_TOKEN or not _TOKEN.fullmatch(token):
        raise user.fault(Code.INVALID_TOKEN, f"{where} must be one word of ASCII characters, on one line, without Bearer", "token")
    if _ENCODED_JWT.fullmatch(token):
        raise user.fault(Code.INVALID_TOKEN, f"{where} is base64 of a token: decode it (kubectl get secret shows it encoded)", "token")
    return Secret(token)


def _data(part: Part, key: str) -> bytes | None:
    """A base64 field."""
    text, where = part.text(key), part.field(key)
    if text is None:
        return None
    if text.strip() in _REDACTED:
        raise _redacted(part, key)
    if "-----BEGIN" in text:
        raise part.fault(Code.INVALID_BASE64, f"{where} is PEM: put base64 of it there", key)
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise part.fault(Code.INVALID_BASE64, f"{where} is not base64 of a PEM text", key) from None


def _redacted(part: Part, key: str) -> InvalidKubeconfig:
    message = f"{part.field(key)} was left out when the kubeconfig was printed: print it with {FLATTEN}"
    return part.fault(Code.REDACTED, message, key)


def _similar(part: Part, key: str) -> int:
    """The line of a key that means nothing and is a slip in this one, as it begins like it; 0 where there is none."""
    begin = key.replace("-", "")[:8]
    lines = [line for name, line in part.values.lines.items() if name not in part.known and _letters(name).startswith(begin)]
    return lines[0] if lines else 0


def _letters(name: str) -> str:
    return re.sub(r"[^a-z]", "", name[:64].lower())


def _host(name: str) -> str:
    """A name as it is compared and sent: lower case, without the dot that ends a full name."""
    return name.lower().removesuffix(".")
