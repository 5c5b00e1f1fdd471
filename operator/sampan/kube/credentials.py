"""How to reach one API server and prove who we are, as a value.

Lives here: Credentials and its fingerprint.
Must never live here: parsing, files, network.
"""

import hashlib
from dataclasses import dataclass

from sampan.kube.addresses import DEFAULT_POLICY, AddressPolicy
from sampan.kube.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A checked connection: exactly one of ``token`` and the pair of ``client_certificate`` and ``client_key`` is set.

    ``host`` is a DNS name or an address without brackets; ``ca_pem`` the only roots to believe; ``policy`` is asked again
    at each connection. ``namespace`` is the context's, None where it names none.
    """

    host: str
    port: int
    ca_pem: str
    token: Secret | None = None
    client_certificate: str | None = None
    client_key: Secret | None = None
    namespace: str | None = None
    policy: AddressPolicy = DEFAULT_POLICY

    @property
    def server(self) -> str:
        """The server's URL, fit for a status."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"https://{host}:{self.port}"

    @property
    def fingerprint(self) -> str:
        """SHA-256 over all parts, in hex: equal exactly when nothing changed. Not reversible, but keep it out of statuses."""
        digest = hashlib.sha256()
        key = None if self.client_key is None else self.client_key.reveal()
        token = None if self.token is None else self.token.reveal()
        for part in (self.server, self.ca_pem, token, self.client_certificate, key, self.namespace):
            data = b"-" if part is None else b"+" + part.encode()
            digest.update(len(data).to_bytes(8, "big") + data)
        return digest.hexdigest()

    @property
    def endpoint(self) -> tuple[str, int, str]:
        """What says whether two credentials lead to the same server: resourceVersions may be carried over only then."""
        return (self.host, self.port, self.ca_pem)
