"""What can be done next about one job, and what a decision may rest on. Values only: `decide` chooses, `executor` acts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sampan.controller.observation.attempt import Observation
from sampan.controller.state.entry import RetryState
from sampan.kube.objects.workloads import Job as RemoteJob
from sampan.model.status.attempt import Ending
from sampan.model.status.job_status import JobStatus


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
    current: bool = False
    """A fresh read of the hub object showed nothing newer than what this is decided on."""
    job_absent: bool = False
    """The member itself said so: no Job of that name is ours; pods of it may be left."""
    absent: bool = False
    """The member itself said so: no Job of that name, no pod of that UID, and no create can be in flight."""
    rejection: Ending | None = None
    """How the attempt ends, because the member refused to make or to start its copy."""
    event: tuple[str, str] = ("", "")
    """Reason and words of the newest event about the copy or a pod of it, where they were asked for."""
    strays: tuple[StrayCopy, ...] = ()
    """Every other copy that is known, by member and attempt. Nothing is decided on them yet."""
    tries: Mapping[str, RetryState] = field(default_factory=dict)
    """What was tried lately without lasting effect, by kind of action."""

    def tried(self, kind: str, target: str) -> RetryState | None:
        """Return what was tried of one kind about one target."""
        known = self.tries.get(kind)
        return known if known is not None and known.target == target else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """The moment and the delays that decisions need, in milliseconds."""

    now: int
    tombstone: int
    counters: int
    last_write: int = 0
    """When this job's status was last written."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before something changes, or before so many milliseconds have passed."""

    millis: int | None = None


@dataclass(frozen=True, slots=True)
class Patch:
    """Write this status."""

    status: JobStatus


@dataclass(frozen=True, slots=True)
class Create:
    """Create the copy of the bound attempt, or adopt it."""


@dataclass(frozen=True, slots=True)
class Start:
    """Make the dependents, then lift the copy's suspension."""

    job: RemoteJob


@dataclass(frozen=True, slots=True)
class Extend:
    """Give the running copy its longer deadline."""

    job: RemoteJob
    seconds: int


@dataclass(frozen=True, slots=True)
class Remove:
    """Delete this copy with its pods: Foreground, by UID."""

    uid: str


@dataclass(frozen=True, slots=True)
class Sweep:
    """Delete pods and dependents that outlived their Job."""


@dataclass(frozen=True, slots=True)
class Confirm:
    """Ask the member itself whether anything is left."""


@dataclass(frozen=True, slots=True)
class Inquire:
    """Ask the member's events what delays the start of this copy."""

    job: RemoteJob


@dataclass(frozen=True, slots=True)
class Release:
    """Take the finalizer off."""


@dataclass(frozen=True, slots=True)
class Expire:
    """Delete the finished hub object."""


@dataclass(frozen=True, slots=True)
class Refresh:
    """Our copy of the hub object is older than what the member shows: read it again."""


HubAction = Patch | Release | Expire | Refresh
MemberAction = Create | Start | Extend | Remove | Sweep | Confirm | Inquire
Action = Wait | HubAction | MemberAction
