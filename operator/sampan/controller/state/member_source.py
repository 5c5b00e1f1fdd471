"""What the state reads of the joined members: a seam, so that it knows neither links nor offers' statuses."""

from collections.abc import Mapping
from typing import Protocol

from sampan.inventory.cluster import InFlightSource
from sampan.kube.objects.workloads import Job as RemoteJob
from sampan.model.members.accelerator import AcceleratorClass
from sampan.model.members.cluster import Cell, Cluster, Node
from sampan.model.members.offer import Offer, OfferKey
from sampan.model.status.attempt import Binding


class MemberSource(Protocol):
    """What the state needs of the joined members."""

    def offers(self) -> Mapping[OfferKey, Offer]:
        """Return every offer by key."""

    def cells(self) -> tuple[Cell, ...]:
        """Return every pool of every offer."""

    def clusters(self, in_flight: InFlightSource) -> Mapping[str, Cluster]:
        """Return the members by kube-system UID, with what is in flight there: only the state knows that, always by the same source."""

    def classes(self) -> Mapping[str, AcceleratorClass]:
        """Return the facts of every accelerator class."""

    def nodes(self, cluster_uid: str) -> Mapping[str, Node]:
        """Return a member's nodes by name; empty where the member is not known."""

    def remote_job(self, binding: Binding, job_uid: str) -> RemoteJob | None:
        """Return the copy of a bound attempt as the member's watch last showed it."""
