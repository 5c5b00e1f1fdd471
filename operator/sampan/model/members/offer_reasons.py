"""Types and reasons of an offer's conditions, as closed lists. Which of them holds is assessed in the controller."""

from enum import StrEnum
from typing import NewType


class OfferConditionType(StrEnum):
    """What a condition of a ClusterOffer is about, in the order in which they are shown."""

    APPROVED = "Approved"
    CONNECTED = "Connected"
    PERMISSIONS_SUFFICIENT = "PermissionsSufficient"
    SCHEDULABLE = "Schedulable"
    DRAINING = "Draining"
    OVERCOMMITTED = "Overcommitted"
    CREDENTIAL_EXPIRING = "CredentialExpiring"


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
    NOT_RENEWED = "NotRenewed"  # the credential ends soon, and the hub does not renew it
    RENEWAL_FAILED = "RenewalFailed"


RefusedKubeconfig = NewType("RefusedKubeconfig", str)
"""InvalidKubeconfig/<code>, with the code of the check that refused it; made by `invalid_kubeconfig` and nobody else."""

OfferStatedReason = OfferReason | RefusedKubeconfig
"""What a condition of an offer may give as the reason."""
ConditionText = tuple[OfferStatedReason, str]
"""Reason and message of a condition."""


def invalid_kubeconfig(code: str) -> RefusedKubeconfig:
    """Return the reason of a kubeconfig that was refused, such as InvalidKubeconfig/ExecNotAllowed."""
    return RefusedKubeconfig(f"{OfferReason.INVALID_KUBECONFIG}/{code}")
