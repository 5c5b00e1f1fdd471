"""What is known of a member link, and what of it concerns one of the offers that share it. Values; what follows is judged elsewhere."""

from dataclasses import dataclass, replace

from sampan.model.members.offer_reasons import OfferReason, OfferStatedReason


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFacts:
    """What is known of a member link. `reason` and `message` say why it is, or is not, connected."""

    connected: bool = False
    reason: OfferStatedReason = OfferReason.CONNECTING
    message: str = ""
    cluster_uid: str | None = None
    version: str = ""
    missing: tuple[str, ...] | None = None
    """Rights that the credential lacks; None before the first review."""
    absent: tuple[tuple[str, str], ...] = ()
    """Namespaces for our jobs that are not there, or about to go: the name and the fact in words."""
    behind: tuple[tuple[str, OfferStatedReason, str], ...] = ()
    """Namespaces of our jobs that are not followed: the name, with reason and message for the offers that use it."""
    over_privileged: bool = False
    fingerprint: str = ""
    """First digits of the SHA-256 of the kubeconfig in use."""
    pod_security: tuple[tuple[str, str], ...] = ()
    """Pod Security level that each namespace of our jobs enforces, as far as we may look."""
    unseen: tuple[str, ...] = ()
    """Of what limits pods there: resources that we may not look at."""

    @property
    def joining(self) -> bool:
        """Tell whether the link is on its way in: the member is not there yet, and not known to be away."""
        return self.reason in (OfferReason.CONNECTING, OfferReason.SYNCING)

    def of(self, namespace: str) -> "LinkFacts":
        """Return what concerns an offer whose jobs run in one namespace: offers of one kubeconfig share a link.

        A right or a watch that is lacking in another offer's namespace is that one's trouble; `""`: of what concerns them all.
        """
        missing = None if self.missing is None else tuple(each for each in self.missing if _place(each) in ("", namespace))
        absent = tuple(each for each in self.absent if each[0] == namespace)
        behind = tuple(each for each in self.behind if each[0] == namespace)
        same = (missing, absent, behind) == (self.missing, self.absent, self.behind)
        mine = self if same else replace(self, missing=missing, absent=absent, behind=behind)
        if not behind or not self.connected or missing or absent:
            return mine
        _, reason, message = behind[0]
        return replace(mine, connected=False, reason=reason, message=message)


def _place(right: str) -> str:
    """Return the namespace that a right is for, such as `create jobs.batch in sampan-jobs`; empty for the whole cluster."""
    return right.partition(" in ")[2]
