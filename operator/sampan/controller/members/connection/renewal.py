"""The hub's own token on a member, renewed before it ends, where the member's Role allows just that.

A token is asked for by TokenRequest, kept, and then taken into use like any other new credential. What cannot be renewed is told.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import msgspec

from sampan.controller.members.connection.probe import NEVER, now
from sampan.controller.members.credentials import LinkCredentials
from sampan.controller.members.terms import LinkSettings
from sampan.kube.access import Access
from sampan.kube.credentials.expiry import TokenClaims, claims_of
from sampan.kube.credentials.secret import Secret
from sampan.kube.errors import KubeError
from sampan.kube.transport.client import Client
from sampan.kube.transport.paths import resource_path
from sampan.model.members.credential_end import Renewal

log = logging.getLogger(__name__)

LOOK: Final = 3600.0
"""Most seconds between two looks: clocks may be set, rights may come."""
SHORTEST: Final = 600
"""Seconds: API servers give no shorter token."""


class _Status(msgspec.Struct):
    token: str


class TokenRequest(msgspec.Struct):
    """The answer to a TokenRequest. It does not show its token."""

    status: _Status

    def __repr__(self) -> str:
        """Hide the token."""
        return "TokenRequest(***)"


class TokenRenewal:
    """Renews the token of one connection."""

    def __init__(self, client: Client, known: LinkCredentials, settings: LinkSettings) -> None:
        """Use those credentials with which the client works."""
        self._client, self._known, self._settings = client, known, settings
        self._renewed = "", NEVER
        """Which kubeconfig's token was renewed last, and when by the event loop's clock."""

    async def run(self, told: Callable[[], None]) -> None:
        """Look after the token until cancelled; `told` is called after each look: there may be newer credentials."""
        while True:
            claims = self._claims()
            self._known.renewal = await self._possible(claims)
            if self._known.renewal is Renewal.POSSIBLE and self._due(claims):
                self._known.renewal = await self._renew(claims)
            told()
            await self._client.pause(self._wait(claims))

    def _claims(self) -> TokenClaims:
        token = self._client.credentials.token
        return TokenClaims() if token is None else claims_of(token.reveal())

    def _seconds_left(self, claims: TokenClaims) -> float:
        return claims.ends - self._settings.clock() / 1000

    def _due(self, claims: TokenClaims) -> bool:
        """Tell whether it is time. By a clock that is wrong, a token that was just renewed may look as old as the one before."""
        source, when = self._renewed
        just = source == self._known.source and now() - when < _spare(claims) / 2
        return not just and self._seconds_left(claims) <= _spare(claims)

    def _wait(self, claims: TokenClaims) -> float:
        """Until the token is to be renewed; shorter where that failed, or is not allowed yet."""
        if not claims.ends:
            return LOOK
        left = self._seconds_left(claims)
        if self._known.renewal is Renewal.POSSIBLE:
            return min(max(left - _spare(claims), _spare(claims) / 2), LOOK)
        return min(max(left / 10, self._settings.review_missing), LOOK)

    async def _possible(self, claims: TokenClaims) -> Renewal:
        """Whether this is a token that ends, of a ServiceAccount that may ask for its next one."""
        if not claims.ends or not claims.account:
            return Renewal.NOT_OURS
        if self._known.tokens is None or not self._known.tokens.kept:
            return Renewal.NOT_KEPT
        wanted = Access(verb="create", resource="serviceaccounts", subresource="token", namespace=claims.namespace, name=claims.account)
        try:
            return Renewal.POSSIBLE if (await self._client.review([wanted]))[wanted] else Renewal.NOT_ALLOWED
        except KubeError as error:
            log.info("link.renewal_failed", extra={"link": str(self._known.key), "reason": error.reason})
            return Renewal.FAILED

    async def _renew(self, claims: TokenClaims) -> Renewal:
        used, of, tokens = self._client.credentials, self._known.source, self._known.tokens
        assert tokens is not None
        try:
            new = await self._requested(claims)
            if self._known.source == of:  # else the provider has written another kubeconfig meanwhile: that counts
                await tokens.keep(self._known.key, of, new)
        except KubeError as error:
            log.warning("link.renewal_failed", extra={"link": str(self._known.key), "reason": error.reason})
            return Renewal.FAILED
        self._renewed = of, now()
        if self._known.source == of:
            self._known.newest = replace(used, token=new)
            log.info("link.token_renewed", extra={"link": str(self._known.key)})
        return Renewal.POSSIBLE

    async def _requested(self, claims: TokenClaims) -> Secret:
        """A token that lasts as long as this one did. Raises KubeError."""
        path = resource_path("v1", "serviceaccounts", namespace=claims.namespace, name=claims.account, subresource="token")
        spec = {"expirationSeconds": max(claims.ends - claims.issued, SHORTEST)}
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        return Secret((await self._client.create(path, body, into=TokenRequest)).status.token)


def _spare(claims: TokenClaims) -> float:
    """Seconds before its end from which on a token is renewed: a third of its life, so that a day's outage hurts no month's token."""
    return (claims.ends - claims.issued) / 3 if claims.issued else SHORTEST
