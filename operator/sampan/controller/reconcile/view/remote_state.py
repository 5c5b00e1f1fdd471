"""What is known of a job's copies when the next action is chosen. Values only: `member_view` fills them, `decide` reads them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sampan.controller.observation.attempt import Observation
from sampan.controller.state.entry import RetryState
from sampan.kube.objects.workloads import Job as RemoteJob
from sampan.model.status.attempt import Ending
from sampan.model.status.reasons import NO_WORD, StatedReason


@dataclass(frozen=True, slots=True, kw_only=True)
class StrayCopy:
    """A copy that is not the one of the bound attempt: another attempt's, or on another member."""

    member: str
    """Its kube-system UID."""
    attempt: int
    """As its label says; 0 where it says nothing."""
    job: RemoteJob
    current: bool
    """The member is followed there: what is known of the copy is current."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteState:
    """What is known of a job's copies: of the bound attempt's on its member, and which others there are."""

    offer_exists: bool = True
    offer_draining: bool = False
    reachable: bool = False
    """The link's caches are complete and fresh."""
    job: RemoteJob | None = None
    """The copy of the bound attempt; where there is none, of the latest other attempt in the namespace that the bound one is for."""
    ended: RemoteJob | None = None
    """The last picture of the bound attempt's copy where it is gone and had its result: somebody cleaned up."""
    seen_before: bool = False
    """A copy of the bound attempt was seen before, whether or not it is there now."""
    pods: int = 0
    """Pods that carry the job's UID."""
    observation: Observation | None = None
    unsent: bool = False
    """This process bound the attempt and has sent no create: nothing of it can be on the member."""
    never_sent: bool = False
    """The same, though a copy of another attempt may be in its place."""
    final_for: int = 0
    """Milliseconds since the copy was first seen to have a result."""
    still_for: int = 0
    """Milliseconds since the counts of its pods last changed."""
    blocked_for: int = 0
    """Milliseconds since a pod of the copy was first seen, in a row, that cannot start as it is."""
    current: bool = False
    """A fresh read of the hub object showed nothing newer than what this is decided on."""
    job_absent: bool = False
    """The member itself said so: no Job of that name is ours; pods of it may be left."""
    absent: bool = False
    """The member itself said so: no Job of that name, no pod of that UID, and no create can be in flight."""
    rejection: Ending | None = None
    """How the attempt ends, because the member refused to make or to start its copy."""
    event: tuple[StatedReason, str] = (NO_WORD, "")
    """Reason and words of the newest event about the copy or a pod of it, where they were asked for."""
    strays: tuple[StrayCopy, ...] = ()
    """Every other copy that is known, by member and attempt. Nothing is decided on them yet."""
    tries: Mapping[str, RetryState] = field(default_factory=dict)
    """What was tried lately without lasting effect, by kind of action."""

    def tried(self, kind: str, target: str) -> RetryState | None:
        """Return what was tried of one kind about one target."""
        known = self.tries.get(kind)
        return known if known is not None and known.target == target else None
