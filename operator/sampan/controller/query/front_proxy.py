"""Who asks: the word of the hub's API server, believed only with its front-proxy certificate. Never here: what is answered.

Facts: kubernetes.io, "Configure the Aggregation Layer": the aggregator authenticates by a client certificate of the request-header CA
whose common name is among the allowed ones, and tells the user in headers.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sampan.kube.transport.tls import load_pair

USER_HEADER: Final = "X-Remote-User"


class NotAuthenticated(Exception):  # noqa: N818
    """The connection is not the front proxy's, or it names no user."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom the hub's API server has authenticated, and authorised for the path."""

    user: str


@dataclass(frozen=True, slots=True)
class FrontProxy:
    """What the front proxy's certificate must be."""

    allowed_names: frozenset[str]
    """Common names; empty: nobody is believed, for one CA may sign many clients."""

    def caller(self, headers: Mapping[str, str], certificate: Mapping[str, Any] | None) -> Caller:
        """Return who asks; `certificate` is the verified one of the peer as `getpeercert` gives it. Raises NotAuthenticated."""
        if not certificate:
            raise NotAuthenticated("no front-proxy certificate: ask through the hub's API server")
        if self.allowed_names.isdisjoint(_common_names(certificate)):
            raise NotAuthenticated("the client certificate's common name is not that of a front proxy")
        user = headers.get(USER_HEADER, "")
        if not user:
            raise NotAuthenticated(f"no user in {USER_HEADER}")
        return Caller(user)


def server_context(*, certificate: str, key: str, client_ca: str) -> ssl.SSLContext:
    """Return TLS of the server, from PEM. A client certificate is not needed, but one that is shown must be signed by `client_ca`.

    Raises ssl.SSLError, an OSError, where one is none.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    load_pair(context, f"{certificate}\n{key}")
    # An empty text would be a ValueError, an empty line is no certificate as any other text is none.
    context.load_verify_locations(cadata=client_ca.encode("ascii", "ignore").decode() or "\n")
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


def _common_names(certificate: Mapping[str, Any]) -> set[str]:
    return {value for part in certificate.get("subject", ()) for name, value in part if name == "commonName"}
