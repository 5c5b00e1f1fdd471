"""What keeps a copy from ever starting as it is: an image that cannot be pulled, a container without its config, pods that are refused.

A kubelet and a Job controller try such things for ever. Here it is told what is worth no more than a short grace. Pure: words in, a
reason out; what passes by itself, such as a full quota or a registry that asks for patience, has until startDeadlineSeconds.
"""

import re
from typing import Final

from sampan.controller.observation.attempt import Observation
from sampan.controller.reconcile.member_words import refused_pods
from sampan.kube.objects.reasons import PodReason
from sampan.model.status.reasons import AttemptReason, MemberWord, StatedReason

PULL_FAILURES: Final[frozenset[str]] = frozenset(
    {
        PodReason.ERR_IMAGE_NEVER_PULL,
        PodReason.ERR_IMAGE_PULL,
        PodReason.IMAGE_INSPECT_ERROR,
        PodReason.IMAGE_PULL_BACK_OFF,
        PodReason.INVALID_IMAGE_NAME,
        PodReason.REGISTRY_UNAVAILABLE,
        PodReason.SIGNATURE_VALIDATION_FAILED,
    }
)
"""What a kubelet says of an image that it could not get (kubernetes, pkg/kubelet/images/types.go)."""
_BUSY_REGISTRY: Final = re.compile(r"\b(429|503)\b|toomanyrequests", re.IGNORECASE)
"""A registry that answers, and says that it will do so later."""
_NOT_CREATED: Final = frozenset({PodReason.CREATE_CONTAINER_CONFIG_ERROR, PodReason.CREATE_CONTAINER_ERROR})
_SLOW_RUNTIME: Final = re.compile(r"deadline ?exceeded|is reserved for", re.IGNORECASE)
"""A container runtime that is late with an earlier try: the next one finds it done."""


def start_blocker(seen: Observation, event: tuple[StatedReason, str]) -> StatedReason | None:
    """Return why a copy cannot start as it is, by the pods and by the member's newest event; None where it may yet start."""
    if seen.state.final or seen.whole:
        return None
    reason, words = str(seen.reason), seen.message
    if reason in PULL_FAILURES:
        return None if _BUSY_REGISTRY.search(words) else AttemptReason.IMAGE_CANNOT_BE_PULLED
    if reason in _NOT_CREATED:
        return None if _SLOW_RUNTIME.search(words) else MemberWord(reason)
    if reason == AttemptReason.NO_PODS and str(event[0]) == PodReason.FAILED_CREATE:
        return refused_pods(event[1])
    return None
