"""A hub named by environment variables, as CI systems hand secrets to a step: SAMPAN_HUB_SERVER, _TOKEN, _CA and _NAMESPACE.

What must never live here: files of kubeconfigs, and the client.
"""

import base64
import binascii
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sampan.client.access.kubeconfig import Context
from sampan.client.errors import KubeconfigError

SERVER: Final = "SAMPAN_HUB_SERVER"
TOKEN: Final = "SAMPAN_HUB_TOKEN"  # noqa: S105 - a variable's name
CA: Final = "SAMPAN_HUB_CA"
NAMESPACE: Final = "SAMPAN_HUB_NAMESPACE"
_PEM: Final = "-----BEGIN CERTIFICATE-----"


def named(environ: Mapping[str, str] = os.environ) -> Context | None:
    """The hub that the variables name; None without SAMPAN_HUB_SERVER. Raises `KubeconfigError` for what it cannot be reached by."""
    server = environ.get(SERVER, "").strip()
    if not server:
        return None
    return context(server, environ.get(TOKEN, ""), ca=environ.get(CA, ""), namespace=environ.get(NAMESPACE, "").strip())


def context(server: str, token: str, *, ca: str = "", namespace: str = "") -> Context:
    """What a kubeconfig would say of such a hub. `ca`: see `certificates`."""
    if urlsplit(server).scheme != "https":
        raise KubeconfigError(f"{SERVER} is no https:// URL", "give the server's address as a kubeconfig has it, https://HOST:PORT")
    if not token.strip():
        raise KubeconfigError(f"{TOKEN} is empty", "give the ServiceAccount's token: examples/ci/README.md makes one")
    authority = {"certificate-authority-data": data} if (data := certificates(ca)) else {}
    return Context(name=SERVER, cluster={"server": server, **authority}, user={"token": token}, namespace=namespace)


def certificates(ca: str) -> str:
    """The hub's CA as base64; empty where only the machine's own CAs are believed.

    It may be PEM, base64 of PEM (`certificate-authority-data` of a kubeconfig), or the path of a file with either.
    Raises `KubeconfigError`.
    """
    text = ca.strip()
    if not text:
        return ""
    if _PEM in text:
        return base64.b64encode(text.encode()).decode()
    try:
        decoded = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if _PEM.encode() in decoded:
        return base64.b64encode(decoded).decode()
    try:
        inside = Path(text).read_text(encoding="utf-8") if len(text) < 4096 else ""
    except (OSError, ValueError):
        inside = ""
    if not inside.strip() or inside.strip() == text:
        raise KubeconfigError(f"{CA} is neither a certificate nor a file that can be read", "give PEM, base64 of it, or the path of a file")
    return certificates(inside)
