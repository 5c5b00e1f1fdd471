"""What the OfferManager is given: settings, and whom it calls back. No behaviour."""

from collections.abc import Callable
from dataclasses import dataclass

from sampan.controller.members.terms import LinkSettings
from sampan.controller.offers.render import OfferUsage
from sampan.inventory.cluster import InFlightSource


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferSettings:
    """What the platform team decided, as far as members go."""

    provider_namespaces: tuple[str, ...]
    """Namespaces whose Secrets the operator may read."""
    home_origins: frozenset[str]
    link: LinkSettings
    currency: str = "CNY"
    """The hub's; prices in another one count for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferCallbacks:
    """What the OfferManager calls; all on the loop, none may block."""

    changed: Callable[[], None]
    """Offers, cells or what is free changed: waiting jobs may have a place now."""
    job_changed: Callable[[str, str], None]
    """(cluster UID, UID of the ComputeJob): its copy or one of its pods changed."""
    member_changed: Callable[[str], None]
    """Every job bound to a member is to be looked at: it may be acted upon again, is away, or an offer of it drains; the cluster UID."""
    in_flight: InFlightSource
    """Our assignments to a cluster whose pods may not all be seen yet."""
    usage: OfferUsage
    """What jobs have of offers."""
