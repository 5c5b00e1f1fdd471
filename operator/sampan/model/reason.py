"""Every "no" that Sampan can say, as a closed list of machine-readable words. No prose here: their `Constraint`s have it."""

from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """Why a cell is refused to a demand, worst first: the first reason of a verdict is the dominant one."""

    # The job names something that is not there.
    POLICY_NOT_FOUND = "PolicyNotFound"
    # The job's Queue does not let it compete.
    QUEUE_NOT_ALLOWED = "QueueNotAllowed"
    PRIORITY_NOT_ALLOWED = "PriorityNotAllowed"
    POLICY_NOT_ALLOWED = "PolicyNotAllowed"
    # The offer itself may not be used now.
    OFFER_NOT_APPROVED = "OfferNotApproved"
    OFFER_NOT_ACCEPTING = "OfferNotAccepting"
    OFFER_NOT_VALID = "OfferNotValid"
    OFFER_NOT_CONNECTED = "OfferNotConnected"
    PERMISSIONS_MISSING = "PermissionsMissing"
    OFFER_COOLING_DOWN = "OfferCoolingDown"
    TENANT_EXCLUDED = "TenantExcluded"
    TENANT_NAMESPACE_MISSING = "TenantNamespaceMissing"
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
    PARTITION_MISMATCH = "PartitionMismatch"
    SHARING_MISMATCH = "SharingMismatch"
    DRIVER_TOO_OLD = "DriverTooOld"
    COUNT_NOT_ALLOWED = "CountNotAllowed"
    INTERCONNECT_MISSING = "InterconnectMissing"
    ARCHITECTURE_MISMATCH = "ArchitectureMismatch"
    ACCELERATOR_NODE_RESERVED = "AcceleratorNodeReserved"
    # What the offer lets a job be.
    RUN_LIMIT_EXCEEDED = "RunLimitExceeded"
    DEVICES_PER_JOB_EXCEEDED = "DevicesPerJobExceeded"
    LAUNCH_NOT_PERMITTED = "LaunchNotPermitted"
    USER_NOT_ALLOWED = "UserNotAllowed"
    POD_SECURITY_VIOLATED = "PodSecurityViolated"
    RESOURCES_NOT_NAMED = "ResourcesNotNamed"  # a quota of the member makes pods name a request or a limit
    LIMIT_RANGE_VIOLATED = "LimitRangeViolated"
    MEMBER_QUEUE_NOT_READY = "MemberQueueNotReady"
    MEMBER_QUEUE_NOT_COVERING = "MemberQueueNotCovering"
    RUNTIME_CLASS_MISSING = "RuntimeClassMissing"
    # The nodes are too small, or full.
    TOO_LARGE = "TooLarge"
    QUOTA_EXHAUSTED = "QuotaExhausted"
    MEMBER_QUEUE_FULL = "MemberQueueFull"
    RESERVED_FOR_OTHERS = "ReservedForOthers"  # free now, but reserved for a job that comes first
    INSUFFICIENT_CAPACITY = "InsufficientCapacity"

    @property
    def passing(self) -> bool:
        """Tell whether waiting alone can lift this reason, without a change to the job or the offer."""
        return self in _PASSING

    @property
    def never(self) -> bool:
        """Tell whether neither waiting nor its owner's care for an offer lifts this reason: the job, or what is offered, must change."""
        return self not in _PASSING and self not in _OF_THE_OFFER

    @property
    def unchosen(self) -> bool:
        """Tell whether the job itself says that it is not for such an offer: what keeps it out of others is the news."""
        return self in _UNCHOSEN

    @property
    def wrong_devices(self) -> bool:
        """Tell whether this reason makes the cell beside the point: other devices than the job asks for."""
        return self in _WRONG_DEVICES

    @property
    def severity(self) -> int:
        """Return the rank in the list, 0 the worst; verdicts list their reasons in this order."""
        return _SEVERITY[self]


REASONS: Final = tuple(Reason)
"""By severity."""
_OF_THE_OFFER = frozenset(
    {
        Reason.OFFER_NOT_APPROVED,
        Reason.OFFER_NOT_ACCEPTING,
        Reason.PERMISSIONS_MISSING,
        Reason.MEMBER_QUEUE_NOT_READY,
        Reason.RUNTIME_CLASS_MISSING,
    }
)
_SEVERITY = {reason: rank for rank, reason in enumerate(REASONS)}
_WRONG_DEVICES = (Reason.ACCELERATOR_MISMATCH, Reason.PARTITION_MISMATCH, Reason.SHARING_MISMATCH, Reason.ACCELERATOR_NODE_RESERVED)
_UNCHOSEN = (
    Reason.TERMS_EXCLUDED,
    Reason.PROVIDER_EXCLUDED,
    Reason.REGION_EXCLUDED,
    Reason.JURISDICTION_EXCLUDED,
    Reason.OFFER_SELECTOR_MISMATCH,
)
_PASSING = frozenset(
    {
        Reason.INSUFFICIENT_CAPACITY,
        Reason.RESERVED_FOR_OTHERS,
        Reason.QUOTA_EXHAUSTED,
        Reason.MEMBER_QUEUE_FULL,
        Reason.OFFER_COOLING_DOWN,
        Reason.OFFER_NOT_CONNECTED,
        Reason.OFFER_NOT_VALID,
    }
)
