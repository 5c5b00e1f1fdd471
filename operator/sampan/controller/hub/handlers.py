"""Kopf's handlers: translate an event and hand it over. Kopf never decides, stores, posts or retries anything here."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import kopf

from sampan.controller.hub.client import Handover, api_of
from sampan.kube.credentials.credential import Credentials, Proxy


def registry_of(
    kinds: Iterable[str], handover: Handover, *, loop: asyncio.AbstractEventLoop, credentials: Callable[[], Credentials]
) -> kopf.OperatorRegistry:
    """Return a registry of its own, without any of Kopf's default logins, that hands every event of these kinds to `loop`."""
    registry = kopf.OperatorRegistry()

    def event(*, event: dict[str, Any], resource: kopf.Resource, **_: object) -> None:
        loop.call_soon_threadsafe(handover, resource.plural, event["type"], event["object"])

    async def on_event(**kwargs: Any) -> None:
        event(**kwargs)

    async def login(**_: object) -> kopf.ConnectionInfo:
        return connection_of(credentials())

    kopf.on.login(registry=registry)(login)
    for plural in kinds:
        group, _, version = api_of(plural).rpartition("/")
        kopf.on.event(group, version, plural, registry=registry, id=f"on-{plural}")(on_event)
    return registry


def _url(proxy: Proxy) -> str:
    login = "" if proxy.login is None else f"{proxy.login.reveal()}@"
    return f"http://{login}{proxy.address}"


def connection_of(credentials: Credentials) -> kopf.ConnectionInfo:
    """Return the hub's credentials as Kopf wants them: data only, never a path."""
    return kopf.ConnectionInfo(
        server=credentials.server,
        ca_data=credentials.ca_pem,
        proxy_url=None if credentials.proxy is None else _url(credentials.proxy),
        token=credentials.token.reveal() if credentials.token else None,
        certificate_data=credentials.client_certificate,
        private_key_data=credentials.client_key.reveal() if credentials.client_key else None,
    )
