"""TLS contexts from credentials.

Lives here: the one place that makes an SSLContext.
Must never live here: a way to skip verification.
"""

import ssl
import tempfile
from pathlib import Path

from sampan.kube.credentials.credential import Credentials

_MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108  (files in it are made by mkstemp, mode 0600)


def tls_context(credentials: Credentials) -> ssl.SSLContext:
    """Verifies host and chain against the credential's CAs alone, TLS 1.2 or later. Raises ssl.SSLError on data OpenSSL refuses.

    Each certificate that was given is believed, be it a root, an intermediate or the server's own, as Go's TLS does. Where none was,
    the server's certificate is a public one: the CAs of this machine count (SSL_CERT_FILE, SSL_CERT_DIR), and nothing else.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if credentials.ca_pem is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(cadata=credentials.ca_pem)
    if credentials.client_certificate is not None and credentials.client_key is not None:
        load_pair(context, f"{credentials.client_certificate}\n{credentials.client_key.reveal()}")
    return context


def load_pair(context: ssl.SSLContext, pem: str) -> None:
    """Take a chain with its key, in PEM. Raises ssl.SSLError where they are none, or do not belong together.

    Python's ssl reads key pairs from files only: a private one, in memory where there is such a folder, gone before we return.
    """
    folder = _MEMORY_FOLDER if _MEMORY_FOLDER.is_dir() else None
    with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".pem", encoding="utf-8") as file:
        file.write(pem)
        file.flush()
        context.load_cert_chain(file.name, password=_no_password)


def _no_password() -> str:
    """An encrypted key must not make OpenSSL ask on the terminal."""
    return ""
