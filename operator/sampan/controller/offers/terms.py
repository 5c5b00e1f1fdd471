"""What the OfferManager is given: settings. No behaviour."""

from dataclasses import dataclass

from sampan.controller.members.terms import LinkSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferSettings:
    """What the platform team decided, as far as members go."""

    provider_namespaces: tuple[str, ...]
    """Namespaces whose Secrets the operator may read."""
    home_origins: frozenset[str]
    link: LinkSettings
    currency: str = "CNY"
    """The hub's; prices in another one count for nothing."""
