"""Newer credentials of a member: taken into use once they proved to lead to the same cluster; until then the old ones stay."""

import asyncio
import logging
import random
from collections.abc import Callable

from sampan.controller.members.connection.access import identity
from sampan.controller.members.connection.probe import IdentityProbe
from sampan.controller.members.memory import LinkMemory
from sampan.controller.members.terms import LinkSettings, WrongClusterError, describe
from sampan.kube.credentials.credential import Credentials
from sampan.kube.errors import KubeError
from sampan.kube.transport.client import Client
from sampan.kube.watch.backoff import Backoff
from sampan.model.members.offer_reasons import ConditionText

log = logging.getLogger(__name__)


class CredentialRotation:
    """The credentials of one connection. `problem`: why newer ones could not be taken."""

    def __init__(self, client: Client, memory: LinkMemory, probe: IdentityProbe, *, settings: LinkSettings) -> None:
        """Use those with which the connection was opened."""
        self.problem: ConditionText | None = None
        self._client, self._memory, self._probe, self._settings = client, memory, probe, settings
        self._heard = asyncio.Event()

    def offer(self) -> None:
        """There are newer credentials."""
        self._heard.set()

    async def run(self, changed: Callable[[], None], rotated: Callable[[], None]) -> None:
        """Take newer credentials until cancelled; `changed` is called after each look, `rotated` after a change."""
        backoff = Backoff(random.uniform, base=1)
        while True:
            wanted = self._memory.credentials.newest
            if wanted is None or wanted.fingerprint == self._client.credentials.fingerprint:
                self.problem = None
            elif await self._replace(wanted):
                rotated()
            changed()
            if self.problem is None:
                backoff.reset()
            await wait(self._heard, None if self.problem is None else backoff.next())

    async def _replace(self, new: Credentials) -> bool:
        try:
            async with Client(new, limits=self._settings.limits, observe=self._settings.observe) as other:
                uid = await identity(other)
            self._probe.check(uid)
            await self._client.replace_credentials(new)
        except (KubeError, WrongClusterError) as error:
            reason, message = describe(error)
            self.problem = reason, f"the new kubeconfig is not used: {message}"
            self._memory.credentials.note_failure(new, error)
            return False
        self._probe.accept(uid)
        log.info("link.rotated", extra={"cluster": uid})
        self.problem = None
        return True


async def wait(event: asyncio.Event, seconds: float | None) -> None:
    """Wait for an event and take it; give up after so many seconds."""
    alarm = None if seconds is None else asyncio.get_running_loop().call_later(seconds, event.set)
    try:
        await event.wait()
    finally:
        if alarm is not None:
            alarm.cancel()
    event.clear()
