"""The hub's own credentials.

Lives here: where the operator's own identity is read from, and following it when its files change.
Must never live here: members' credentials: those never come from files.
"""

import asyncio
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Never, Protocol

from sampan.kube.credentials.addresses import TRUSTED
from sampan.kube.credentials.credential import Credentials
from sampan.kube.credentials.kubeconfig import InvalidKubeconfig, parse
from sampan.kube.credentials.secret import Secret
from sampan.kube.errors import KubeError
from sampan.kube.transport.client import Client

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_LOG = logging.getLogger(__name__)


class NoHubCredentials(Exception):  # noqa: N818
    """The operator was not told which cluster is its hub, or cannot read how to reach it."""


class Source(Protocol):
    """Where credentials come from."""

    def read(self) -> Credentials:
        """What is there now. Raises NoHubCredentials or InvalidKubeconfig."""


@dataclass(frozen=True, slots=True)
class KubeconfigFile:
    """A kubeconfig of the administrator; the same allow-list as for members, any address."""

    path: Path

    def read(self) -> Credentials:
        """Parse the file."""
        try:
            raw = self.path.read_bytes()
        except OSError as exc:
            problem = exc.strerror or "unreadable"
        else:
            return self._usable(raw)
        raise NoHubCredentials(f"kubeconfig {self.path}: {problem}; give --kubeconfig or run inside the hub")

    def _usable(self, raw: bytes) -> Credentials:
        """The credentials in it, but none for another name than the server's: Kopf, which shares them, verifies the host alone."""
        try:
            credentials = parse(raw, policy=TRUSTED)
        except InvalidKubeconfig as exc:
            raise InvalidKubeconfig(exc.code, f"kubeconfig {self.path}: {exc.message}") from None
        if credentials.server_name is None:
            return credentials
        raise NoHubCredentials(f"kubeconfig {self.path}: tls-server-name works for members only; give a server that its certificate names")


@dataclass(frozen=True, slots=True)
class InCluster:
    """The ServiceAccount files of a pod; the kubelet replaces the token about once an hour."""

    host: str
    port: int
    folder: Path = SERVICE_ACCOUNT

    def read(self) -> Credentials:
        """Read the files."""
        try:
            token = (self.folder / "token").read_text("utf-8").strip()
            ca_pem = (self.folder / "ca.crt").read_text("utf-8")
        except (OSError, UnicodeDecodeError) as exc:
            problem = type(exc).__name__
        else:
            return Credentials(host=self.host, port=self.port, ca_pem=ca_pem, token=Secret(token), policy=TRUSTED)
        raise NoHubCredentials(f"{self.folder}: {problem}; the pod needs a mounted ServiceAccount token")


def hub_source(path: Path | None, *, environ: Mapping[str, str] = os.environ, folder: Path = SERVICE_ACCOUNT) -> Source:
    """The kubeconfig at ``path`` or, for None, the pod's own ServiceAccount. Raises NoHubCredentials outside a pod."""
    if path is not None:
        return KubeconfigFile(path)
    host, port = environ.get("KUBERNETES_SERVICE_HOST", ""), environ.get("KUBERNETES_SERVICE_PORT_HTTPS", "443")
    if not host or not port.isdecimal():
        raise NoHubCredentials("not inside a cluster: give the hub's kubeconfig")
    return InCluster(host, int(port), folder)


async def follow(client: Client, source: Source, *, every: float = 5.0) -> Never:
    """Look each ``every`` seconds whether ``source`` changed and use what is new; what is broken is logged and not used."""
    last = ""
    while True:
        await asyncio.sleep(every)
        try:
            await client.replace_credentials(source.read())
            problem = ""
        except (NoHubCredentials, InvalidKubeconfig, KubeError) as exc:
            problem = str(exc)
        if problem and problem != last:
            _LOG.warning("the hub's new credentials are not used: %s", problem)
        last = problem
