"""What can be done next about one job. Values only: `decide` chooses, `executor` acts."""

from dataclasses import dataclass

from sampan.kube.objects.workloads import Job as RemoteJob
from sampan.model.status.job_status import JobStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """The moment and the delays that decisions need, in milliseconds."""

    now: int
    tombstone: int
    counters: int
    start_grace: int = 120_000
    """For how long a copy that cannot start as it is may stay."""
    last_write: int = 0
    """When this job's status was last written."""
    usual_start: int = 0
    """How long the member took lately to have a bound job run; 0 where no job has begun to run there."""


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
