"""A place kept for a job that cannot start yet: where, from when, and what was promised."""

from dataclasses import dataclass

from sampan.model.members.offer import OfferKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """At most one per cell; sticky: a later cycle may only move it earlier, on nodes that no other reservation holds."""

    job_uid: str
    priority: int
    cell: tuple[OfferKey, str]
    demand: int
    """Index of the demand in the job's shape."""
    nodes: tuple[tuple[str, int], ...]
    """(node, replicas)."""
    start: int
    """Milliseconds since the epoch: when the nodes are free at the latest, if declared ends are enforced."""
    published: int
    """The first start that was published for this job; the bound holds for it."""
    made: int
    """When the reservation was first made, in milliseconds since the epoch: its rank among the others."""
