"""The kubeconfig that goes to the hub: where the member is, as the provider's own kubeconfig says, and a token of the hub's account.

What must never live here: printing a token, and the kubeconfig's way to the hub.
"""

import base64
import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sampan.cli.join.objects import ACCOUNT
from sampan.cli.lib.errors import CliError
from sampan.cli.lib.objects import REJECTED
from sampan.kube.credentials.addresses import TRUSTED, AddressPolicy
from sampan.kube.credentials.kubeconfig import InvalidKubeconfig, parse

if TYPE_CHECKING:
    from sampan.client.access.kubeconfig import Context
    from sampan.kube.credentials.credential import Credentials

_NAME: Final = "member"
PLACEHOLDER: Final = "TOKEN"
"""Stands for the token where it must not be seen."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Where the hub finds the member."""

    server: str
    ca: str
    """Base64 of PEM; empty: the certificate is a public one."""
    server_name: str = ""

    def text(self, *, token: str, namespace: str) -> str:
        """The kubeconfig."""
        import yaml

        cluster = {"server": self.server, "certificate-authority-data": self.ca, "tls-server-name": self.server_name}
        document: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": _NAME, "cluster": {key: value for key, value in cluster.items() if value}}],
            "users": [{"name": ACCOUNT, "user": {"token": token}}],
            "contexts": [{"name": _NAME, "context": {"cluster": _NAME, "user": ACCOUNT, "namespace": namespace}}],
            "current-context": _NAME,
        }
        return yaml.safe_dump(document, sort_keys=False)


def address_of(context: "Context", *, server: str | None, authority: Path | None) -> tuple[Address, list[str]]:
    """The member's address by a context, or as the options say otherwise, and what the provider should know of it."""
    values = context.cluster
    notes = []
    if values.get("proxy-url"):
        notes.append("proxy-url of your context is left out: the hub goes its own way to your cluster")
    url = server or str(values.get("server") or "")
    if authority is None and server is None and values.get("insecure-skip-tls-verify"):
        what = f'context "{context.name}" has insecure-skip-tls-verify, and the hub verifies whom it talks to'
        raise CliError(what, "give --certificate-authority FILE with the CA of the API server", exit_code=REJECTED)
    made = Address(server=url, ca=_ca(values, authority), server_name=str(values.get("tls-server-name") or "") if server is None else "")
    if _of_this_machine(url):
        notes.append(
            f"{url} is an address of this machine alone: unless the hub runs here too, give --server https://… as the hub reaches it"
        )
    return made, notes


def credentials_of(text: str) -> "Credentials":
    """How the hub will read it. Raises `CliError` for what it would refuse; which addresses it allows is known to the hub alone."""
    try:
        return parse(text.encode(), policy=TRUSTED)
    except InvalidKubeconfig as error:
        raise CliError(f"the hub would refuse this kubeconfig: {error.message}", "", exit_code=REJECTED) from error


def _ca(values: dict[str, Any], authority: Path | None) -> str:
    """Base64 of the CA; kubectl believes the data before the file."""
    if authority is not None:
        return base64.b64encode(authority.read_bytes()).decode()
    if values.get("certificate-authority-data"):
        return "".join(str(values["certificate-authority-data"]).split())
    path = values.get("certificate-authority")
    return base64.b64encode(Path(str(path)).read_bytes()).decode() if path else ""


def _of_this_machine(url: str) -> bool:
    from urllib.parse import urlsplit

    host = urlsplit(url).hostname or ""
    try:
        return not AddressPolicy().allows(ipaddress.ip_address(host))
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
