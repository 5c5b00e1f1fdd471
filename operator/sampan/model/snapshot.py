"""The world frozen at one moment: all that `schedule()` may know."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sampan.model.backlog import NOTHING_WAITS, Backlog
from sampan.model.job import Demand, Job
from sampan.model.members.accelerator import AcceleratorClass
from sampan.model.members.cluster import Cell, Cluster
from sampan.model.members.offer import Offer, OfferKey
from sampan.model.policy import Policy
from sampan.model.queues import Queue, QueueUse
from sampan.model.reservation import Reservation


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """An immutable picture. The mappings are never changed after it was built; equal parts are shared with earlier pictures."""

    now: int
    """Milliseconds since the epoch."""
    currency: str = "CNY"
    """The hub's currency; prices in another one are unknown to caps and costs."""
    backlog: Backlog = NOTHING_WAITS
    """Jobs that wait for a place."""
    offers: Mapping[OfferKey, Offer] = field(default_factory=dict)
    cells: tuple[Cell, ...] = ()
    clusters: Mapping[str, Cluster] = field(default_factory=dict)
    policies: Mapping[str, Policy] = field(default_factory=dict)
    classes: Mapping[str, AcceleratorClass] = field(default_factory=dict)
    """Facts of all classes: the throughput of the class a job names first is the reference for its expected time elsewhere."""
    queues: Mapping[str, Queue] = field(default_factory=dict)
    """By name; `default` need not be among them."""
    use: Mapping[str, QueueUse] = field(default_factory=dict)
    """What each queue has used; not named: nothing."""
    half_life: int = 7 * 24 * 3600 * 1000
    """Milliseconds after which use counts half."""
    reservations: tuple[Reservation, ...] = ()
    """What earlier cycles keep for blocked jobs; part of the picture, so that a cycle with an empty memo decides the same."""
    limit: int = 64
    """Assignments that one cycle may make."""
    mix: tuple[tuple[Demand, int], ...] = ()
    """Demands seen lately with how often, most frequent first: what is left over on a node is judged by them; empty: by amount alone."""

    @property
    def jobs(self) -> tuple[Job, ...]:
        """Return the waiting jobs, oldest first: a view for tests and answers, too dear for the cycle."""
        return self.backlog.jobs
