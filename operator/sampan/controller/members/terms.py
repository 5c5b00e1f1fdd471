"""What a member link is given and what can end it: settings, listeners, and how a failed call is shown. No behaviour."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sampan.kube.credentials.addresses import AddressPolicy
from sampan.kube.credentials.codes import Code
from sampan.kube.errors import AddressRefused, Forbidden, KubeError, TLSFailure, TooManyRequests, Unauthorized
from sampan.kube.transport.exchange import Observe
from sampan.kube.transport.limits import Limits
from sampan.kube.watch.reflector import Tuning
from sampan.model.members.offer_reasons import ConditionText, OfferReason, OfferStatedReason, invalid_kubeconfig

if TYPE_CHECKING:
    from sampan.controller.members.credentials import RenewedTokens
    from sampan.controller.members.link import MemberLink

DEFINITE: Final = (Unauthorized, Forbidden, AddressRefused)
"""Answers that waiting does not change: they end the connection at once."""
MEMBER_WATCH: Final = Tuning(watch_low=20, watch_high=30, read_timeout=38)
"""Watches on members are short: one that is silent for longer than the server lets it live is known to be dead, not idle."""


class WrongClusterError(Exception):
    """The cluster behind the credentials must not be acted upon; `reason` is the condition's."""

    def __init__(self, reason: OfferStatedReason, message: str) -> None:
        """Keep what the condition says."""
        self.reason, self.message = reason, message
        super().__init__(f"{reason}: {message}")


class ReconnectError(Exception):
    """Something changed that only a new connection takes up, such as rights that were granted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSettings:
    """What all links share. Times are in seconds."""

    hub_id: str
    hub_cluster_uid: str
    policy: AddressPolicy
    limits: Limits = field(default_factory=Limits)
    tuning: Tuning = MEMBER_WATCH
    clock: Callable[[], int]
    """Milliseconds since the epoch: for what is told, never for how long something takes."""
    observe: Observe | None = None
    tokens: "RenewedTokens | None" = None
    """Where renewed tokens are kept; None: none is renewed."""
    probe_after: float = 10
    """How often the member is asked whether it is there, whatever its watches say."""
    probe_timeout: float = 5
    mute_after: float = 30
    """Silence after which the link counts as not connected."""
    refused_after: float = 5
    """The same for a member that refuses connections, or whose watch on something that jobs need does not work any more."""
    review_every: float = 300
    """Time between two looks at the rights."""
    review_missing: float = 20
    """The same while rights are missing."""
    tick: float = 1
    retry_base: float = 0.5
    """Least wait before a broken link connects again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCallbacks:
    """Who is told of what; called on the loop, must not block."""

    job_changed: Callable[["MemberLink", str], None]
    """A Job or pod of ours changed; the UID of the ComputeJob. Held back while it is unsure whether the member is still the same."""
    capacity_changed: Callable[["MemberLink", frozenset[str]], None]
    """These nodes, or pods on them, changed."""
    link_changed: Callable[["MemberLink"], None]
    """`facts` changed."""
    jobs_affected: Callable[["MemberLink"], None]
    """A decision about any of its jobs may come out otherwise: the link may be acted upon again, or it is away for another reason."""
    refused: Callable[["MemberLink"], None]
    """401: the Secret should be read again at once."""


def is_silence(error: KubeError) -> bool:
    """Tell whether a probe that failed so shows a member that is slow or silent, rather than one that is not there to answer."""
    return isinstance(error, TooManyRequests) or error.reason in ("Timeout", "Throttled")


def describe(error: BaseException) -> ConditionText:
    """Return reason and message of what ended or troubles a link, for the condition."""
    match error:
        case WrongClusterError():
            return error.reason, error.message
        case Unauthorized():
            return OfferReason.UNAUTHORIZED, "the member does not accept the credential (401)"
        case Forbidden():
            return OfferReason.FORBIDDEN, "the credential may not read namespace kube-system of the member (403)"
        case TLSFailure():
            return OfferReason.TLS_ERROR, f"TLSError: {error.message}"
        case AddressRefused():
            return invalid_kubeconfig(Code.ADDRESS), f"{invalid_kubeconfig(Code.ADDRESS)}: {error.message}"
        case KubeError():
            return OfferReason.UNREACHABLE, f"{error.reason}: {error.message}"
        case _:
            return OfferReason.UNREACHABLE, "an internal fault ended the link; it starts again"


def first_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first single error of a group."""
    inner = group.exceptions[0]
    return first_error(inner) if isinstance(inner, BaseExceptionGroup) else inner


def leave_if_cancelled() -> None:
    """Raise CancelledError again where it came while a connection was ending with an error.

    Python 3.11 lets the error win there, and counts wrongly in a task that holds task groups: so a connection is a task of its own.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
