"""Renewed tokens of members, in one Secret of the operator's own namespace: the only Secret that it may write.

The chart makes the Secret, empty, and grants get and patch of this one. Where it is not, nothing is kept and nothing is renewed.
"""

import base64
import binascii
import hashlib
import json
import logging
from collections.abc import Callable
from typing import Any, Final

from sampan.api.convert.offers import SecretRef
from sampan.kube.credentials.expiry import claims_of
from sampan.kube.credentials.secret import Secret
from sampan.kube.errors import Forbidden, NotFound, TooLarge
from sampan.kube.objects.meta import PartialObject
from sampan.kube.objects.meta import Secret as SecretObject
from sampan.kube.transport.client import Client
from sampan.kube.transport.paths import resource_path

log = logging.getLogger(__name__)

NAME: Final = "sampan-renewed-tokens"
MOST_BYTES: Final = 1_000_000
"""Of all entries: a Secret holds a mebibyte, some six hundred tokens."""


class TokenSecret:
    """The Secret, read once; afterwards what is known here is what is there, for nobody else writes it."""

    def __init__(self, hub: Client, namespace: str, *, clock: Callable[[], int]) -> None:
        """`clock` gives milliseconds since the epoch. Nothing is known before `load`."""
        self._hub, self._clock = hub, clock
        self._path = resource_path("v1", "secrets", namespace=namespace, name=NAME)
        self._entries: dict[str, str] = {}
        self.kept = False

    async def load(self) -> None:
        """Read what was kept. Raises KubeError."""
        try:
            found = await self._hub.get(self._path, into=SecretObject)
        except (NotFound, Forbidden) as error:
            log.info("tokens.not_kept", extra={"reason": f"Secret {NAME}: {error.reason}; tokens of members are not renewed"})
            return
        self._entries, self.kept = dict(found.data), True

    def find(self, key: SecretRef, of: str) -> Secret | None:
        """See `RenewedTokens.find`."""
        entry = _decoded(self._entries.get(_name(key), ""))
        if entry.get("of") != of or not isinstance(entry.get("token"), str) or self._ended(entry["token"]):
            return None
        return Secret(entry["token"])

    async def keep(self, key: SecretRef, of: str, token: Secret) -> None:
        """See `RenewedTokens.keep`. What has ended goes at the same time."""
        entry = base64.b64encode(json.dumps({"of": of, "token": token.reveal()}).encode()).decode()
        ended = {name: None for name, text in self._entries.items() if self._ended(_decoded(text).get("token"))}
        change: dict[str, str | None] = {**ended, _name(key): entry}
        after = {name: text for name, text in {**self._entries, **change}.items() if text is not None}
        if sum(len(name) + len(text) for name, text in after.items()) > MOST_BYTES:
            raise TooLarge(0, "NoRoom", f"Secret {NAME} has no room for another token")
        await self._hub.patch(self._path, {"data": change}, into=PartialObject)
        self._entries = after

    def _ended(self, token: Any) -> bool:
        ends = claims_of(token).ends if isinstance(token, str) else 1
        return bool(ends) and ends * 1000 <= self._clock()


def _name(key: SecretRef) -> str:
    """The key of an entry: no part of a reference may be any text."""
    return hashlib.sha256("\n".join((key.namespace, key.name, key.key, key.context)).encode()).hexdigest()[:40]


def _decoded(text: str) -> dict[str, Any]:
    """An entry; an empty one for what nobody here wrote."""
    try:
        found = json.loads(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
