"""One connection to a member after the other, for as long as the link lives; sooner where there are new credentials to try."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sampan.controller.members.connection.session import Session, SessionCallbacks
from sampan.controller.members.memory import LinkMemory
from sampan.controller.members.terms import LinkSettings, ReconnectError, first_error, leave_if_cancelled
from sampan.kube.transport.client import Client
from sampan.kube.transport.exchange import Observe
from sampan.kube.watch.backoff import Backoff
from sampan.model.values.distribution import SECONDS_OF_CALLS, Distribution

_LONG_ENOUGH: Final = 60.0
"""Seconds after which a connection that ends is not counted as one more failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionCallbacks:
    """Whom the connections of a link tell."""

    changed: Callable[[], None]
    """Something that the link's facts depend on may have changed."""
    refused: Callable[[], None]
    """401."""
    failed: Callable[[BaseException], None]
    """A connection ended by an error."""


class Connections:
    """The connections of one link. `session` is the one that there is now."""

    def __init__(self, name: str, memory: LinkMemory, *, settings: LinkSettings, callbacks: ConnectionCallbacks) -> None:
        """Nothing is opened before `run`."""
        self.session: Session | None = None
        self._name, self._memory, self._settings, self._callbacks = name, memory, settings, callbacks
        self._new_credentials = asyncio.Event()
        self.call_seconds = Distribution(SECONDS_OF_CALLS)
        """How long calls took; how long a watch lives says nothing."""

    def new_credentials(self) -> None:
        """There are newer credentials."""
        self._new_credentials.set()
        if self.session is not None:
            self.session.new_credentials()

    async def run(self) -> None:
        """Connect, and connect again, until cancelled."""
        backoff = Backoff(random.uniform, base=self._settings.retry_base)
        loop = asyncio.get_running_loop()
        while True:
            while self._memory.credentials.newest is None:
                await self._pause(None)
            began = loop.time()
            try:
                await asyncio.create_task(self._connect(), name=f"connection {self._name}")
            except* ReconnectError:
                backoff.reset()
            except* Exception as group:  # noqa: BLE001  a fault in here must not end the other links
                self._callbacks.failed(first_error(group))
            leave_if_cancelled()
            if loop.time() - began > _LONG_ENOUGH:
                backoff.reset()
            await self._pause(backoff.next())

    def _observer(self) -> Observe:
        return lambda verb, resource, code, seconds: self._note((verb, resource, code), seconds)

    def _note(self, call: tuple[str, str, str], seconds: float) -> None:
        if call[0] != "watch":
            self.call_seconds.add(seconds)
        if self._settings.observe is not None:
            self._settings.observe(*call, seconds)

    async def _pause(self, seconds: float | None) -> None:
        """Wait, but not when there are new credentials to try."""
        try:
            async with asyncio.timeout(seconds):
                await self._new_credentials.wait()
        except TimeoutError:
            return
        self._new_credentials.clear()

    async def _connect(self) -> None:
        """Hold one connection until something ends it."""
        chosen = self._memory.credentials.choice()
        assert chosen is not None
        self._new_credentials.clear()
        listener = SessionCallbacks(changed=self._callbacks.changed, refused=self._callbacks.refused)
        try:
            async with Client(chosen, limits=self._settings.limits, observe=self._observer()) as client:
                self.session = Session(client, self._memory, settings=self._settings, callbacks=listener)
                await self.session.run()
        except Exception as error:
            cause = first_error(error) if isinstance(error, ExceptionGroup) else error
            self._memory.credentials.note_failure(self.session.client.credentials if self.session else chosen, cause)
            raise
        finally:
            self.session = None
            self._callbacks.changed()
