"""The jobs as the offers' statuses show them, and what follows from news of a copy. Reads the state; writes nothing."""

from collections.abc import Iterator

from sampan.controller.offers.joined import JoinedMembers
from sampan.controller.offers.render import OfferUsage
from sampan.controller.reconcile.reconciler import JobReconciler
from sampan.controller.reconcile.view.stalls import summarise
from sampan.controller.state.entry import JobEntry
from sampan.controller.state.store import State
from sampan.model.members.offer import OfferKey


class JobsOfOffers:
    """Which jobs use an offer, and what of them holds its devices."""

    def __init__(self, state: State, joined: JoinedMembers, reconciler: JobReconciler) -> None:
        """Keep what is read."""
        self._state, self._joined, self._reconciler = state, joined, reconciler

    def usage(self) -> OfferUsage:
        """Return what the offers' statuses are made from."""
        return OfferUsage(
            in_use=self.in_use,
            waits_for=lambda offer: summarise(entry.record.status for entry in self.using(offer)),
            running=self._state.allocations.running,
            in_flight=self._state.allocations.in_flight,
            reserved=self._state.reservations.reserved_devices,
        )

    def copy_changed(self, cluster_uid: str, job_uid: str) -> None:
        """Hear that a job's copy or one of its pods changed on a member."""
        entry = self._state.table.get(job_uid)
        if entry is None:
            return
        entry.memory.members.add(cluster_uid)
        if entry.record.attempt_open and self._state.allocations.copy_changed(entry):
            self._state.allocations.notify(cluster_uid)
        self._reconciler.copy_changed(entry)

    def in_use(self, offer: OfferKey) -> bool:
        """Tell whether a copy that came by this offer may still be on its member, or is about to come."""
        return self._reconciler.is_binding_to(offer) or any(True for _ in self.using(offer))

    def using(self, offer: OfferKey) -> Iterator[JobEntry]:
        """Yield the jobs that came by this offer and whose copy may still be on its member."""
        for entry in self._state.table.of_offer(offer):
            binding = entry.record.binding
            assert binding is not None
            link = self._joined.link_of(binding.cluster_uid)
            if not entry.record.phase.ended or link is None or not link.follows(binding.namespace) or link.copies.has_remnants(entry.uid):
                yield entry
