"""Condition types and reasons as constants. Which condition holds is decided in the controller, and `status.with_condition` sets it."""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

SCHEDULED: Final = "Scheduled"
RUNNING: Final = "Running"
COMPLETE: Final = "Complete"
FAILED: Final = "Failed"
SUSPENDED: Final = "Suspended"
DEGRADED: Final = "Degraded"
DELETING: Final = "Deleting"
HOLD_UPS: Final = (DELETING, DEGRADED)
"""Conditions that say what keeps a job from going on as it should; True only while it does. The first one that is True comes first."""

APPROVED: Final = "Approved"
CONNECTED: Final = "Connected"
PERMISSIONS_SUFFICIENT: Final = "PermissionsSufficient"
SCHEDULABLE: Final = "Schedulable"
DRAINING: Final = "Draining"
OVERCOMMITTED: Final = "Overcommitted"
OFFER_CONDITIONS: Final = (APPROVED, CONNECTED, PERMISSIONS_SUFFICIENT, SCHEDULABLE, DRAINING, OVERCOMMITTED)


class JobReason(StrEnum):
    """Reasons of a job's conditions, besides the `Reason`s of the scheduler."""

    BOUND = "Bound"
    NO_OFFERS = "NoOffers"
    INVALID_SPEC = "InvalidSpec"
    NOT_STARTED = "NotStarted"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    START_DEADLINE_EXCEEDED = "StartDeadlineExceeded"
    REJECTED = "Rejected"
    REMOTE_LOST = "RemoteLost"
    NAME_CONFLICT = "NameConflict"
    CONFIG_MAP_NOT_FOUND = "ConfigMapNotFound"
    SECRET_NOT_SHARED = "SecretNotShared"  # noqa: S105 - the name of a reason
    RESUMED = "Resumed"
    RECOVERED = "Recovered"
    # Of Degraded: what is wrong with an attempt that is under way.
    NODE_GONE = "NodeGone"
    NODE_UNREACHABLE = "NodeUnreachable"
    NODE_NOT_READY = "NodeNotReady"
    PODS_TERMINATING = "PodsTerminating"
    PODS_NOT_READY = "PodsNotReady"
    MEMBER_UNREACHABLE = "MemberUnreachable"
    OFFER_GONE = "OfferGone"
    NEWER_COPY = "NewerCopy"
    # Of Deleting: what the removal of a copy waits for.
    WAITING_FOR_PODS = "WaitingForPods"
    WAITING_FOR_MEMBER = "WaitingForMember"
    WAITING_FOR_FINALIZERS = "WaitingForFinalizers"


class OfferReason(StrEnum):
    """Reasons of an offer's conditions. An unusable kubeconfig is `InvalidKubeconfig/<code>`: see `invalid_kubeconfig`."""

    GRANTED = "Granted"
    NO_PROVIDER = "NoProvider"
    NAMESPACE_NOT_GRANTED = "NamespaceNotGranted"
    JURISDICTION_NOT_GRANTED = "JurisdictionNotGranted"
    REGION_NOT_GRANTED = "RegionNotGranted"
    TERMS_NOT_GRANTED = "TermsNotGranted"
    LABEL_NOT_GRANTED = "LabelNotGranted"  # with status True: the label is not passed on, nothing else is wrong
    OVERRIDE_NOT_TRUSTED = "OverrideNotTrusted"  # with status True: the detected class counts
    FOREIGN_CURRENCY = "ForeignCurrency"  # with status True: such prices count for nothing
    INVALID_SPEC = "InvalidSpec"
    CONNECTED = "Connected"
    CONNECTING = "Connecting"
    UNREACHABLE = "Unreachable"
    UNAUTHORIZED = "Unauthorized"
    FORBIDDEN = "Forbidden"
    TLS_ERROR = "TLSError"
    SYNCING = "Syncing"
    NOT_FOLLOWED = "NotFollowed"  # a watch that the jobs of this offer need does not work
    CAPACITY_STALE = "CapacityStale"  # the member publishes its capacity, and has not for a while
    SECRET_NOT_READABLE = "SecretNotReadable"  # noqa: S105 - the name of a reason
    SECRET_NOT_FOUND = "SecretNotFound"  # noqa: S105 - the name of a reason
    KEY_MISSING = "KeyMissing"
    INVALID_KUBECONFIG = "InvalidKubeconfig"
    DUPLICATE_CLUSTER = "DuplicateCluster"
    IDENTITY_CHANGED = "IdentityChanged"
    HUB_AS_MEMBER = "HubAsMember"
    PERMISSIONS_SUFFICIENT = "PermissionsSufficient"
    MISSING_PERMISSIONS = "MissingPermissions"
    NAMESPACE_MISSING = "NamespaceMissing"
    OVER_PRIVILEGED = "OverPrivileged"  # with status True: a warning
    NOT_REVIEWED = "NotReviewed"
    SCHEDULABLE = "Schedulable"
    STATUS_REFUSED = "StatusRefused"  # with status True: the pools cannot be shown, nothing else is wrong
    NOT_APPROVED = "NotApproved"
    NOT_CONNECTED = "NotConnected"
    NOT_ACCEPTING = "NotAccepting"
    NOT_VALID = "NotValid"
    PERMISSIONS_MISSING = "PermissionsMissing"
    FINALIZER_MISSING = "FinalizerMissing"
    NO_POOLS = "NoPools"
    RUNTIME_CLASS_MISSING = "RuntimeClassMissing"
    RUNTIME_CLASS_UNKNOWN = "RuntimeClassUnknown"  # with status True: some pools cannot run pods, or an overhead is not counted
    OVERCOMMITTED = "Overcommitted"
    DRAINING = "Draining"
    JOBS_BOUND = "JobsBound"
    DRAINED = "Drained"


def invalid_kubeconfig(code: str) -> str:
    """Return the reason of a kubeconfig that was refused, such as InvalidKubeconfig/ExecNotAllowed."""
    return f"{OfferReason.INVALID_KUBECONFIG}/{code}"


def as_reason(text: str, *, default: str = "Unknown") -> str:
    """Return foreign text as a word that a condition's reason may be: letters, digits and underscores, at most 128."""
    word = re.sub(r"[^A-Za-z0-9_]", "", text, flags=re.ASCII).lstrip("0123456789_")[:128]
    return word or default


def find_condition(conditions: Sequence[Mapping[str, Any]], kind: str) -> Mapping[str, Any] | None:
    """Return the condition of this type, or None."""
    return next((condition for condition in conditions if condition["type"] == kind), None)
