"""Every metric as it is now, read from the parts when it is scraped. Nothing is counted here, and no job is gone through."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, Protocol

from sampan.controller.hub.intake import HubIntake
from sampan.controller.loop import Loop
from sampan.controller.observability import Observability
from sampan.controller.offers.manager import OfferManager
from sampan.controller.reconcile.reconciler import JobReconciler
from sampan.controller.runtime import metrics as m
from sampan.controller.runtime.usage_writer import UsageWriter
from sampan.controller.state.store import State
from sampan.controller.tallies.job_tallies import Group, GroupTally, JobTallies
from sampan.model.queues import DEFAULT_QUEUE
from sampan.model.status.condition import IS_FALSE, IS_TRUE
from sampan.model.values.distribution import Distribution

MAX_TENANTS: Final = 500
"""Tenants with series of their own; those with most jobs."""
OTHERS: Final = "other"
UNKNOWN: Final = "unknown"
"""A queue that a job names and that there is not: such names are anybody's, and make no series."""
Samples = dict[m.Family, list[m.Sample]]


class Parts(Protocol):
    """The parts of the operator that are read."""

    state: State
    offers: OfferManager
    reconciler: JobReconciler
    loop: Loop
    intake: HubIntake
    usage_writer: UsageWriter
    observability: Observability


def samples_of(parts: Parts, *, kopf_starts: int, calls: m.Calls, now: int) -> Samples:
    """Return the samples of every family; `now` in milliseconds since the epoch."""
    own, tallies = _own(parts, kopf_starts=kopf_starts, calls=calls), parts.observability.tallies
    return own | _members(parts.offers) | _offers(parts.offers, tallies) | _jobs(tallies, _queues(parts.state), now=now)


def _own(parts: Parts, *, kopf_starts: int, calls: m.Calls) -> Samples:
    """Return what the operator itself does."""
    done, loop = parts.reconciler.counters, parts.loop
    return {
        m.JOBS: [((phase,), n) for phase, n in sorted(parts.state.table.by_phase.items())],
        m.WAITING: [((), parts.state.waiting)],
        m.REFUSED: [((reason,), n) for reason, n in sorted(loop.last_refused.items())],
        m.CYCLES: [((), loop.cycles)],
        m.CYCLE_SECONDS: [((), loop.last_seconds)],
        m.BINDS: [((result,), n) for result, n in sorted(done.binds.items())],
        m.CREATED: [((), done.created)],
        m.ADOPTED: [((), done.adopted)],
        m.CONFLICTS: [((), done.conflicts)],
        m.ERRORS: [((), done.errors)],
        m.QUARANTINED: [((), done.quarantined)],
        m.UNSTORED: [((), parts.usage_writer.unstored)],
        m.FOLDED: [((), parts.usage_writer.folded)],
        m.STORE_ERRORS: [((), parts.usage_writer.errors)],
        m.QUEUE: [((), len(parts.reconciler.queue))],
        m.KOPF: [((), kopf_starts)],
        m.EVENTS: [((kind,), n) for kind, n in sorted(parts.intake.events.items())],
        m.GAPS: [((), parts.intake.resync.gaps)],
        m.CALLS: [(labels, n) for labels, n in sorted(calls.counts.items())],
        m.HUB_CALLS: [((verb,), seconds) for verb, seconds in sorted(calls.hub_seconds.items())],
        m.LOOP_LAG: [((), parts.observability.lag.seconds)],
        m.TOLD: [((result,), n) for result, n in sorted(parts.observability.events.results.items())],
        m.TOLD_QUEUE: [((), len(parts.observability.events))],
    }


def _members(offers: OfferManager) -> Samples:
    """Return how the members are, each by its cluster: several links may lead to one."""
    connected: dict[str, bool] = {}
    seconds: dict[str, Distribution] = {}
    for link in offers.joined.links():
        if link.cluster_uid is not None:
            connected[link.cluster_uid] = connected.get(link.cluster_uid, False) or link.connected
            seconds.setdefault(link.cluster_uid, Distribution(link.call_seconds.bounds)).take(link.call_seconds)
    return {
        m.MEMBERS: [((uid,), float(up)) for uid, up in sorted(connected.items())],
        m.MEMBER_CALLS: [((uid,), spread) for uid, spread in sorted(seconds.items())],
    }


def _offers(offers: OfferManager, tallies: JobTallies) -> Samples:
    """Return the offers as their statuses show them."""
    found: Samples = {family: [] for family in (m.OFFER_INFO, m.OFFER_CONDITION, *_POOLS)}
    known = offers.joined.offers()
    for key in sorted(known):
        offer, name = known[key], str(key)
        found[m.OFFER_INFO].append(((name, offer.provider, offer.region, str(offer.terms), offer.cluster_uid or ""), 1))
        status = offers.registry.statuses.get(offer.uid, {})
        for condition in status.get("conditions") or ():
            if condition.get("status") in (IS_TRUE, IS_FALSE):
                found[m.OFFER_CONDITION].append(((name, str(condition.get("type"))), float(condition["status"] == IS_TRUE)))
        for pool in status.get("pools") or ():
            labels = (name, str(pool.get("name")), str(pool.get("acceleratorClass") or ""))
            for family, amount in _POOLS.items():
                found[family].append((labels, amount(pool)))
    by_truth = Counter(str(o.approved and o.connected and o.permitted and o.accepting).lower() for o in known.values())
    names = {str(key) for key in known}
    found[m.OFFERS] = [((truth,), n) for truth, n in sorted(by_truth.items())]
    found[m.ATTEMPTS] = [(labels, n) for labels, n in sorted(tallies.outcomes.items()) if labels[0] in names]
    return found


_POOLS: Final[Mapping[m.Family, Callable[[Mapping[str, Any]], int]]] = {
    m.DEVICES: lambda pool: pool.get("devices", 0),
    m.DEVICES_FREE: lambda pool: pool.get("free", 0),
    m.DEVICES_USED: lambda pool: max(pool.get("devices", 0) - pool.get("free", 0), 0),
    m.DEVICES_RESERVED: lambda pool: pool.get("reserved", 0),
}


def _queues(state: State) -> Callable[[Group], str]:
    """Return what tells the queue of a group: of those there are."""

    def queue_of(group: Group) -> str:
        name = state.queues.queue_named(group.tenant, group.queue)
        return name if name in state.queues.queues or name == DEFAULT_QUEUE else UNKNOWN

    return queue_of


def _jobs(tallies: JobTallies, queue_of: Callable[[Group], str], *, now: int) -> Samples:
    """Return what is counted of jobs by queue and by tenant."""
    queues, tenants = defaultdict[str, list[GroupTally]](list), defaultdict[str, list[GroupTally]](list)
    weight = Counter[str]()
    for group, tally in tallies.groups.items():
        weight[group.tenant] += sum(tally.phases.values())
    shown = {tenant for tenant, _ in weight.most_common(MAX_TENANTS)}
    for group, tally in tallies.groups.items():
        queues[queue_of(group)].append(tally)
        tenants[group.tenant if group.tenant in shown else OTHERS].append(tally)
    phases = {tenant: sum((each.phases for each in tally), Counter[str]()) for tenant, tally in sorted(tenants.items())}
    return {
        m.QUEUE_WAITING: list(_waiting(queues)),
        m.QUEUE_OLDEST: list(_oldest(queues, now)),
        m.QUEUE_DEVICES: list(_devices(queues)),
        m.TENANT_WAITING: list(_waiting(tenants)),
        m.TENANT_OLDEST: list(_oldest(tenants, now)),
        m.TENANT_DEVICES: list(_devices(tenants)),
        m.TENANT_JOBS: [((tenant, phase), n) for tenant, counts in phases.items() for phase, n in sorted(counts.items())],
        m.WAIT_TO_BOUND: list(_spread(tallies.bound, queue_of)),
        m.WAIT_TO_RUNNING: list(_spread(tallies.running, queue_of)),
        m.STALLED: [((reason,), n) for reason, n in sorted(tallies.stalls.items())],
    }


_Sorted = Mapping[str, Iterable[GroupTally]]


def _waiting(sets: _Sorted) -> Iterator[m.Sample]:
    return (((name,), sum(len(each.waiting) for each in tallies)) for name, tallies in sorted(sets.items()))


def _devices(sets: _Sorted) -> Iterator[m.Sample]:
    return (((name,), sum(each.devices for each in tallies)) for name, tallies in sorted(sets.items()))


def _oldest(sets: _Sorted, now: int) -> Iterator[m.Sample]:
    for name, tallies in sorted(sets.items()):
        created = min((at for each in tallies if (at := each.oldest) is not None), default=None)
        yield (name,), 0.0 if created is None else max(now - created, 0) / 1000


def _spread(spreads: Mapping[Group, Distribution], queue_of: Callable[[Group], str]) -> Iterator[m.Sample]:
    found: dict[str, Distribution] = {}
    for group, spread in spreads.items():
        found.setdefault(queue_of(group), Distribution(spread.bounds)).take(spread)
    yield from (((queue,), spread) for queue, spread in sorted(found.items()))
