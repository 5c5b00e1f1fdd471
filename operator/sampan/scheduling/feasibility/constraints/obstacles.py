"""Reasons that no filter gives: the word of the job's queue, a pause after a failure, the fabric, and room.

Never here: what is short of room, and by how much. That changes with every start: `answers/shortage` tells it.
"""

from typing import Final

from sampan.model.reason import Reason
from sampan.scheduling.feasibility.constraints.fields import COUNT, REPLICAS, REQUESTS_AND_LIMITS
from sampan.scheduling.feasibility.constraints.phrases import wanted
from sampan.scheduling.feasibility.constraints.record import Field, Obstacle, Part

_INTERCONNECT: Final = Field(part=Part.PLACEMENT, name="interconnect", read=lambda placement, _: placement.interconnect)
_LESS: Final = (REPLICAS, *REQUESTS_AND_LIMITS, COUNT)
"""What a job can ask less of where room is short."""

QUEUE: Final = (
    Obstacle(reason=Reason.QUEUE_NOT_ALLOWED, headline=lambda _: "there is no such queue, or it is not for the job's namespace"),
    Obstacle(reason=Reason.PRIORITY_NOT_ALLOWED, headline=lambda _: "the queue allows no such priority"),
    Obstacle(reason=Reason.POLICY_NOT_ALLOWED, headline=lambda shape: f"the queue does not allow the policy {shape.policy}"),
)
"""Against the job itself, whatever the cell."""

PLACE: Final = (
    Obstacle(
        reason=Reason.OFFER_COOLING_DOWN,
        headline=lambda _: "cools down: a start there, of this job or of one like it, failed a short while ago",
        words=("a pool that does not cool down", "a start here failed a short while ago, of this job or of one like it"),
    ),
    Obstacle(
        reason=Reason.INTERCONNECT_MISSING,
        headline=lambda _: "the nodes do not share one fabric domain",
        words=("nodes of one fabric domain", "no fabric domain is known here"),
        fields=(_INTERCONNECT,),
    ),
)
"""Against a cell, whatever room it has."""

ROOM: Final = (
    Obstacle(
        reason=Reason.TOO_LARGE,
        headline=lambda shape: f"needs {wanted(shape)}: more than the pool has even when empty",
        fields=_LESS,
    ),
    Obstacle(
        reason=Reason.QUOTA_EXHAUSTED,
        headline=lambda _: "a quota of the job namespace on the member leaves too little",
        fields=_LESS,
    ),
    Obstacle(
        reason=Reason.MEMBER_QUEUE_FULL,
        headline=lambda _: "the member's own queue admits no more now",
        fields=_LESS,
    ),
    Obstacle(
        reason=Reason.RESERVED_FOR_OTHERS,
        headline=lambda _: "free now, but reserved for a job that comes first",
        fields=_LESS,
    ),
    Obstacle(
        reason=Reason.INSUFFICIENT_CAPACITY,
        headline=lambda shape: f"needs {wanted(shape)}, not free now",
        fields=_LESS,
    ),
)
"""Against a cell as it is now: only looked at where nothing else is."""

OBSTACLES: Final = (*QUEUE, *PLACE, *ROOM)
