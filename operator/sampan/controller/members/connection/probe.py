"""Whether a member is still there, and still the one it was: what is asked of it, and what follows from the answers."""

import asyncio
from typing import Final

from sampan.controller.members.connection.access import identity
from sampan.controller.members.memory import LinkMemory
from sampan.controller.members.terms import DEFINITE, LinkSettings, WrongClusterError, describe, is_silence
from sampan.controller.observation.liveness import Liveness
from sampan.kube.errors import KubeError, TLSFailure, Unauthorized
from sampan.kube.transport.client import Client
from sampan.model.members.offer_reasons import ConditionText, OfferReason

NEVER: Final = float("-inf")


class IdentityProbe:
    """The proofs of one connection. `verified`: the member is known to be the one it was."""

    def __init__(self, client: Client, memory: LinkMemory, settings: LinkSettings) -> None:
        """Nothing was asked yet."""
        self.verified = False
        self.identified = False
        """It was met in this connection."""
        self.problem: ConditionText | None = None
        self._client, self._memory, self._settings = client, memory, settings
        self._refused = False
        self._attempted = NEVER
        self._restarts = 0
        self._liveness = Liveness(refused_after=settings.refused_after, mute_after=settings.mute_after)

    @property
    def answered_at(self) -> float:
        """Return when it was last answered."""
        return self._liveness.answered_at

    def alive(self, heard: float) -> bool:
        """Tell whether the member was heard lately and did not turn us away; `heard`: when a watch last said something."""
        return self.identified and not self._refused and self._liveness.alive(now(), heard)

    def accept(self, uid: str) -> None:
        """Take the answer of a member. Raises `WrongClusterError` where this is not the cluster we know, or is the hub."""
        memory = self._memory
        self.check(uid)
        memory.cluster_uid, memory.credentials.working = uid, self._client.credentials
        self.verified, self.identified, self._refused = True, True, False
        self._liveness.answered(now())
        self.problem = None

    def check(self, uid: str) -> None:
        """Raise `WrongClusterError` where a cluster of this UID is not the one we know, or is the hub."""
        if uid == self._settings.hub_cluster_uid:
            raise WrongClusterError(OfferReason.HUB_AS_MEMBER, "the kubeconfig leads to the hub itself; a member must be another cluster")
        if self._memory.cluster_uid not in (None, uid):
            message = "another cluster answers than the one that was joined; nothing is done there: make a new offer for it"
            raise WrongClusterError(OfferReason.IDENTITY_CHANGED, message)

    def doubt(self) -> None:
        """A watch began anew, or a call failed: nothing is done before the member has said who it is."""
        if self.verified:
            self.verified, self._attempted = False, NEVER

    def due(self, restarts: int) -> bool:
        """Tell whether it is time to ask; `restarts`: how often watches failed so far."""
        settings, restarted = self._settings, restarts != self._restarts
        self._restarts = restarts
        if now() - self._attempted < (settings.probe_after if self._refused else settings.tick):
            return False  # no hot loop against one that said no
        troubled = not self.verified or self.problem is not None
        return restarted or troubled or now() - self.answered_at >= settings.probe_after  # watches may speak from memory

    async def ask(self) -> bool:
        """Ask the member who it is; tell whether it answers without a right to. Silence is not believed at once, a definite no is."""
        self._attempted = began = now()
        failed_before = self.problem is not None
        try:
            async with asyncio.timeout(self._settings.probe_timeout):
                uid = await identity(self._client)
        except TimeoutError:
            self.problem = OfferReason.UNREACHABLE, "the member does not answer"
            self._liveness.failed(began, silent=True)
        except KubeError as error:
            self.problem = describe(error)
            self._liveness.failed(began, silent=is_silence(error))
            if isinstance(error, DEFINITE):
                self._refused = True
            if isinstance(error, (*DEFINITE, TLSFailure)):
                self.verified = False  # whoever answers there, it is not to be acted upon
            return isinstance(error, Unauthorized)
        else:
            self.accept(uid)
            if failed_before:
                self._client.wake()  # watches that were turned away while the member came up wait for up to a minute
        return False


def now() -> float:
    """Return the event loop's time."""
    return asyncio.get_running_loop().time()
