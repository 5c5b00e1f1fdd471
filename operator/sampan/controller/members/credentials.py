"""With which credentials a link connects, and whether the hub renews them. No I/O, no clock.

The provider's Secret says what is meant: a token that the hub renewed stands for the very kubeconfig in there, and for no other.
"""

from dataclasses import dataclass, replace
from typing import Protocol

from sampan.api.convert.offers import SecretRef
from sampan.controller.members.terms import WrongClusterError
from sampan.kube.credentials.credential import Credentials
from sampan.kube.credentials.secret import Secret
from sampan.model.members.credential_end import Renewal


class RenewedTokens(Protocol):
    """Tokens by the kubeconfig that they renew: its reference, and the fingerprint of what the Secret holds."""

    @property
    def kept(self) -> bool:
        """Whether tokens can be kept over restarts: else none is renewed."""

    async def load(self) -> None:
        """Read what was kept. Raises KubeError."""

    def find(self, key: SecretRef, of: str) -> Secret | None:
        """The token to use instead of that of a kubeconfig; None where none was renewed, or it has ended."""

    async def keep(self, key: SecretRef, of: str, token: Secret) -> None:
        """Keep a token over restarts. Raises KubeError where it cannot be."""


@dataclass(slots=True, kw_only=True)
class LinkCredentials:
    """What a link knows of its credentials from one connection to the next."""

    key: SecretRef
    tokens: RenewedTokens | None = None
    source: str = ""
    """Fingerprint of the kubeconfig that the Secret holds, the newest that parsed."""
    newest: Credentials | None = None
    """That one, or with the token that the hub renewed."""
    working: Credentials | None = None
    """The last one that led to the member."""
    wrong_cluster: str = ""
    """Fingerprint of the one that led elsewhere."""
    failed: str = ""
    """Fingerprint of the one that failed last."""
    renewal: Renewal = Renewal.UNKNOWN

    def take(self, parsed: Credentials) -> bool:
        """Take what the Secret holds now; tell whether there is something new to use."""
        renewed = None if self.tokens is None else self.tokens.find(self.key, parsed.fingerprint)
        wanted = parsed if renewed is None else replace(parsed, token=renewed)
        self.source = parsed.fingerprint
        if self.newest is not None and self.newest.fingerprint == wanted.fingerprint:
            return False
        self.newest = wanted
        return True

    def choice(self) -> Credentials | None:
        """Return what to connect with: the newest, or the last good one where the newest failed; never again one that led elsewhere."""
        if self.newest is None or self.working is None:
            return self.newest
        return self.working if self.newest.fingerprint in (self.wrong_cluster, self.failed) else self.newest

    def note_failure(self, tried: Credentials, error: BaseException) -> None:
        """Remember with what a connection failed. What was good before stays good: the cluster changed then, not the kubeconfig."""
        self.failed = tried.fingerprint
        if isinstance(error, WrongClusterError) and self.working is not None and tried.fingerprint != self.working.fingerprint:
            self.wrong_cluster = tried.fingerprint
