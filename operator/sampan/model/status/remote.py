"""What a status says of the member: the counts and words of a job's copy, and the place that is kept for a job that waits."""

from dataclasses import dataclass

from sampan.model.members.offer import OfferKey
from sampan.model.status.reasons import NO_WORD, StatedReason


@dataclass(frozen=True, slots=True, kw_only=True)
class PodCounts:
    """How many of the copy's pods are how."""

    active: int = 0
    ready: int = 0
    succeeded: int = 0
    failed: int = 0
    pending: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteStatus:
    """What the member last said of a job's copy: `status.remote`."""

    counts: PodCounts | None = None
    """None before its pods were counted."""
    reason: StatedReason = NO_WORD
    message: str = ""
    exit_code: int | None = None
    observed_at: int | None = None
    """Milliseconds since the epoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservedPlace:
    """The place kept for a job that waits: `status.reservation`. Its nodes are the provider's, and not told."""

    offer: OfferKey
    pool: str
    """Name of the pool, or of one fabric domain of it: pool@domain."""
    alternative: int | None
    start_at_latest: int | None
    """Milliseconds since the epoch, in whole seconds."""
    made_at: int | None
