"""What a member's refusal means, in one word of ours and in its own words. Pure: an error in, words out.

The words are the member's, cut and cleaned; the reason tells what kind of thing is wrong and whether waiting may mend it.
"""

import re
from dataclasses import dataclass
from typing import Final

from sampan.controller.observation.failure import word
from sampan.kube.errors import BadReply, Forbidden, Invalid, KubeError, NotFound, ServerError, TooManyRequests, Unreachable
from sampan.kube.text import clean_text
from sampan.model.status.reasons import AttemptReason, StatedReason

_BY_RIGHTS: Final = re.compile(r'User "[^"]*" cannot ')
"""How RBAC says no (kubernetes/apiserver, endpoints/handlers/responsewriters/errors.go); an admission plugin never does."""
_KNOWN: Final = (
    ("because it is being terminated", AttemptReason.NAMESPACE_TERMINATING),
    ("exceeded quota", AttemptReason.QUOTA_EXCEEDED),
    ("failed calling webhook", AttemptReason.WEBHOOK_FAILED),
    ("denied the request", AttemptReason.ADMISSION_DENIED),
    ("denied request", AttemptReason.ADMISSION_DENIED),
    ("violates PodSecurity", AttemptReason.ADMISSION_DENIED),
)
"""What API servers write, and the word for it (apiserver: plugin/namespace/lifecycle, quota, webhook/errors, policy/validating)."""
_REFUSED: Final = re.compile(r"\b(forbidden|invalid): ")
"""What an API server writes of an object that it will not take, whoever comes with it."""
_PASSING: Final = frozenset({AttemptReason.QUOTA_EXCEEDED, AttemptReason.WEBHOOK_FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFailure:
    """Why a member did not do what it was asked for."""

    reason: StatedReason
    message: str
    """At most 256 bytes."""
    transient: bool = False
    """The server, or a lack of room, is what is in the way: the same call may succeed without anybody changing the job."""
    retry_after: int = 0
    """Milliseconds for which the server asks to be left alone."""


def call_failure(error: KubeError) -> CallFailure:
    """Return what an error of a member says."""
    known = _known(error.message)
    if known is None and isinstance(error, NotFound) and error.message.startswith("namespaces "):
        known = AttemptReason.NAMESPACE_NOT_FOUND
    if known is None and lacks_permission(error):
        known = AttemptReason.PERMISSION_MISSING
    reason = known or word(error.reason, AttemptReason.REJECTED)
    passing = reason in _PASSING or isinstance(error, ServerError | TooManyRequests | Unreachable | BadReply)
    pause = int((getattr(error, "retry_after", None) or 0) * 1000)
    return CallFailure(reason=reason, message=clean_text(error.message), transient=passing, retry_after=pause)


def refused_pods(message: str) -> AttemptReason | None:
    """Return why a member's Job controller is refused the pods of a Job, by its event FailedCreate; None where that may pass by itself."""
    known = _known(message)
    if known in _PASSING:
        return None
    return known or (AttemptReason.ADMISSION_DENIED if _REFUSED.search(message) else None)


def _known(message: str) -> AttemptReason | None:
    return next((reason for part, reason in _KNOWN if part in message), None)


def lacks_permission(error: KubeError) -> bool:
    """Tell whether the credential lacks the right, so that the link is to look at its rights; a no of an admission says nothing of them."""
    return isinstance(error, Forbidden) and _BY_RIGHTS.search(error.message) is not None


def needs_review(error: KubeError) -> bool:
    """Tell whether an answer says that nothing of ours can be made there: the link is to look at its rights and namespaces."""
    return lacks_permission(error) or call_failure(error).reason in (AttemptReason.NAMESPACE_TERMINATING, AttemptReason.NAMESPACE_NOT_FOUND)


def is_final(error: KubeError) -> bool:
    """Tell whether a create was refused for good: the answer says that nothing was made, and the same object will not be taken."""
    return isinstance(error, Invalid | NotFound | Forbidden) and not error.outcome_unknown
