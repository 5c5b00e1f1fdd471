"""Our rights on a member, looked at again and again: what is missing more often, and at once where a call was refused."""

import asyncio
import logging

from sampan.controller.members.connection.access import AccessReview, optional_resources, review
from sampan.controller.members.connection.probe import NEVER, now
from sampan.controller.members.memory import LinkMemory
from sampan.controller.members.terms import LinkSettings, ReconnectError
from sampan.kube.errors import KubeError
from sampan.kube.transport.client import Client

log = logging.getLogger(__name__)


class AccessReviews:
    """The reviews of one connection. A review that was asked for is `wanted`."""

    def __init__(self, client: Client, memory: LinkMemory, settings: LinkSettings) -> None:
        """Nothing was reviewed yet."""
        self._client, self._memory, self._settings = client, memory, settings
        self._reviewed = NEVER
        self.wanted = False

    async def first(self) -> None:
        """Look at our rights for the first time; raises KubeError."""
        self._memory.access = await self._review()
        self._reviewed = now()

    async def _review(self) -> AccessReview:
        offers = self._memory.offers
        return await review(self._client, offers.named, per_tenant=offers.per_tenant)

    def due(self, *, forbidden: bool) -> bool:
        """Tell whether it is time for a review; `forbidden`: a watch is refused."""
        settings, since, rights = self._settings, now() - self._reviewed, self._memory.access
        missing = (rights is not None and (rights.missing or rights.absent)) or forbidden
        return since >= (settings.review_missing if missing else settings.review_every) or (self.wanted and since >= settings.probe_timeout)

    async def again(self) -> None:
        """Look again. Raises ReconnectError where there is more, or less, that may be followed than before."""
        before = self._memory.access
        try:
            async with asyncio.timeout(self._settings.probe_timeout):  # a mute member must not keep us from noticing
                self._memory.access = await self._review()
        except (KubeError, TimeoutError) as error:
            log.info("link.review_failed", extra={"error": type(error).__name__})
        self._reviewed, self.wanted = now(), False
        after = self._memory.access
        if before is None or after is None:
            return
        if before.is_unblocked_by(after) or before.published != after.published:
            raise ReconnectError  # watches that were refused wait for a minute: a new connection does not
        if not after.missing:
            await self._optional()

    async def _optional(self) -> None:
        """Begin again where there is more or less to follow than before; where the member does not say in time, later."""
        try:
            async with asyncio.timeout(self._settings.probe_timeout):
                more = await optional_resources(self._client, self._memory.offers.named)
        except (KubeError, TimeoutError) as error:
            log.info("link.review_failed", extra={"error": type(error).__name__})
            return
        if more != self._memory.optional:
            raise ReconnectError
