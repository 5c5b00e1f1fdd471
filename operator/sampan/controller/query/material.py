"""What the query server shows and believes: its certificate, its key, and the front proxy's CA; read again while it runs.

Files are replaced by whoever renews them (kubelet for Secrets and ConfigMaps, cert-manager behind it). Never here: the server itself.
"""

import hashlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sampan.controller.query.front_proxy import server_context
from sampan.controller.query.own_certificate import OwnCertificate, own_certificate


@dataclass(slots=True)
class Material:
    """A folder with `ca.crt`, and with `tls.crt` and `tls.key` where no host name is given to make a certificate for."""

    folder: Path
    host: str
    clock: Callable[[], int]
    """Milliseconds since the epoch."""
    _own: OwnCertificate | None = None
    _before: str = ""
    """The certificate before the last one: answers that are being sent still come by it."""
    _shown: bytes = field(default=b"")

    @property
    def believed(self) -> str:
        """Return what the API server must believe, in PEM; empty where somebody else has told it."""
        return "" if self._own is None else self._own.pem + self._before

    def changed(self) -> ssl.SSLContext | None:
        """Return TLS of the server as things are now, None where nothing changed since the last time.

        Raises OSError, ssl.SSLError among them, where a file is missing or is none; the next time it is tried again.
        """
        if self.host and (self._own is None or self.clock() >= self._own.renew_at):
            self._before = self._own.pem if self._own is not None else ""
            self._own = own_certificate(self.host, now=self.clock())
        certificate, key = (self._own.pem, self._own.key_pem) if self._own is not None else (self._read("tls.crt"), self._read("tls.key"))
        client_ca = self._read("ca.crt")
        shown = hashlib.sha256("\0".join((certificate, key, client_ca)).encode()).digest()
        if shown == self._shown:
            return None
        context = server_context(certificate=certificate, key=key, client_ca=client_ca)
        self._shown = shown
        return context

    def _read(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8", errors="replace")
