"""The refusals of one cycle: one for all jobs that are alike, told as things stand at its end, and made anew only where that changed."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace

from sampan.model.backlog import Bucket
from sampan.model.job import Job
from sampan.model.plan import Refusal
from sampan.scheduling.admission_index import Doors
from sampan.scheduling.diagnosis import refusal, refusal_anew
from sampan.scheduling.queueing.equivalence import Like
from sampan.scheduling.queueing.order import order_key
from sampan.scheduling.state import Case, Desk

Pieces = tuple[tuple[Job, ...], ...]


@dataclass(slots=True)
class Told:
    """What was last told of jobs that are alike."""

    stamps: tuple[int, ...]
    refusal: Refusal
    pieces: Pieces
    whole: Refusal


class Notices:
    """Who is refused, and why."""

    def __init__(self, desk: Desk, doors: Doors) -> None:
        self._desk, self._doors = desk, doors
        self._reach: list[int] = []
        self._all_stamps: list[int] = []

    def all(self, touched: Iterable[Bucket], *, gone: Set[str], alone: Iterable[Job]) -> list[Refusal]:
        """Return the refusals in the order of their oldest jobs.

        `touched`: buckets with jobs that had a turn of their own; `gone`: those jobs; `alone`: those of them that are refused.
        """
        desk, likes = self._desk, self._desk.book.yard.likes
        openings = desk.book.openings
        openings.settle(desk.tables, desk.limits)
        self._reach, self._all_stamps = openings.reach.tolist(), openings.stamps.tolist()
        apart = {id(bucket): bucket for bucket in touched}
        left: dict[int, list[Pieces]] = {}
        split: set[int] = set()
        for bucket in apart.values():
            split.add(self._doors.of(bucket.head).number)
            pieces = _left(bucket, gone)
            if pieces:
                left.setdefault(self._doors.of(pieces[0][0]).number, []).append(pieces)
        found = [refusal(desk, desk.case(job)) for job in alone]
        for like in likes.live():
            if not self._doors.is_open(like):
                own = like.number in split or like.number in left
                told = self._told(like, _merged(like, apart, left.get(like.number, ())) if own else like.pieces())
                if told is not None:
                    found.append(told)
        return sorted(found, key=lambda each: order_key(each.job))

    def _told(self, like: Like, pieces: Pieces) -> Refusal | None:
        """Return the refusal of all who are alike, the very same value where nothing changed."""
        if not pieces:
            return None
        known, stamps = like.told if isinstance(like.told, Told) else None, self._stamps(like)
        fresh = self._fresh(like, pieces[0][0], known=known.refusal if known and stamps and known.stamps == stamps else None)
        if known is not None and known.refusal is fresh and known.pieces is pieces:
            return known.whole
        first, *others = pieces
        whole = replace(fresh, job=first[0], rest=tuple(each for each in (first[1:], *others) if each))
        like.told = Told(stamps, fresh, pieces, whole)
        return whole

    def _stamps(self, like: Like) -> tuple[int, ...]:
        """Return what names all that is told of jobs that are alike but the room; nothing where more than that is to be looked at."""
        slots = self._doors.slots[like.number]
        if like.excluded or any(self._reach[slot] for slot in slots):
            return ()
        return tuple(self._all_stamps[slot] for slot in slots)

    def _fresh(self, like: Like, job: Job, *, known: Refusal | None) -> Refusal:
        """Return why a job is refused; `known`: what was told under the same stamps."""
        desk, slots = self._desk, self._doors.slots[like.number]
        if known is not None:
            room = desk.book.openings.room(slots)
            return known if known.room == room else replace(known, room=room)
        case = Case(job, desk.case(job).rows, like.allowed)
        return refusal_anew(desk, case) if self._stamps(like) else refusal(desk, case)


def _left(bucket: Bucket, gone: Set[str]) -> Pieces:
    """Return the jobs of a bucket that are not gone, in pieces."""
    kept = (tuple(job for job in chunk if job.uid not in gone) for chunk in bucket.chunks)
    return tuple(chunk for chunk in kept if chunk)


def _merged(like: Like, apart: Mapping[int, Bucket], left: Iterable[Pieces]) -> Pieces:
    """Return the jobs of those who are alike, by the rank of their buckets, with what is left of those that lie apart."""
    ranked = [(rank, bucket.chunks) for rank, bucket in zip(like.ranks, like.buckets, strict=True) if id(bucket) not in apart]
    ranked += [(order_key(pieces[0][0]), pieces) for pieces in left]
    return tuple(chunk for _, pieces in sorted(ranked) for chunk in pieces)
