"""Why a job waits, in one line: the words of every reason, counted over the pools. What each means stands in `feasibility/constraints`."""

from collections.abc import Iterable

from sampan.model.job import Shape
from sampan.model.plan import Refusal, UnknownName
from sampan.model.reason import Reason
from sampan.scheduling.feasibility.constraints.phrases import wanted
from sampan.scheduling.feasibility.constraints.table import meaning


def headline(refusal: Refusal) -> str:
    """Return why a job waits, in one line: every dominant reason with the number of pools that gave it, most helpful first.

    Names of devices that nobody knows come before all that, unless an alternative has none. Offers that are not for the job's
    namespace are not counted: that there are any is for their owners to tell.
    """
    told, remark = _no_pool(refusal), unknown_words(refusal.unknown)
    if not remark:
        return told
    remark = f"{remark}; an AcceleratorClass would add {'it' if len(refusal.unknown) == 1 else 'them'}"
    whole = len({each.index for each in refusal.unknown}) == len(refusal.job.shape.demands)
    return f"{remark}; {told}" if whole else f"{told}; {remark}"


def unknown_words(unknown: Iterable[UnknownName]) -> str:
    """Return which names nobody knows, with the nearest that a class bears: `no class h1000 is known, the nearest is h100`."""
    return "; ".join(dict.fromkeys(_unknown(each) for each in unknown))


def _unknown(one: UnknownName) -> str:
    what = one.name if one.word == "class" else f"of {one.word} {one.name}"
    return f"no class {what} is known" + (f", the nearest is {one.nearest}" if one.nearest else "")


def _no_pool(refusal: Refusal) -> str:
    counts = refusal.counts
    if not counts:
        return "no pool fits: no offer that is open to jobs of this namespace has one"
    dominant = refusal.dominant
    ordered = sorted(counts, key=lambda reason: (reason is not dominant, -counts[reason], reason.severity))
    parts = (f"{_pools(counts[reason])} {reason} ({word(reason, refusal.job.shape, room=refusal.room)})" for reason in ordered)
    have = "has" if refusal.other_devices == 1 else "have"
    others = f"; {_pools(refusal.other_devices)} {have} other devices than the job asks for" if refusal.other_devices else ""
    return f"no pool fits: {', '.join(parts)}{others}"


def word(reason: Reason, shape: Shape, *, room: int | None = None) -> str:
    """Return what a reason means for a job of this shape; `room`: most replicas that fit anywhere now, if known."""
    if reason is Reason.INSUFFICIENT_CAPACITY and room is not None:
        return f"needs {wanted(shape)}, {_room(room)}"
    return meaning(reason, shape)


def _pools(count: int) -> str:
    return "1 pool" if count == 1 else f"{count} pools"


def _room(room: int) -> str:
    return "none fits now" if room == 0 else f"at most {room} {'fits' if room == 1 else 'fit'} now"
