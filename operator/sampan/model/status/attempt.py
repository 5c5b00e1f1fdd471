"""Attempts as a status keeps them: the one that is bound, those that ended, and what was rejected how often."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sampan.model.lifecycle import Outcome
from sampan.model.members.offer import OfferKey
from sampan.model.status.reasons import NO_WORD, StatedReason

MAX_REJECTIONS: Final = 32
"""Rejections kept; of more the oldest are dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargedUse:
    """What a queue is charged for an attempt."""

    amount: int
    """Micro-units of common-unit hours, for the whole span."""
    seconds: int
    """The declared span; once the attempt has ended the one that it took."""

    def lasted(self, seconds: int) -> "ChargedUse":
        """Return the use in proportion to how long the attempt really lasted."""
        taken = max(seconds, 0)
        return ChargedUse(amount=self.amount * taken // max(self.seconds, 1), seconds=taken)


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """Which attempt of a job belongs to which member: `status.binding`."""

    offer: OfferKey
    cluster_uid: str
    attempt: int
    pool: str
    accelerator_class: str | None
    alternative: int | None
    replicas: int
    namespace: str
    """On the member, with `name` and `remote_uid`."""
    name: str
    bound_at: int
    """Milliseconds since the epoch."""
    remote_uid: str | None = None
    use: ChargedUse | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How an attempt ended."""

    outcome: Outcome
    reason: StatedReason
    message: str = ""
    exit_code: int | None = None
    ended_at: int = 0
    counted: bool = True
    """A rejection that counts against `retry.maxRejected`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt that ended: an entry of `status.attempts`. Times are milliseconds since the epoch."""

    number: int
    outcome: str
    """An `Outcome`, or a word of a later version."""
    offer: OfferKey | None = None
    pool: str | None = None
    cluster_uid: str | None = None
    started_at: int | None = None
    ended_at: int | None = None
    reason: StatedReason = NO_WORD
    message: str = ""
    exit_code: int | None = None
    later: Mapping[str, Any] | None = None
    """What a later version of ours wrote beside it: kept as it is."""


def ended_attempt(binding: Binding, ending: Ending) -> Attempt:
    """Return the entry of a bound attempt that has ended."""
    return Attempt(
        number=binding.attempt,
        outcome=ending.outcome,
        offer=binding.offer,
        pool=binding.pool,
        cluster_uid=binding.cluster_uid,
        started_at=binding.bound_at or None,
        ended_at=ending.ended_at,
        reason=ending.reason,
        message=ending.message,
        exit_code=ending.exit_code,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejections:
    """How many attempts by an alternative ended, for one reason, before anything ran."""

    alternative: int | None
    """None: the template alone."""
    reason: StatedReason
    attempts: int
    later: Mapping[str, Any] | None = None
    """What a later version of ours wrote beside it: kept as it is."""


def one_more(known: tuple[Rejections, ...], alternative: int | None, reason: StatedReason) -> tuple[Rejections, ...]:
    """Return the rejections with one more attempt by an alternative that was rejected for a reason; the newest comes last."""
    same = next((each for each in known if (each.alternative, each.reason) == (alternative, reason)), None)
    entry = Rejections(alternative=alternative, reason=reason, attempts=1 + (same.attempts if same else 0))
    return (*(each for each in known if each is not same), entry)[-MAX_REJECTIONS:]


def without(known: tuple[Rejections, ...], alternative: int | None) -> tuple[Rejections, ...]:
    """Return the rejections but for an alternative that runs: it works somewhere, so what was counted against it is over."""
    return tuple(each for each in known if each.alternative != alternative) if known else known


def closed(known: Iterable[Rejections], most: int) -> frozenset[int | None]:
    """Return the alternatives that were rejected `most` times for one reason; None stands for the template alone."""
    return frozenset(each.alternative for each in known if each.attempts >= most)
