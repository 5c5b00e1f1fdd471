"""Types and reasons of conditions and attempts: every word that Sampan says of a job by itself, as closed lists. No sentences here.

Beside them a status may say a `Reason` of the scheduler, or a word of the member: kubelets and admission plugins have words of their own.
"""

from enum import StrEnum
from typing import Final, NewType

from sampan.model.lifecycle import Outcome
from sampan.model.reason import Reason


class JobConditionType(StrEnum):
    """What a condition of a ComputeJob is about."""

    SCHEDULED = "Scheduled"
    RUNNING = "Running"
    COMPLETE = "Complete"
    FAILED = "Failed"
    SUSPENDED = "Suspended"
    DEGRADED = "Degraded"
    DELETING = "Deleting"
    NEVER_FITS = "NeverFits"


STALLS: Final = (JobConditionType.DELETING, JobConditionType.DEGRADED)
"""Conditions that say what keeps a job from going on as it should; True only while it does. The first one that is True comes first."""


class JobReason(StrEnum):
    """Reasons of a job's conditions, besides those of its attempts and the `Reason`s of the scheduler."""

    UNKNOWN = "Unknown"
    BOUND = "Bound"
    NOT_STARTED = "NotStarted"
    PODS_RUNNING = "PodsRunning"
    SUSPENDED_BY_USER = "SuspendedByUser"
    RESUMED = "Resumed"
    RECOVERED = "Recovered"
    ATTEMPT_ENDED = "AttemptEnded"
    # Of a job that waits.
    NO_OFFERS = "NoOffers"
    NEVER_FITS = "NeverFits"
    MAY_FIT = "MayFit"
    MAX_WAIT_EXCEEDED = "MaxWaitExceeded"
    INVALID_SPEC = "InvalidSpec"
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


class AttemptReason(StrEnum):
    """Why an attempt ended, does not start or is not removed, where no word of the member's own says it."""

    COMPLETED = "Completed"
    ERROR = "Error"
    DEADLINE_EXCEEDED = "DeadlineExceeded"  # the Job controller's word too
    REMOTE_LOST = "RemoteLost"
    JOB_DELETED = "JobDeleted"
    POD_DELETED = "PodDeleted"
    NEVER_STARTED = "NeverStarted"
    # Nothing ran.
    REJECTED = "Rejected"
    START_DEADLINE_EXCEEDED = "StartDeadlineExceeded"
    IMAGE_CANNOT_BE_PULLED = "ImageCannotBePulled"
    SUSPENDED_BY_MEMBER = "SuspendedByMember"
    POOL_GONE = "PoolGone"
    NAME_CONFLICT = "NameConflict"
    LABELS_REMOVED = "LabelsRemoved"
    LAUNCH_NOT_POSSIBLE = "LaunchNotPossible"
    CONFIG_MAP_NOT_FOUND = "ConfigMapNotFound"
    SECRET_NOT_SHARED = "SecretNotShared"  # noqa: S105  the name of a reason
    SECRET_TYPE_NOT_ALLOWED = "SecretTypeNotAllowed"  # noqa: S105  the name of a reason
    KEY_NOT_FOUND = "KeyNotFound"
    CONTENT_TOO_LARGE = "ContentTooLarge"
    NAMESPACE_NOT_FOUND = "NamespaceNotFound"
    NAMESPACE_TERMINATING = "NamespaceTerminating"
    QUOTA_EXCEEDED = "QuotaExceeded"
    WEBHOOK_FAILED = "WebhookFailed"
    ADMISSION_DENIED = "AdmissionDenied"
    PERMISSION_MISSING = "PermissionMissing"
    # Of a copy that has not started, or is not removed.
    SUSPENDED = "Suspended"
    NO_PODS = "NoPods"
    CONTAINERS_NOT_STARTED = "ContainersNotStarted"
    REMOVAL_BLOCKED = "RemovalBlocked"


OF_WHAT_TRAVELS: Final = frozenset(
    {
        AttemptReason.CONFIG_MAP_NOT_FOUND,
        AttemptReason.SECRET_NOT_SHARED,
        AttemptReason.SECRET_TYPE_NOT_ALLOWED,
        AttemptReason.KEY_NOT_FOUND,
        AttemptReason.CONTENT_TOO_LARGE,
    }
)
"""Reasons about ConfigMaps and Secrets of the tenant's namespace: the tenant's to mend, and no member's fault."""

MemberWord = NewType("MemberWord", str)
"""A word of the member's own, which no list of ours can close: of a kubelet, of an API server, of an admission plugin."""
NO_WORD: Final = MemberWord("")
"""Nobody has said why."""

StatedReason = JobReason | AttemptReason | Reason | Outcome | MemberWord
"""What a condition of a job, or its status, may give as the reason: a word of a closed list, or one that is the member's."""

_STATED: Final[dict[str, JobReason | AttemptReason | Reason | Outcome]] = {
    str(each): each for words in (Outcome, Reason, AttemptReason, JobReason) for each in words
}


def stated_reason(word: str) -> StatedReason:
    """Return the reason that a stored status gives. What is in no list of ours is the member's word, or one of a later version."""
    return _STATED.get(word) or MemberWord(word)
