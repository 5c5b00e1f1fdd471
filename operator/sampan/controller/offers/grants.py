"""Providers as the hub has them: what each grants, and whose a namespace is. What an offer is worth is told by `assessment`."""

import logging
from collections.abc import Mapping
from typing import Any

from sampan.api.convert.offers import InvalidObjectError, ProviderGrant, provider_grant
from sampan.controller.offers.assessment import grant_for

log = logging.getLogger(__name__)


class GrantRegistry:
    """Grants by the UID of the Provider."""

    def __init__(self) -> None:
        """Start empty."""
        self._grants: dict[str, ProviderGrant] = {}
        self._of: dict[str, ProviderGrant | None] = {}
        """The grant of each namespace that was asked for, until any grant changes."""

    def apply(self, body: Mapping[str, Any]) -> None:
        """Take a Provider. One that does not parse grants nothing."""
        uid = body["metadata"]["uid"]
        self._of.clear()
        try:
            self._grants[uid] = provider_grant(body)
        except InvalidObjectError as error:
            log.warning("provider.invalid", extra={"problem": str(error)})
            self._grants.pop(uid, None)

    def remove(self, uid: str) -> bool:
        """Forget a Provider; tell whether it granted anything."""
        self._of.clear()
        return self._grants.pop(uid, None) is not None

    def all(self) -> tuple[ProviderGrant, ...]:
        """Return every grant."""
        return tuple(self._grants.values())

    def of(self, namespace: str) -> ProviderGrant | None:
        """Return the grant of the Provider that a namespace belongs to."""
        if namespace not in self._of:
            self._of[namespace] = grant_for(namespace, self._grants.values())
        return self._of[namespace]
