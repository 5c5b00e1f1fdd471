"""Writes kubeconfig files that hold all their data themselves. Never here: reading anybody's kubeconfig."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class CertificateUser:
    """A client certificate and its key, PEM."""

    certificate: bytes
    key: bytes

    def stanza(self) -> dict[str, str]:
        """The `user:` mapping of a kubeconfig."""
        return {"client-certificate-data": _encoded(self.certificate), "client-key-data": _encoded(self.key)}


@dataclass(frozen=True, slots=True)
class TokenUser:
    """A bearer token."""

    token: str

    def stanza(self) -> dict[str, str]:
        """The `user:` mapping of a kubeconfig."""
        return {"token": self.token}


def kubeconfig_text(*, server: str, ca: bytes, user: CertificateUser | TokenUser, namespace: str = "default", name: str = "sampan") -> str:
    """The YAML of a kubeconfig with one context."""
    config: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": server, "certificate-authority-data": _encoded(ca)}}],
        "users": [{"name": name, "user": user.stanza()}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": namespace}}],
        "current-context": name,
    }
    return yaml.safe_dump(config, sort_keys=False)


def write_kubeconfig(path: Path, *, server: str, ca: bytes, user: CertificateUser | TokenUser, namespace: str = "default") -> None:
    """Writes the file for its owner's eyes only (mode 0600), whole or not at all; the context is named after the file."""
    write_private(path, kubeconfig_text(server=server, ca=ca, user=user, namespace=namespace, name=path.stem))


def write_private(path: Path, text: str) -> None:
    """Writes a file of mode 0600, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text(text)
    fresh.replace(path)


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()
