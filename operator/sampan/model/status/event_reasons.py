"""Reasons of Events: what Sampan tells of a job or an offer beside its status, as a closed list. No sentences here."""

from enum import StrEnum
from typing import Final


class EventReason(StrEnum):
    """What happened to a ComputeJob or a ClusterOffer."""

    # To a job.
    BOUND = "Bound"
    MOVED = "Moved"
    STARTED = "Started"
    COMPLETED = "Completed"
    FAILED = "Failed"
    ATTEMPT_FAILED = "AttemptFailed"
    DISRUPTED = "Disrupted"
    REJECTED = "Rejected"
    REFUSED = "Refused"
    CANCELLED = "Cancelled"
    SUSPENDED = "Suspended"
    RESUMED = "Resumed"
    DEGRADED = "Degraded"
    RECOVERED = "Recovered"
    REMOVAL_STALLED = "RemovalStalled"
    MEMBER_AWAY = "MemberAway"  # to an offer too
    MEMBER_BACK = "MemberBack"  # to an offer too
    # To an offer.
    MEMBER_CONNECTED = "MemberConnected"
    CREDENTIAL_PROBLEM = "CredentialProblem"
    APPROVED = "Approved"
    NOT_APPROVED = "NotApproved"
    PERMISSIONS_GRANTED = "PermissionsGranted"
    PERMISSIONS_MISSING = "PermissionsMissing"
    SCHEDULABLE = "Schedulable"
    NOT_SCHEDULABLE = "NotSchedulable"
    OVERCOMMITTED = "Overcommitted"
    DRAINING = "Draining"


WARNINGS: Final = frozenset(
    {
        *(EventReason.FAILED, EventReason.ATTEMPT_FAILED, EventReason.DISRUPTED, EventReason.REJECTED, EventReason.REFUSED),
        *(EventReason.DEGRADED, EventReason.REMOVAL_STALLED, EventReason.MEMBER_AWAY, EventReason.CREDENTIAL_PROBLEM),
        *(EventReason.NOT_APPROVED, EventReason.PERMISSIONS_MISSING, EventReason.NOT_SCHEDULABLE, EventReason.OVERCOMMITTED),
    }
)
"""Those of type Warning: somebody may have to do something. All others are Normal."""
