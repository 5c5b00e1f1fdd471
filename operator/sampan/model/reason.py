"""Every "no" that Sampan can say, as a closed list of machine-readable words. No prose here: `scheduling/explain` words them."""

from enum import StrEnum


class Reason(StrEnum):
    """Why a cell is refused to a demand, worst first: the first reason of a verdict is the dominant one."""

    # The job names something that is not there.
    POLICY_NOT_FOUND = "PolicyNotFound"
    # The offer itself may not be used now.
    OFFER_NOT_APPROVED = "OfferNotApproved"
    OFFER_NOT_ACCEPTING = "OfferNotAccepting"
    OFFER_NOT_VALID = "OfferNotValid"
    OFFER_NOT_CONNECTED = "OfferNotConnected"
    PERMISSIONS_MISSING = "PermissionsMissing"
    OFFER_COOLING_DOWN = "OfferCoolingDown"
    # The tenant's own limits exclude it.
    TERMS_EXCLUDED = "TermsExcluded"
    PROVIDER_EXCLUDED = "ProviderExcluded"
    REGION_EXCLUDED = "RegionExcluded"
    JURISDICTION_EXCLUDED = "JurisdictionExcluded"
    OFFER_SELECTOR_MISMATCH = "OfferSelectorMismatch"
    NOT_DOMESTIC = "NotDomestic"
    PRICE_ABOVE_CAP = "PriceAboveCap"
    PRICE_UNKNOWN = "PriceUnknown"
    # The devices do not suit.
    ACCELERATOR_MISMATCH = "AcceleratorMismatch"
    CAPABILITY_INSUFFICIENT = "CapabilityInsufficient"
    COUNT_NOT_ALLOWED = "CountNotAllowed"
    ARCHITECTURE_MISMATCH = "ArchitectureMismatch"
    ACCELERATOR_NODE_RESERVED = "AcceleratorNodeReserved"
    # The nodes are too small, or full.
    TOO_LARGE = "TooLarge"
    INSUFFICIENT_CAPACITY = "InsufficientCapacity"

    @property
    def passing(self) -> bool:
        """Tell whether waiting alone can lift this reason, without a change to the job or the offer."""
        return self in _PASSING

    @property
    def wrong_devices(self) -> bool:
        """Tell whether this reason makes the cell beside the point: other devices than the job asks for."""
        return self in (Reason.ACCELERATOR_MISMATCH, Reason.ACCELERATOR_NODE_RESERVED)

    @property
    def preemptable(self) -> bool:
        """Tell whether stopping lower jobs could lift this reason."""
        return self is Reason.INSUFFICIENT_CAPACITY

    @property
    def severity(self) -> int:
        """Return the rank in the list, 0 the worst; verdicts list their reasons in this order."""
        return _SEVERITY[self]


_SEVERITY = {reason: rank for rank, reason in enumerate(Reason)}
_PASSING = frozenset({Reason.INSUFFICIENT_CAPACITY, Reason.OFFER_COOLING_DOWN, Reason.OFFER_NOT_CONNECTED, Reason.OFFER_NOT_VALID})
