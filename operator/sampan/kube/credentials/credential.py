"""How to reach one API server and prove who we are, as a value.

Lives here: Credentials and its fingerprint.
Must never live here: parsing, files, network.
"""

import hashlib
from dataclasses import dataclass, field

from sampan.kube.credentials.addresses import DEFAULT_POLICY, AddressPolicy
from sampan.kube.credentials.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A checked connection: ``token``, the pair of ``client_certificate`` and ``client_key``, or both are set.

    ``host`` is a DNS name or an address without brackets; ``path`` comes before that of each request (a gateway's, such as
    Rancher's), empty or with a slash at its begin alone; ``server_name`` is the name that the server's certificate must have, None
    for the host's; ``ca_pem`` the only CAs to believe; ``policy`` is asked again at each connection.
    """

    host: str
    port: int
    ca_pem: str
    token: Secret | None = None
    client_certificate: str | None = None
    client_key: Secret | None = None
    path: str = ""
    server_name: str | None = None
    policy: AddressPolicy = DEFAULT_POLICY
    fingerprint: str = field(init=False, repr=False, compare=False)
    """SHA-256 over all parts, in hex: equal exactly when nothing changed. Not reversible, but keep it out of statuses."""

    def __post_init__(self) -> None:
        """Take the fingerprint once: it is looked at all the time."""
        object.__setattr__(self, "fingerprint", _fingerprint(self))

    @property
    def server(self) -> str:
        """The server's URL, fit for a status."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"https://{host}:{self.port}{self.path}"

    @property
    def endpoint(self) -> tuple[str, str, str | None]:
        """What says whether two credentials lead to the same server: resourceVersions may be carried over only then."""
        return (self.server, self.ca_pem, self.server_name)


def _fingerprint(of: Credentials) -> str:
    digest = hashlib.sha256()
    key = None if of.client_key is None else of.client_key.reveal()
    token = None if of.token is None else of.token.reveal()
    for part in (of.server, of.ca_pem, token, of.client_certificate, key, of.server_name):
        data = b"-" if part is None else b"+" + part.encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()
