"""Until when a credential is good, and whose token it is: read from what it says of itself, which nobody has verified.

Must never live here: a decision that rests on more than time, or a token in a message.
"""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any

from cryptography import x509

_ACCOUNT = re.compile(r"system:serviceaccount:([a-z0-9]([-a-z0-9]*[a-z0-9])?):([a-z0-9]([-a-z0-9.]*[a-z0-9])?)")
_LATEST = 253_402_300_799  # the last second of the year 9999


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenClaims:
    """What a token says of itself; ``issued`` and ``ends`` in seconds since the epoch, 0 where it does not say."""

    issued: int = 0
    ends: int = 0
    namespace: str = ""
    account: str = ""
    """The ServiceAccount that it is of, with its namespace; empty for tokens of others."""


def claims_of(token: str) -> TokenClaims:
    """What a JWT says; nothing of any other token."""
    parts = token.split(".")
    if len(parts) != 3:
        return TokenClaims()
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return TokenClaims()
    if not isinstance(payload, dict):
        return TokenClaims()
    of = _ACCOUNT.fullmatch(payload["sub"]) if isinstance(payload.get("sub"), str) else None
    namespace, account = (of[1], of[3]) if of else ("", "")
    return TokenClaims(issued=_second(payload.get("iat")), ends=_second(payload.get("exp")), namespace=namespace, account=account)


def end_of_certificate(chain: str) -> int:
    """When the first certificate of a chain (PEM) ends, in seconds since the epoch; 0 where it cannot be read."""
    try:
        return int(x509.load_pem_x509_certificate(chain.encode()).not_valid_after_utc.timestamp())
    except (ValueError, x509.InvalidVersion):
        return 0


def _second(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= _LATEST else 0
