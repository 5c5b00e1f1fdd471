"""What is known of a job's copy right now: the link's caches, read for one job. Reads only; asks nobody."""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final, Protocol

from sampan.controller.members.job_copies import JobCopies, attempt_beside, attempt_of
from sampan.controller.members.outage import Outage
from sampan.controller.observation.attempt import Observation, observe
from sampan.controller.observation.pod_tally import PodTally
from sampan.controller.reconcile.view.blocker import start_blocker
from sampan.controller.reconcile.view.remote_state import RemoteState, StrayCopy
from sampan.controller.state.entry import AttemptMemory, JobEntry, Picture, SeenSince
from sampan.kube.objects.workloads import Job as RemoteJob
from sampan.model.members.cluster import Node
from sampan.model.members.offer import OfferKey
from sampan.model.status.attempt import Binding


class ObservedLink(Protocol):
    """What can be seen through a member link."""

    @property
    def copies(self) -> JobCopies:
        """Return our Jobs and pods there."""

    @property
    def connected(self) -> bool:
        """Tell whether what concerns all jobs there is complete and fresh."""

    @property
    def nodes(self) -> Mapping[str, Node]:
        """Return the member's nodes by name; empty where they may not be seen."""

    def follows(self, namespace: str) -> bool:
        """Tell whether it is connected, and what is known of our objects in a namespace is current."""


class OfferTargets(Protocol):
    """Where an offer leads."""

    def offer_state(self, offer: OfferKey) -> tuple[bool, bool]:
        """Return whether an offer exists and whether it is being deleted."""

    def remote_namespace(self, offer: OfferKey, tenant: str) -> str | None:
        """Return the namespace on an offer's member for jobs of a tenant; None where it has none."""

    def pull_secrets(self, offer: OfferKey) -> tuple[str, ...]:
        """Return the pull secrets of an offer."""


class ObservedMembers(OfferTargets, Protocol):
    """What can be seen of the joined members."""

    def link_of(self, cluster_uid: str) -> ObservedLink | None:
        """Return the link to a member, None where no offer leads there now."""

    def outage(self, cluster_uid: str, offer: OfferKey, namespace: str) -> Outage | None:
        """Return since when and why jobs in a namespace of a member cannot be worked with; None where they can, or that is not known."""


NO_PODS: Final = PodTally()
"""An attempt of which no pod is seen."""
UNLABELLED_MILLIS = 10_000
"""How long a copy that no watch follows is believed to be as it was seen."""


class News(Enum):
    """What changed of a copy since the last decision about its job."""

    NONE = 0
    PROGRESS = 1
    """Its pods came on a little: what is told of them may be another, and that is not urgent."""
    DECISIVE = 2
    """It runs or ended, it is another, or it goes; or whatever cannot be told."""


class MemberView:
    """Looks at copies; what the member may forget of an attempt is remembered in the job's entry."""

    def __init__(self, members: ObservedMembers, clock: Callable[[], int]) -> None:
        """`clock` gives milliseconds since the epoch."""
        self._members, self._clock = members, clock

    def of(self, entry: JobEntry) -> RemoteState:
        """Return what is known of a job's copy."""
        record, binding = entry.record, entry.record.binding
        if binding is None:
            return RemoteState(strays=self._strays(entry, None), tries=entry.retries)
        memory = entry.memory.peek(binding.attempt)
        exists, draining = self._members.offer_state(binding.offer)
        link = self._members.link_of(binding.cluster_uid)
        if link is None or not link.follows(binding.namespace):
            entry.memory.looked_at = None
            return RemoteState(
                offer_exists=exists or link is not None,
                offer_draining=draining,
                absent=memory.gone,
                unsent=memory.unsent,
                rejection=entry.memory.rejection_of(binding.attempt),
                strays=self._strays(entry, _copy_of(link.copies, entry.uid, binding) if link is not None else None),
                tries=entry.retries,
            )
        copy = _copy_of(link.copies, record.uid, binding) or self._unlabelled(memory)
        tallies = link.copies.pods.tallies(record.uid, binding.namespace)
        pods = sum(map(len, tallies.values()))
        ended = self._gone_with_result(entry, link, binding) if copy is None else None
        shown = copy or ended
        seen = self._observe(entry, shown, tallies, binding=binding) if shown is not None else None
        memory = entry.memory.peek(binding.attempt)
        if seen is None or start_blocker(seen, memory.event) is None:
            memory.since.blocked = None
        elif memory.since.blocked is None:
            memory.since.blocked = self._clock()
        entry.memory.looked_at = _picture(copy, seen, tallies=tallies, nodes=link.nodes)
        return RemoteState(
            offer_exists=exists or copy is not None,
            offer_draining=draining,
            reachable=True,
            unsent=memory.unsent and shown is None and not pods,
            never_sent=memory.unsent and not pods,
            rejection=entry.memory.rejection_of(binding.attempt),
            job=copy,
            ended=ended,
            pods=pods,
            seen_before=memory.observation is not None,
            observation=seen,
            final_for=self._clock() - memory.since.final if seen is not None and memory.since.final is not None else 0,
            still_for=self._clock() - memory.since.counts[1] if seen is not None and memory.observation is seen else 0,
            blocked_for=self._clock() - memory.since.blocked if seen is not None and memory.since.blocked is not None else 0,
            event=memory.event,
            current=entry.memory.fresh_version == record.resource_version,
            job_absent=copy is None and memory.job_absent,
            absent=memory.gone and copy is None and not pods,
            strays=self._strays(entry, copy),
            tries=entry.retries,
        )

    def news(self, entry: JobEntry) -> News:
        """Return what changed since the last decision of what one may rest on."""
        record, binding = entry.record, entry.record.binding
        link = self._members.link_of(binding.cluster_uid) if binding is not None else None
        copy = _copy_of(link.copies, record.uid, binding) if link is not None and binding is not None else None
        if link is None or binding is None or copy is None or not link.follows(binding.namespace):
            return News.DECISIVE
        tallies = link.copies.pods.tallies(record.uid, binding.namespace)
        seen = self._observe(entry, copy, tallies, binding=binding)
        picture, before = _picture(copy, seen, tallies=tallies, nodes=link.nodes), entry.memory.looked_at
        if picture is None or before is None:
            return News.DECISIVE
        if picture == before:
            return News.NONE
        return News.PROGRESS if record.attempt_open and picture.is_progress_from(before) else News.DECISIVE

    def adopt(self, memory: AttemptMemory, copy: RemoteJob) -> None:
        """Hear of a copy that the watch does not show, because somebody took its labels off; it is believed for a while."""
        memory.unlabelled = self._clock() + UNLABELLED_MILLIS, copy

    def _unlabelled(self, memory: AttemptMemory) -> RemoteJob | None:
        until, copy = memory.unlabelled
        return copy if until > self._clock() else None

    def _gone_with_result(self, entry: JobEntry, link: ObservedLink, binding: Binding) -> RemoteJob | None:
        """Return the last picture of a copy of the open attempt that went after its result was told."""
        last, memory = link.copies.ended_jobs.get((entry.uid, binding.namespace)), entry.memory.peek(binding.attempt)
        if last is not None and _is_attempt(last, binding):
            memory = entry.memory.of(binding.attempt)
            memory.ended = link.copies.ended_jobs.pop((entry.uid, binding.namespace))
        if not entry.record.attempt_open:
            memory.ended = None
        return memory.ended

    def _strays(self, entry: JobEntry, shown: RemoteJob | None) -> tuple[StrayCopy, ...]:
        """Return the copies beside the one that is decided on; forget the members where nothing is left."""
        found: list[StrayCopy] = []
        for member in sorted(entry.memory.members):
            link = self._members.link_of(member)
            if link is None:
                continue
            if not link.copies.has_remnants(entry.uid):
                entry.memory.members.discard(member)
            for (attempt, _), job in sorted(link.copies.of(entry.uid).items()):
                if job is not shown:
                    current = link.follows(job.metadata.namespace)
                    found.append(StrayCopy(member=member, attempt=attempt, job=job, current=current))
        return tuple(found)

    def _observe(self, entry: JobEntry, copy: RemoteJob, tallies: Mapping[str, PodTally], *, binding: Binding) -> Observation:
        """Look at an attempt; what was seen of it before goes in, because failed pods may be gone by now."""
        attempt = attempt_beside(copy, binding)
        mine = tallies.get(str(attempt), NO_PODS)
        gang = entry.record.spec.gang if entry.record.spec is not None else True
        if attempt != binding.attempt:
            return observe(copy, mine, gang=gang, replicas=binding.replicas)
        memory, now = entry.memory.of(attempt), self._clock()
        known, expected = entry.memory.observed, (mine.version, gang, binding.replicas)
        if memory.observation is not None and known[2:] == expected and known[0] is copy and known[1] is mine:
            return memory.observation
        seen = memory.observation = observe(copy, mine, gang=gang, replicas=binding.replicas, earlier=memory.observation)
        entry.memory.observed = copy, mine, *expected
        _remember(memory.since, seen, now)
        return seen


def _remember(since: SeenSince, seen: Observation, now: int) -> None:
    """Remember since when an attempt is as it was just seen."""
    if seen.state.final and since.final is None:
        since.final = now
    counts = (seen.active, seen.ready, seen.succeeded, seen.failed, seen.pending)
    if counts != since.counts[0]:
        since.counts = counts, now


def _copy_of(copies: JobCopies, job_uid: str, binding: Binding) -> RemoteJob | None:
    """Return the copy of the bound attempt, else the latest other one in its place: an older one must go first, a newer one is heeded."""
    current = copies.current(job_uid, binding)
    others = copies.of(job_uid) if current is None else {}
    there = [place for place in others if place[1] == binding.namespace]
    return others[max(there)] if there else current


def _is_attempt(last: RemoteJob, binding: Binding) -> bool:
    """Tell whether a copy that is gone is the bound attempt's: by the UID that the hub recorded, else by its label."""
    known = binding.remote_uid
    return attempt_of(last.metadata.labels) == binding.attempt if known is None else last.metadata.uid == known


def _picture(
    copy: RemoteJob | None, seen: Observation | None, *, tallies: Mapping[str, PodTally], nodes: Mapping[str, Node]
) -> Picture | None:
    """Return what a decision may rest on of a copy; None where that is more than the counts of its pods."""
    if copy is None or seen is None or any(tally.suspects(nodes) for tally in tallies.values()):
        return None
    meta = copy.metadata
    about = meta.uid, meta.labels, meta.finalizers, meta.deletion_timestamp, copy.spec
    return Picture(about, seen, (copy.status.start_time, tuple((attempt, len(tally)) for attempt, tally in sorted(tallies.items()))))
