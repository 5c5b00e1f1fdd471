"""The refusals of one cycle: one for all jobs that are alike, told as things stand at its end, and made anew only where that changed."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import replace

from sampan.model.backlog import Bucket
from sampan.model.job import Job
from sampan.model.plan import Refusal
from sampan.scheduling.admission_index import AdmissionIndex
from sampan.scheduling.diagnosis import fresh_refusal, refusal
from sampan.scheduling.queueing.equivalence import Chunks, EquivalenceClass, LastRefusal
from sampan.scheduling.queueing.order import order_key
from sampan.scheduling.state import CycleState, Entry


class RefusalReport:
    """Who is refused, and why."""

    def __init__(self, state: CycleState, admission: AdmissionIndex) -> None:
        self._state, self._admission = state, admission
        self._feasible_count: list[int] = []
        self._all_versions: list[int] = []

    def all(self, touched: Iterable[Bucket], *, gone: Set[str], reserved: Iterable[Job]) -> list[Refusal]:
        """Return the refusals in the order of their oldest jobs.

        `touched`: buckets with jobs that had a turn of their own; `gone`: those jobs; `alone`: those of them that are refused.
        """
        state, classes = self._state, self._state.cache.pending.classes
        openings = state.cache.feasible
        openings.refresh(state.matrix, state.limits)
        self._feasible_count, self._all_versions = openings.feasible_count.tolist(), openings.versions.tolist()
        detached = {id(bucket): bucket for bucket in touched}
        left: dict[int, list[Chunks]] = {}
        split: set[int] = set()
        for bucket in detached.values():
            split.add(self._admission.class_of(bucket.head).number)
            chunks = _left(bucket, gone)
            if chunks:
                left.setdefault(self._admission.class_of(chunks[0][0]).number, []).append(chunks)
        found = [refusal(state, state.entry(job)) for job in reserved]
        for equivalence in classes.live():
            if not self._admission.is_feasible(equivalence):
                own = equivalence.number in split or equivalence.number in left
                told = self._refusal(
                    equivalence, _merged(equivalence, detached, left.get(equivalence.number, ())) if own else equivalence.chunks()
                )
                if told is not None:
                    found.append(told)
        return sorted(found, key=lambda each: order_key(each.job))

    def _refusal(self, equivalence: EquivalenceClass, chunks: Chunks) -> Refusal | None:
        """Return the refusal of all who are alike, the very same value where nothing changed."""
        if not chunks:
            return None
        known, versions = equivalence.last_refusal, self._versions(equivalence)
        fresh = self._fresh(equivalence, chunks[0][0], known=known.refusal if known and versions and known.versions == versions else None)
        if known is not None and known.refusal is fresh and known.chunks is chunks:
            return known.whole
        first, *others = chunks
        whole = replace(fresh, job=first[0], rest=tuple(each for each in (first[1:], *others) if each))
        equivalence.last_refusal = LastRefusal(versions, fresh, chunks, whole)
        return whole

    def _versions(self, equivalence: EquivalenceClass) -> tuple[int, ...]:
        """Return what names all that is told of jobs that are alike but the room; nothing where more than that is to be looked at."""
        slots = self._admission.rows[equivalence.number]
        if equivalence.excluded or any(self._feasible_count[slot] for slot in slots):
            return ()
        return tuple(self._all_versions[slot] for slot in slots)

    def _fresh(self, equivalence: EquivalenceClass, job: Job, *, known: Refusal | None) -> Refusal:
        """Return why a job is refused; `known`: what was told under the same stamps."""
        state, slots = self._state, self._admission.rows[equivalence.number]
        if known is not None:
            room = state.cache.feasible.room(slots)
            return known if known.room == room else replace(known, room=room)
        entry = Entry(job, state.entry(job).verdicts, equivalence.eligible)
        return fresh_refusal(state, entry) if self._versions(equivalence) else refusal(state, entry)


def _left(bucket: Bucket, gone: Set[str]) -> Chunks:
    """Return the jobs of a bucket that are not gone, in pieces."""
    kept = (tuple(job for job in chunk if job.uid not in gone) for chunk in bucket.chunks)
    return tuple(chunk for chunk in kept if chunk)


def _merged(equivalence: EquivalenceClass, detached: Mapping[int, Bucket], left: Iterable[Chunks]) -> Chunks:
    """Return the jobs of those who are alike, by the rank of their buckets, with what is left of those that lie apart."""
    whole = zip(equivalence.order_keys, equivalence.buckets, strict=True)
    ranked = [(key, bucket.chunks) for key, bucket in whole if id(bucket) not in detached]
    ranked += [(order_key(chunks[0][0]), chunks) for chunks in left]
    return tuple(chunk for _, chunks in sorted(ranked) for chunk in chunks)
