"""What a member link keeps from one connection to the next. No I/O, no clock."""

from dataclasses import dataclass, field

from sampan.controller.members.connection.access import NO_OPTIONAL_RESOURCES, AccessReview, OptionalResources
from sampan.controller.members.credentials import LinkCredentials
from sampan.controller.members.job_copies import JobCopies
from sampan.controller.members.published import PublishedCapacity
from sampan.controller.members.tenants import OfferNamespaces, TenantNamespaces
from sampan.inventory.member import Inventory


@dataclass(slots=True, kw_only=True)
class LinkMemory:
    """What a link keeps from one connection to the next."""

    inventory: Inventory
    copies: JobCopies
    credentials: LinkCredentials
    cluster_uid: str | None = None
    """The first cluster met."""
    version: str = ""
    access: AccessReview | None = None
    optional: OptionalResources = NO_OPTIONAL_RESOURCES
    """What more may be followed, as it was looked up last."""
    published: PublishedCapacity | None = None
    """Set where the member publishes its capacity instead of letting us look."""
    tenants: TenantNamespaces = field(default_factory=TenantNamespaces)

    @property
    def offers(self) -> OfferNamespaces:
        """Return the namespaces that offers name."""
        return self.tenants.offers

    @property
    def namespaces(self) -> frozenset[str]:
        """Return those where our jobs run: that offers name, of tenants, and of tenants no more where something of ours is left."""
        return self.tenants.followed

    def update_namespaces(self) -> None:
        """Say again where our jobs run."""
        tenants, fresh = self.tenants, self.offers.named | self.tenants.ready(self.offers)
        dropped = self.namespaces - fresh if self.offers.per_tenant else frozenset[str]()
        tenants.followed = fresh | {name for name in dropped if self.copies.has_any_in(name)}
        if self.published is not None:
            self.published.namespaces = frozenset((self.published.namespace, *tenants.listed(self.published.namespace)))
