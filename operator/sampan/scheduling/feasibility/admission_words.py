"""What the namespace of jobs on a member asks of a pod and what the pod has, in words that say what to set. Nothing is judged here."""

from sampan.model.job import Demand
from sampan.model.members.cluster import Pool
from sampan.scheduling.feasibility.admission import Fault, Violation, uncovered, unnamed, violations
from sampan.scheduling.feasibility.amount_words import amount_words

Words = tuple[str, str]
"""(needed, present)."""
_SETTABLE = ("cpu", "memory", "ephemeral-storage")


def not_named(demand: Demand, pool: Pool) -> Words:
    """Return what quotas make a pod name, and what to set."""
    missing = unnamed(demand, pool)
    names = list(dict.fromkeys(each.resource for each in missing))
    sources = " and ".join(dict.fromkeys(each.source for each in missing))
    fields = " and ".join(dict.fromkeys(_field(name) for name in names))
    return (
        f"a pod that names {' and '.join(names)}, as {sources} asks of every pod",
        f"the job names none and no LimitRange does: set {fields}",
    )


def out_of_range(demand: Demand, pool: Pool) -> Words:
    """Return the amounts of a pod that LimitRanges do not admit, and what to set."""
    found = violations(demand, pool)
    told = [_words(each) for each in found[:3]]
    return "; ".join(dict.fromkeys(needed for needed, _ in told)), "; ".join(dict.fromkeys(present for _, present in told))


def not_covered(demand: Demand, pool: Pool) -> Words:
    """Return what the member's queue does not hand out."""
    names = ", ".join(uncovered(demand, pool))
    return (
        f"a member queue that hands out {names}",
        f"the ClusterQueue behind {pool.member_queue} covers {', '.join(sorted(pool.covers or ())) or 'nothing'}",
    )


def _field(name: str) -> str:
    """Return the field of a job's manifest that a quota's entry is about."""
    part, _, resource = name.rpartition(".")
    return f"resources.{part or 'requests'}.{resource}"


def _words(each: Violation) -> Words:
    """Return what one amount is, and what the LimitRange says of it."""
    bound, field = amount_words(each.resource, each.bound), f"resources.limits.{each.resource}"
    asked = f"a request of {amount_words(each.resource, each.request)}" if each.request is not None else f"no request of {each.resource}"
    capped = f"a limit of {amount_words(each.resource, each.limit)}" if each.limit is not None else f"no limit of {each.resource}"
    match each.fault:
        case Fault.FILLED_IN_DEVICES:
            return f"no {each.resource}", f"{each.source} gives {bound} to every container that names none"
        case Fault.REQUEST_ABOVE_LIMIT:
            how = f": set {field}" if each.resource in _SETTABLE else ""
            return asked, f"{each.source} gives a limit of {bound} to every container that names none{how}"
        case Fault.ABOVE_MAX:
            missing = f" and asks for a limit: set {field}" if each.limit is None and each.resource in _SETTABLE else ""
            return (capped if each.limit is None or each.limit > each.bound else asked), f"{each.source} allows at most {bound}{missing}"
        case Fault.BELOW_MIN:
            missing = (
                f" and a request: set resources.requests.{each.resource}" if each.request is None and each.resource in _SETTABLE else ""
            )
            return (
                asked if each.request is None or each.request < each.bound else capped
            ), f"{each.source} asks for at least {bound}{missing}"
    most = f"{each.bound / 1000:g}"
    return f"{capped} with {asked}", f"{each.source} allows a limit of at most {most} times the request and asks for both: set {field}"
