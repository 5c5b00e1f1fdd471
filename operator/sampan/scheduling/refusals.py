"""The refusals of one cycle: one for all jobs of an equivalence class, as things stand at its end, made anew only where that changed.

A refusal is kept with the versions of the rows that it was made from (see `feasible_index`): while they stand, only the room that it
names is looked up. The very same value comes back while nothing changed, so that whoever writes statuses can compare by identity.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import replace

from sampan.model.backlog import Bucket
from sampan.model.job import Job
from sampan.model.plan import Refusal
from sampan.scheduling.candidate_index import CandidateIndex
from sampan.scheduling.diagnosis import fresh_refusal, refusal
from sampan.scheduling.queueing.equivalence import Chunks, EquivalenceClass, LastRefusal
from sampan.scheduling.queueing.order import order_key
from sampan.scheduling.state import CycleState, Entry


class RefusalReport:
    """Who is refused, and why."""

    def __init__(self, state: CycleState, candidates: CandidateIndex) -> None:
        self._state, self._candidates = state, candidates
        self._feasible_count: list[int] = []
        self._all_versions: list[int] = []

    def all(self, detached: Iterable[Bucket], *, gone: Set[str], reserved: Iterable[Job]) -> list[Refusal]:
        """Return the refusals in the order of their oldest jobs.

        `detached`: buckets of which jobs were placed or had a reservation; `gone`: those jobs; `reserved`: those of them that are refused.
        """
        state, classes = self._state, self._state.cache.pending.classes
        index = state.cache.feasible
        index.refresh()
        self._feasible_count, self._all_versions = index.feasible_count.tolist(), index.versions.tolist()
        by_identity = {id(bucket): bucket for bucket in detached}
        left: dict[int, list[Chunks]] = {}
        split: set[int] = set()
        for bucket in by_identity.values():
            split.add(self._candidates.class_of(bucket.head).number)
            chunks = _left(bucket, gone)
            if chunks:
                left.setdefault(self._candidates.class_of(chunks[0][0]).number, []).append(chunks)
        found = [refusal(state, state.entry(job)) for job in reserved]
        for equivalence in classes.live():
            if not self._candidates.is_feasible(equivalence):
                own = equivalence.number in split or equivalence.number in left
                made = self._refusal(
                    equivalence, _merged(equivalence, by_identity, left.get(equivalence.number, ())) if own else equivalence.chunks()
                )
                if made is not None:
                    found.append(made)
        return sorted(found, key=lambda each: order_key(each.job))

    def _refusal(self, equivalence: EquivalenceClass, chunks: Chunks) -> Refusal | None:
        """Return the refusal of a class, the very same value where nothing changed."""
        if not chunks:
            return None
        known, versions = equivalence.last_refusal, self._versions(equivalence)
        if known is not None and versions and known.versions == versions:
            room = self._state.cache.feasible.room(self._candidates.rows[equivalence.number])
            fresh = known.refusal if known.refusal.room == room else replace(known.refusal, room=room)
        else:
            fresh = self._fresh(equivalence, chunks[0][0], kept=bool(versions))
        if known is not None and known.refusal is fresh and known.chunks is chunks:
            return known.whole
        first, *others = chunks
        whole = replace(fresh, job=first[0], rest=tuple(each for each in (first[1:], *others) if each))
        equivalence.last_refusal = LastRefusal(versions, fresh, chunks, whole)
        return whole

    def _versions(self, equivalence: EquivalenceClass) -> tuple[int, ...]:
        """Return what names everything in the refusal of a class but the room; nothing where more than its rows decides."""
        if equivalence.excluded:
            return ()
        rows, counts, versions = self._candidates.rows[equivalence.number], self._feasible_count, self._all_versions
        if len(rows) == 1:
            return () if counts[rows[0]] else (versions[rows[0]],)
        return () if any(map(counts.__getitem__, rows)) else tuple(map(versions.__getitem__, rows))

    def _fresh(self, equivalence: EquivalenceClass, job: Job, *, kept: bool) -> Refusal:
        """Return why a job is refused; `kept`: what is made is kept by the versions of its rows."""
        entry = Entry(job, self._state.entry(job).verdicts, equivalence.eligible)
        return fresh_refusal(self._state, entry, reported=True) if kept else refusal(self._state, entry)


def _left(bucket: Bucket, gone: Set[str]) -> Chunks:
    """Return the jobs of a bucket that are not gone, in chunks."""
    kept = (tuple(job for job in chunk if job.uid not in gone) for chunk in bucket.chunks)
    return tuple(chunk for chunk in kept if chunk)


def _merged(equivalence: EquivalenceClass, detached: Mapping[int, Bucket], left: Iterable[Chunks]) -> Chunks:
    """Return the jobs of a class in the order of its buckets, with what is left of the detached ones."""
    whole = zip(equivalence.order_keys, equivalence.buckets, strict=True)
    ranked = [(key, bucket.chunks) for key, bucket in whole if id(bucket) not in detached]
    ranked += [(order_key(chunks[0][0]), chunks) for chunks in left]
    return tuple(chunk for _, chunks in sorted(ranked) for chunk in chunks)
