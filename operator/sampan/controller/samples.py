"""Every metric as it is now, read from the parts when it is scraped. Nothing is counted here."""

from collections import Counter
from typing import Protocol

from sampan.controller.hub.intake import HubIntake
from sampan.controller.loop import Loop
from sampan.controller.offers.manager import OfferManager
from sampan.controller.reconcile.reconciler import JobReconciler
from sampan.controller.runtime import metrics as m
from sampan.controller.runtime.usage_writer import UsageWriter
from sampan.controller.state.store import State


class Parts(Protocol):
    """The parts of the operator that are read."""

    state: State
    offers: OfferManager
    reconciler: JobReconciler
    loop: Loop
    intake: HubIntake
    usage_writer: UsageWriter


def samples_of(parts: Parts, *, kopf_starts: int, calls: m.Calls) -> dict[m.Family, list[m.Sample]]:
    """Return the samples of every family."""
    done, loop = parts.reconciler.counters, parts.loop
    offers = Counter(str(o.approved and o.connected and o.permitted and o.accepting).lower() for o in parts.offers.joined.offers().values())
    members: dict[str, bool] = {}
    for link in parts.offers.joined.links():
        if link.cluster_uid is not None:
            members[link.cluster_uid] = members.get(link.cluster_uid, False) or link.connected
    return {
        m.JOBS: [((phase,), n) for phase, n in sorted(parts.state.table.by_phase.items())],
        m.WAITING: [((), parts.state.waiting)],
        m.REFUSED: [((reason,), n) for reason, n in sorted(loop.last_refused.items())],
        m.OFFERS: [((truth,), n) for truth, n in sorted(offers.items())],
        m.MEMBERS: [((uid,), float(connected)) for uid, connected in sorted(members.items())],
        m.CYCLES: [((), loop.cycles)],
        m.CYCLE_SECONDS: [((), loop.last_seconds)],
        m.BOUND: [((), done.bound)],
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
    }
