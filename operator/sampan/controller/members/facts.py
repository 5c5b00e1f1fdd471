"""What is known of a member link, and what of it concerns one of the offers that share it. Values; what follows is judged elsewhere."""

from dataclasses import dataclass, replace
from typing import Final

from sampan.controller.members.tenants import TenantNamespace
from sampan.model.members.credential_end import CredentialEnd
from sampan.model.members.offer_reasons import OfferReason, OfferStatedReason


@dataclass(frozen=True, slots=True, kw_only=True)
class PodRules:
    """What is known of what limits pods in the namespaces of our jobs."""

    pod_security: tuple[tuple[str, str], ...] = ()
    """Pod Security level that each namespace enforces, as far as we may look."""
    unseen: tuple[str, ...] = ()
    """Resources that limit pods and that we may not look at."""


NO_RULES: Final = PodRules()


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialFacts:
    """What is known of the kubeconfig in use."""

    fingerprint: str = ""
    """First digits of its SHA-256."""
    end: CredentialEnd | None = None
    """Set where its credential ends soon and nobody renews it."""


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
    credential: CredentialFacts = CredentialFacts()
    tenants: tuple[TenantNamespace, ...] = ()
    """Whose each namespace of a tenant is, and what keeps its jobs out."""
    rules: PodRules = NO_RULES

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
        tenants = tuple(self._as_followed(each) for each in self.tenants if each.listed_in == namespace)
        same = (missing, absent, behind, tenants) == (self.missing, self.absent, self.behind, self.tenants)
        mine = self if same else replace(self, missing=missing, absent=absent, behind=behind, tenants=tenants)
        if not behind or not self.connected or missing or absent:
            return mine
        _, reason, message = behind[0]
        return replace(mine, connected=False, reason=reason, message=message)

    def _as_followed(self, each: TenantNamespace) -> TenantNamespace:
        """Return an entry with what is wrong where our objects in its namespace are not followed."""
        wrong = next((message for name, _, message in self.behind if name == each.namespace), "")
        return replace(each, problem=wrong) if wrong and not each.problem else each


def _place(right: str) -> str:
    """Return the namespace that a right is for, such as `create jobs.batch in sampan-jobs`; empty for the whole cluster."""
    return right.partition(" in ")[2]
