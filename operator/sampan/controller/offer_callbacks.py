"""What the offers ask about jobs, and whom they tell: answered by the other parts, which are looked up at the call.

The offers are built first, because the others need them.
"""

from collections.abc import Iterator
from typing import Protocol

from sampan.controller.loop import Loop
from sampan.controller.observation.hold_ups import summarise
from sampan.controller.offers.manager import OfferManager
from sampan.controller.offers.render import OfferUsage
from sampan.controller.offers.terms import OfferCallbacks
from sampan.controller.reconcile.reconciler import JobReconciler
from sampan.controller.state.entry import JobEntry
from sampan.controller.state.store import State
from sampan.model.members.offer import OfferKey


class Parts(Protocol):
    """The parts of the operator that are called."""

    state: State
    offers: OfferManager
    reconciler: JobReconciler
    loop: Loop


class JobsOfOffers:
    """The jobs as the offers need them."""

    def __init__(self, parts: Parts) -> None:
        """`parts` need not be built yet."""
        self._parts = parts

    def callbacks(self) -> OfferCallbacks:
        """Return what the offers are to call."""
        parts = self._parts
        return OfferCallbacks(
            changed=lambda: parts.loop.wake(),  # noqa: PLW0108
            job_changed=self._job_changed,
            member_changed=lambda cluster_uid: parts.reconciler.enqueue_member(cluster_uid),  # noqa: PLW0108
            in_flight=lambda cluster_uid: parts.state.allocations.in_flight(cluster_uid),  # noqa: PLW0108
            usage=OfferUsage(
                in_use=self.in_use,
                waits_for=lambda offer: summarise(entry.record.status for entry in self.using(offer)),
                running=lambda cluster_uid: parts.state.allocations.running(cluster_uid),  # noqa: PLW0108
                reserved=lambda offer: parts.state.reservations.reserved_devices(offer),  # noqa: PLW0108
            ),
        )

    def _job_changed(self, cluster_uid: str, job_uid: str) -> None:
        entry = self._parts.state.table.get(job_uid)
        if entry is None:
            return
        entry.memory.members.add(cluster_uid)
        if entry.record.attempt_open and self._parts.state.allocations.copy_changed(entry):
            self._parts.state.allocations.notify(cluster_uid)
        self._parts.reconciler.copy_changed(entry)

    def in_use(self, offer: OfferKey) -> bool:
        """Tell whether a copy that came by this offer may still be on its member, or is about to come."""
        return self._parts.reconciler.is_binding_to(offer) or any(True for _ in self.using(offer))

    def using(self, offer: OfferKey) -> Iterator[JobEntry]:
        """Yield the jobs that came by this offer and whose copy may still be on its member."""
        for entry in self._parts.state.table.of_offer(offer):
            binding = entry.record.binding
            assert binding is not None
            link = self._parts.offers.joined.link_of(binding.cluster_uid)
            if not entry.record.phase.ended or link is None or not link.follows(binding.namespace) or link.copies.has_remnants(entry.uid):
                yield entry
