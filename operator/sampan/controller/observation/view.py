"""What is known of a job's copy right now: the link's caches, read for one job. Reads only; asks nobody."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from sampan.api.status.job_status import Binding
from sampan.controller.members.job_copies import attempt_of
from sampan.controller.observation.attempt import Observation, observe
from sampan.controller.observation.outage import Outage
from sampan.controller.reconcile.actions import RemoteState
from sampan.controller.reconcile.member_calls import Link
from sampan.controller.state.record import JobRecord
from sampan.kube.objects.workloads import Job as RemoteJob
from sampan.kube.objects.workloads import Pod
from sampan.model.members.cluster import Node
from sampan.model.members.offer import OfferKey
from sampan.model.values.names import LABEL_ATTEMPT


class ObservedLink(Link, Protocol):
    """What is needed of a member link."""

    @property
    def own_pods(self) -> dict[str, dict[str, Pod]]:
        """Return our pods there, by the UID of the ComputeJob and their own."""

    @property
    def ended_jobs(self) -> dict[str, RemoteJob]:
        """Return the last picture of our Jobs that went with a result, by the UID of the ComputeJob; to be taken out."""

    @property
    def connected(self) -> bool:
        """Tell whether what concerns all jobs there is complete and fresh."""

    @property
    def nodes(self) -> Mapping[str, Node]:
        """Return the member's nodes by name; empty where they may not be seen."""

    def follows(self, namespace: str) -> bool:
        """Tell whether it is connected, and what is known of our objects in a namespace is current."""

    def request_review(self) -> None:
        """Hear that a call failed in a way that makes the connection, the rights or the identity doubtful."""


class Members(Protocol):
    """What is needed of the joined members."""

    def link_of(self, cluster_uid: str) -> ObservedLink | None:
        """Return the link to a member, None where no offer leads there now."""

    def outage(self, cluster_uid: str, offer: OfferKey) -> Outage | None:
        """Return since when and why a member cannot be worked with; None where it can, or where that is not known yet."""

    def offer_state(self, offer: OfferKey) -> tuple[bool, bool]:
        """Return whether an offer exists and whether it is being deleted."""

    def remote_target(self, offer: OfferKey) -> tuple[str, tuple[str, ...]]:
        """Return the namespace on the member and the pull secrets of an offer."""


UNLABELLED_MILLIS = 10_000
"""How long a copy that no watch follows is believed to be as it was seen."""


class MemberView:
    """Looks at copies; remembers of each attempt what the member may forget."""

    def __init__(self, members: Members, clock: Callable[[], int]) -> None:
        """`clock` gives milliseconds since the epoch."""
        self._members, self._clock = members, clock
        self._gone: dict[str, int] = {}
        self._job_absent: dict[str, int] = {}
        self._unlabelled: dict[str, tuple[int, RemoteJob]] = {}
        self._fresh_versions: dict[str, str] = {}
        self._observations: dict[str, tuple[int, Observation]] = {}
        self._final_since: dict[str, int] = {}
        self._still_since: dict[str, tuple[tuple[int, ...], int]] = {}
        self._events: dict[str, tuple[int, tuple[str, str]]] = {}
        self._unsent: dict[str, int] = {}
        self._ended: dict[str, RemoteJob] = {}

    def mark_unsent(self, uid: str, attempt: int) -> None:
        """Hear that this process wrote the intent of an attempt: nothing was sent to its member yet."""
        self._unsent[uid] = attempt

    def mark_sending(self, uid: str) -> None:
        """Hear that a create is about to be sent."""
        self._unsent.pop(uid, None)

    def mark_absent(self, uid: str, attempt: int) -> None:
        """Hear from the member itself that the Job of an attempt is not there, though pods of it may be."""
        self._job_absent[uid] = attempt

    def adopt(self, uid: str, copy: RemoteJob) -> None:
        """Hear of a copy that the watch does not show, because somebody took its labels off; it is believed for a while."""
        self._unlabelled[uid] = (self._clock() + UNLABELLED_MILLIS, copy)

    def confirm_fresh(self, record: JobRecord) -> None:
        """Hear that the hub's own answer held nothing newer than this record."""
        self._fresh_versions[record.uid] = record.resource_version

    def confirm_gone(self, uid: str, attempt: int) -> None:
        """Hear from the member itself that nothing of an attempt is left there."""
        self._gone[uid] = attempt

    def record_event(self, uid: str, attempt: int, words: tuple[str, str]) -> None:
        """Hear what the member's events say of an attempt: reason and message."""
        self._events[uid] = attempt, words

    def forget(self, uid: str) -> None:
        """Drop what is remembered of a job's attempts."""
        kept: tuple[dict[str, Any], ...] = (self._gone, self._job_absent, self._unlabelled, self._fresh_versions, self._unsent, self._ended)
        for known in (*kept, self._observations, self._final_since, self._still_since, self._events):
            known.pop(uid, None)

    def of(self, record: JobRecord) -> RemoteState:
        """Return what is known of a job's copy."""
        binding = record.binding
        if binding is None:
            return RemoteState()
        exists, draining = self._members.offer_state(binding.offer)
        link = self._members.link_of(binding.cluster_uid)
        absent = self._gone.get(record.uid) == binding.attempt
        unsent = self._unsent.get(record.uid) == binding.attempt
        if link is None or not link.follows(binding.namespace):
            return RemoteState(offer_exists=exists or link is not None, offer_draining=draining, absent=absent, unsent=unsent)
        copy = link.jobs.get(record.uid) or self._unlabelled_copy(record.uid)
        pods = tuple(link.own_pods.get(record.uid, {}).values())
        ended = self._gone_with_result(record, link, binding) if copy is None else None
        shown = copy or ended
        seen = self._observe(record, shown, pods, binding=binding) if shown is not None else None
        attempt, _ = self._observations.get(record.uid, (0, None))
        asked, words = self._events.get(record.uid, (0, ("", "")))
        return RemoteState(
            offer_exists=exists or copy is not None,
            offer_draining=draining,
            reachable=True,
            unsent=unsent and shown is None and not pods,
            job=copy,
            ended=ended,
            pods=len(pods),
            seen_before=attempt == binding.attempt,
            observation=seen,
            final_for=self._clock() - self._final_since.setdefault(record.uid, self._clock()) if seen and seen.state.final else 0,
            still_for=self._still_for(record.uid, seen) if seen is not None else 0,
            event=words if asked == binding.attempt else ("", ""),
            current=self._fresh_versions.get(record.uid) == record.resource_version,
            job_absent=copy is None and self._job_absent.get(record.uid) == binding.attempt,
            absent=absent and copy is None and not pods,
        )

    def _gone_with_result(self, record: JobRecord, link: ObservedLink, binding: Binding) -> RemoteJob | None:
        """Return the last picture of a copy of the open attempt that went after its result was told."""
        last = link.ended_jobs.pop(record.uid, None)
        if last is not None:
            self._ended[record.uid] = last
        last = self._ended.get(record.uid)
        if last is None or not record.attempt_open:
            self._ended.pop(record.uid, None)
            return None
        known = binding.remote_uid
        return last if (attempt_of(last.metadata.labels) == binding.attempt if known is None else last.metadata.uid == known) else None

    def _unlabelled_copy(self, uid: str) -> RemoteJob | None:
        until, copy = self._unlabelled.get(uid, (0, None))
        return copy if until > self._clock() else None

    def _still_for(self, uid: str, seen: Observation) -> int:
        counts = (seen.active, seen.ready, seen.succeeded, seen.failed, seen.pending)
        known, since = self._still_since.get(uid, ((), 0))
        if known != counts:
            since = self._clock()
            self._still_since[uid] = counts, since
        return self._clock() - since

    def _observe(self, record: JobRecord, copy: RemoteJob, pods: tuple[Pod, ...], *, binding: Binding) -> Observation:
        """Look at an attempt; what was seen of it before goes in, because failed pods may be gone by now."""
        recorded = binding.remote_uid is not None and binding.remote_uid == copy.metadata.uid
        attempt = binding.attempt if recorded else attempt_of(copy.metadata.labels)
        mine = tuple(pod for pod in pods if pod.metadata.labels.get(LABEL_ATTEMPT) == str(attempt))
        number, earlier = self._observations.get(record.uid, (0, None))
        if number != attempt:
            earlier = None
            self._final_since.pop(record.uid, None)
        gang = record.spec.gang if record.spec is not None else True
        seen = observe(copy, mine, gang=gang, replicas=binding.replicas, earlier=earlier)
        self._observations[record.uid] = (attempt, seen)
        return seen
