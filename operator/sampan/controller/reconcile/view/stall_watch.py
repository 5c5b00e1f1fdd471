"""Looks at what stalls bound jobs, and remembers since when. Reads a link's caches; asks nobody and writes nothing."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

from sampan.controller.members.job_copies import JobCopies, attempt_of
from sampan.controller.members.outage import Outage
from sampan.controller.observation.presence import NEW_FOR, PodProblem, ProblemKind, foreign_finalizers, pod_problems
from sampan.controller.reconcile.view import stalls as h
from sampan.controller.reconcile.view.remote_state import RemoteState
from sampan.controller.state.entry import JobEntry
from sampan.controller.state.record import JobRecord
from sampan.model.lifecycle import Phase
from sampan.model.members.cluster import Node
from sampan.model.members.offer import OfferKey
from sampan.model.status.attempt import Binding


class PodsAndNodes(Protocol):
    """What is needed of a member link."""

    @property
    def copies(self) -> JobCopies:
        """Return our Jobs and pods there."""

    @property
    def nodes(self) -> Mapping[str, Node]:
        """Return the member's nodes by name; empty where they may not be seen."""


class MemberLinks(Protocol):
    """What is needed of the joined members."""

    def link_of(self, cluster_uid: str) -> PodsAndNodes | None:
        """Return the link to a member, None where no offer leads there now."""

    def outage(self, cluster_uid: str, offer: OfferKey, namespace: str) -> Outage | None:
        """Return since when and why jobs in a namespace of a member cannot be worked with; None where they can, or that is not known."""


class StallTracker:
    """What stalls each bound job."""

    def __init__(self, members: MemberLinks, clock: Callable[[], int]) -> None:
        """`clock` gives milliseconds since the epoch."""
        self._members, self._clock = members, clock

    def of(self, entry: JobEntry, remote: RemoteState) -> h.StallState:
        """Return what stalls a job that waits; `remote` is what is known of its copy."""
        record, binding = entry.record, entry.record.binding
        if binding is None:
            entry.memory.stalled_since = {}
            return h.StallState(known=True)
        ended = record.deleting or not record.attempt_open
        if ended and not _removing(record, remote):
            return h.StallState(known=True)
        link = self._members.link_of(binding.cluster_uid)
        if not remote.reachable or link is None:
            return self._away(entry, remote, binding, ended=ended)
        found = self._removal(entry, remote, link) if ended else self._attempt(entry, remote, link)
        return h.StallState(known=True, stall=found)

    def _away(self, entry: JobEntry, remote: RemoteState, binding: Binding, *, ended: bool) -> h.StallState:
        if not remote.offer_exists:
            since = self._since(entry, "offer gone")
            return h.StallState(known=True, stall=None if ended else h.offer_gone(binding.offer, since=since))
        outage = self._members.outage(binding.cluster_uid, binding.offer, binding.namespace)
        if outage is None:
            return h.StallState(known=False)
        return h.StallState(known=True, stall=h.away(outage, binding.offer, ended=ended, unsent=remote.unsent))

    def _attempt(self, entry: JobEntry, remote: RemoteState, link: PodsAndNodes) -> h.Stall | None:
        """What is wrong with an attempt that is under way."""
        record, seen = entry.record, remote.observation
        binding = record.binding
        assert binding is not None
        if (newer := _newer(binding, remote)) is not None:
            return h.newer_copy(newer, ended=False, since=self._since(entry, "newer"))
        found = self._pod_problems(entry, link, attempt=binding.attempt)
        if found or seen is None:
            return h.of_pods(found, ended=False)
        gang = record.spec is None or record.spec.gang
        if record.phase is Phase.RUNNING and gang and not seen.whole and not seen.state.final:
            ready = seen.ready + seen.succeeded
            return h.not_whole(ready=ready, replicas=binding.replicas, since=self._since(entry, "not whole"))
        entry.memory.stalled_since = {}
        return None

    def _removal(self, entry: JobEntry, remote: RemoteState, link: PodsAndNodes) -> h.Stall | None:
        """What the removal of a copy waits for."""
        binding, copy = entry.record.binding, remote.job
        assert binding is not None
        if (newer := _newer(binding, remote)) is not None:
            return h.newer_copy(newer, ended=True, since=self._since(entry, "newer"))
        found = self._pod_problems(entry, link, attempt=None)
        if found:
            return h.of_pods(found, ended=True)
        since = self._since(entry, "removal")
        if copy is not None and copy.metadata.deletion_timestamp and not remote.pods:
            finalizers = foreign_finalizers(copy.metadata.finalizers)
            if finalizers:
                return h.kept_job(finalizers, since=since)
        return h.slow_removal(since=since)

    def _pod_problems(self, entry: JobEntry, link: PodsAndNodes, *, attempt: int | None) -> tuple[PodProblem, ...]:
        """What is wrong with the job's pods (of an attempt; None: of all, which are to go), each with since when."""
        binding = entry.record.binding
        assert binding is not None
        known = link.copies.pods.tallies(entry.uid, binding.namespace)
        tallies = (each for number, each in known.items() if attempt is None or number == str(attempt))
        found = pod_problems((pod for tally in tallies for pod in tally.suspects(link.nodes)), link.nodes)
        now, before = self._clock(), entry.memory.stalled_since
        first: dict[object, int] = {(each.uid, each.kind): before.get((each.uid, each.kind), now) for each in found}
        kept = {key: at for key, at in before.items() if isinstance(key, str) and not found}
        entry.memory.stalled_since = kept | first
        return tuple(_timed(each, first[each.uid, each.kind], removal=attempt is None) for each in found)

    def _since(self, entry: JobEntry, what: str) -> int:
        """Return when this was first found, in a row, and forget all else."""
        before = entry.memory.stalled_since
        first = before.get(what, self._clock())
        entry.memory.stalled_since = {what: first}
        return first


def _timed(trouble: PodProblem, first: int, *, removal: bool) -> PodProblem:
    """Return a trouble with since when, never later than it was first seen, and from when on it is to be told."""
    grace = trouble.grace if removal and trouble.kind is ProblemKind.TERMINATING else 0
    since = first if trouble.since is None else min(trouble.since, first)
    young = min(trouble.young_until or 0, first + NEW_FOR)
    return replace(trouble, since=since, report_at=max(first + grace + h.REPORT_AFTER, young))


def _newer(binding: Binding, remote: RemoteState) -> int | None:
    """Return the attempt of a copy that is later than the bound one; None where there is no such copy."""
    copy = remote.job
    if copy is None or (binding.remote_uid is not None and copy.metadata.uid == binding.remote_uid):
        return None
    attempt = attempt_of(copy.metadata.labels)
    return attempt if attempt > binding.attempt else None


def _removing(record: JobRecord, remote: RemoteState) -> bool:
    """Tell whether the copy of an attempt that is over should be gone: a finished job's may stay for a while."""
    if record.deleting or not record.phase.ended:
        return True
    if remote.job is None:
        return remote.pods > 0
    return remote.job.metadata.deletion_timestamp is not None
