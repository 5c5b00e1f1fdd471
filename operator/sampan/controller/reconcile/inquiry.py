"""What a member's own events say of a copy that does not start: asked for now and then, where nothing else tells.

Works without the right to list events: then nothing is told, and it is asked again only after a while.
"""

import re
from collections.abc import Callable, Iterable
from typing import Final

from sampan.controller.observation.failure import word
from sampan.kube.errors import Forbidden
from sampan.kube.objects.events import Event, events_of
from sampan.kube.objects.reasons import PodReason
from sampan.kube.objects.workloads import Job as RemoteJob
from sampan.kube.objects.workloads import Pod
from sampan.kube.text import clean_text
from sampan.kube.transport.client import Client
from sampan.model.status.reasons import NO_WORD, StatedReason
from sampan.model.values.timestamp import from_rfc3339

FORBIDDEN_MILLIS: Final = 600_000
"""For how long a member that lets us list no events is not asked again."""
GAP_MILLIS: Final = 250
"""Least time between two questions to one member: its API server reads all events of the namespace for each."""
_POD_REFUSED: Final = re.compile(r'^Error creating: (?:(?:pods|Pod) "[^"]*" is )?')
"""How a Job controller begins: the pod's made-up name says nothing, differs each time and takes the room of what comes after it."""
_WORK: Final = frozenset({PodReason.PULLING})
"""Events of type Normal that tell why it takes a while."""


class Inquiry:
    """Asks members for events: one question at a time and member, because a busy member makes many jobs wait at once."""

    def __init__(self, clock: Callable[[], int]) -> None:
        """`clock` gives milliseconds since the epoch."""
        self._clock = clock
        self._not_before: dict[str, int] = {}
        self._asking: set[str] = set()

    async def ask(self, client: Client, cluster_uid: str, copy: RemoteJob, *, pods: Iterable[Pod]) -> tuple[StatedReason, str]:
        """Return reason and words of the newest event that tells what delays a copy; empty where none does, or it is not asked now.

        Raises KubeError.
        """
        if cluster_uid in self._asking or self._clock() < self._not_before.get(cluster_uid, 0):
            return NO_WORD, ""
        pending = sorted((pod.metadata.name, pod.metadata.uid) for pod in pods if pod.status.phase == "Pending")
        uids = (copy.metadata.uid, *(uid for _, uid in pending[:1]))
        self._asking.add(cluster_uid)
        pause = GAP_MILLIS
        try:
            return newest(await events_of(client, copy.metadata.namespace, uids))
        except Forbidden:
            pause = FORBIDDEN_MILLIS
            return NO_WORD, ""
        finally:
            self._asking.discard(cluster_uid)
            self._not_before[cluster_uid] = self._clock() + pause


def newest(events: Iterable[Event]) -> tuple[StatedReason, str]:
    """Return reason and words of the newest warning, or of the work that takes a while; both are cut and cleaned."""
    telling = [event for event in events if event.type == "Warning" or event.reason in _WORK]
    if not telling:
        return NO_WORD, ""
    last = max(telling, key=lambda event: (from_rfc3339(event.last_seen) or 0, event.type, event.metadata.name))
    return word(last.reason), clean_text(_POD_REFUSED.sub("", last.message, count=1))
