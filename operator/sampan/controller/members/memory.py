"""What a member link keeps from one connection to the next, and with which kubeconfig it connects. No I/O, no clock."""

from dataclasses import dataclass

from sampan.controller.members.access import NOTHING_MORE, Extras, Rights
from sampan.controller.members.job_copies import OwnJobs
from sampan.controller.members.published import Published
from sampan.controller.members.terms import StrangerError
from sampan.inventory.member import Inventory
from sampan.kube.credentials import Credentials


@dataclass(slots=True, kw_only=True)
class Known:
    """What a link keeps from one connection to the next."""

    inventory: Inventory
    own: OwnJobs
    cluster_uid: str | None = None
    """The first cluster met."""
    version: str = ""
    rights: Rights | None = None
    extras: Extras = NOTHING_MORE
    """What more may be followed, as it was looked up last."""
    published: Published | None = None
    """Set where the member publishes its capacity instead of letting us look."""
    namespaces: frozenset[str] = frozenset()
    wanted: Credentials | None = None
    """The newest kubeconfig that parsed."""
    good: Credentials | None = None
    """The last one that led to the member."""
    stranger: str = ""
    """Fingerprint of the one that led elsewhere."""
    failed: str = ""
    """Fingerprint of the one that failed last."""

    def choice(self) -> Credentials | None:
        """Return what to connect with: the newest, or the last good one where the newest failed; never again one that led elsewhere."""
        if self.wanted is None or self.good is None:
            return self.wanted
        return self.good if self.wanted.fingerprint in (self.stranger, self.failed) else self.wanted

    def note_failure(self, tried: Credentials, error: BaseException) -> None:
        """Remember with what a connection failed. What was good before stays good: the cluster changed then, not the kubeconfig."""
        self.failed = tried.fingerprint
        if isinstance(error, StrangerError) and self.good is not None and tried.fingerprint != self.good.fingerprint:
            self.stranger = tried.fingerprint
