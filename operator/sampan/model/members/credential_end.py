"""Whether a member's credential ends soon, as the conditions say it. No clock: `now` is an argument."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sampan.model.members.offer_reasons import OfferReason
from sampan.model.values.timestamp import to_rfc3339

SOON: Final = 7 * 24 * 3600 * 1000
"""Milliseconds before its end from which on a credential that nobody renews is told of."""


class Renewal(StrEnum):
    """Whether the hub renews a credential itself."""

    UNKNOWN = "Unknown"  # not looked at yet
    POSSIBLE = "Possible"
    NOT_OURS = "NotOurs"  # no token of a ServiceAccount
    NOT_ALLOWED = "NotAllowed"
    NOT_KEPT = "NotKept"
    FAILED = "Failed"


_WORDS: Final = {
    Renewal.UNKNOWN: "the hub could not ask whether it may renew it",
    Renewal.POSSIBLE: "the hub could not renew it in time",
    Renewal.NOT_OURS: "it is no token of a ServiceAccount, and the hub cannot renew it",
    Renewal.NOT_ALLOWED: "the member's Role does not let the hub renew it (token.renew of the chart sampan-member)",
    Renewal.NOT_KEPT: "the hub has no Secret of its own to keep a renewed one (chart sampan)",
    Renewal.FAILED: "renewing it failed, and is tried again",
}


@dataclass(frozen=True, slots=True)
class CredentialEnd:
    """A credential that ends soon: the reason and the words of the condition."""

    reason: OfferReason
    message: str


def ending(ends: int, *, renewal: Renewal, now: int) -> CredentialEnd | None:
    """Return what is to be told of a credential that ends then (milliseconds since the epoch, 0: never); None while all is well."""
    if not ends or ends - now > SOON or (ends > now and renewal in (Renewal.UNKNOWN, Renewal.POSSIBLE)):
        return None
    reason = OfferReason.RENEWAL_FAILED if renewal is Renewal.FAILED else OfferReason.NOT_RENEWED
    verb = "ends" if ends > now else "ended"
    way_out = "run sampan join again, or put another kubeconfig there"
    return CredentialEnd(reason, f"the credential {verb} at {to_rfc3339(ends)}; {_WORDS[renewal]}: {way_out}")
