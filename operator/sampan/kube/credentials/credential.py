"""How to reach one API server and prove who we are, as a value.

Lives here: Credentials with its fingerprint, and a proxy before the server.
Must never live here: parsing, files, network.
"""

import base64
import hashlib
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from sampan.kube.credentials.addresses import DEFAULT_POLICY, AddressPolicy, host_port
from sampan.kube.credentials.expiry import claims_of, end_of_certificate
from sampan.kube.credentials.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """An HTTP proxy that the platform team allows: tunnels are asked of it by CONNECT. ``login`` is user:password as a URL has it."""

    host: str
    port: int
    login: Secret | None = None

    @property
    def address(self) -> str:
        """host:port."""
        return host_port(self.host, self.port)

    @property
    def authorization(self) -> Secret | None:
        """The value of the header Proxy-Authorization."""
        if self.login is None:
            return None
        return Secret(f"Basic {base64.b64encode(unquote_to_bytes(self.login.reveal())).decode()}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A checked connection: ``token``, the pair of ``client_certificate`` and ``client_key``, or both are set.

    ``host`` is a DNS name or an address without brackets; ``path`` comes before that of each request (a gateway's, such as
    Rancher's), empty or with a slash at its begin alone; ``server_name`` is the name that the server's certificate must have, None
    for the host's; ``ca_pem`` the only CAs to believe, None for the public ones that this machine believes; ``policy`` is asked again
    at each connection; ``proxy`` stands between, None: nothing does.
    """

    host: str
    port: int
    ca_pem: str | None
    token: Secret | None = None
    client_certificate: str | None = None
    client_key: Secret | None = None
    path: str = ""
    server_name: str | None = None
    proxy: Proxy | None = None
    policy: AddressPolicy = DEFAULT_POLICY
    fingerprint: str = field(init=False, repr=False, compare=False)
    """SHA-256 over all parts, in hex: equal exactly when nothing changed. Not reversible, but keep it out of statuses."""

    ends: int = field(init=False, repr=False, compare=False)
    """When the token or the certificate ends, whichever comes first, in seconds since the epoch; 0 where neither says."""

    def __post_init__(self) -> None:
        """Take fingerprint and end once: they are looked at all the time."""
        object.__setattr__(self, "fingerprint", _fingerprint(self))
        object.__setattr__(self, "ends", _end(self))

    @property
    def server(self) -> str:
        """The server's URL, fit for a status."""
        return f"https://{host_port(self.host, self.port)}{self.path}"

    @property
    def endpoint(self) -> tuple[str, str | None, str | None]:
        """What says whether two credentials lead to the same server: resourceVersions may be carried over only then."""
        return (self.server, self.ca_pem, self.server_name)


def _end(of: Credentials) -> int:
    token = 0 if of.token is None else claims_of(of.token.reveal()).ends
    certificate = 0 if of.client_certificate is None else end_of_certificate(of.client_certificate)
    return min((each for each in (token, certificate) if each), default=0)


def _fingerprint(of: Credentials) -> str:
    digest = hashlib.sha256()
    key = None if of.client_key is None else of.client_key.reveal()
    token = None if of.token is None else of.token.reveal()
    parts = [of.server, of.ca_pem, token, of.client_certificate, key, of.server_name]
    if of.proxy is not None:
        parts += [of.proxy.address, of.proxy.login.reveal() if of.proxy.login else None]
    for part in parts:
        data = b"-" if part is None else b"+" + part.encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()
