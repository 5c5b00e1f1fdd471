"""All that this process keeps of one job: its entry. What is forgotten with the job is here, and nowhere else. Values, no rules."""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sampan.controller.observation.attempt import Observation
from sampan.controller.state.record import JobRecord
from sampan.inventory.in_flight import Amounts, InFlight
from sampan.kube.objects.workloads import Job as RemoteJob
from sampan.model.plan import Assignment, StartUnknown
from sampan.model.reservation import Reservation
from sampan.model.status.attempt import Ending
from sampan.model.status.reasons import NO_WORD, StatedReason
from sampan.store.charges import Use

LONGEST_PAUSE: Final = 300_000
"""What a server may ask us to wait, in milliseconds; a pause that ends later than that stems from a clock that was set back."""
BIND: Final = "Bind"
"""The kind under which it is kept that no binding of a job is to be tried: no plan is made of it meanwhile."""
DEPENDENCIES: Final = "Dependencies"
"""The same because something is not there that travels with the job."""
ABSENCE: Final = "Absence"
"""The kind under which it is kept how often a member was asked whether nothing is left of a copy."""
ANY_VERSION: Final = ""
"""The target of a pause that no newer picture of the job ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryState:
    """What was tried about a job, how often in a row, why in vain, and from when on again: one for each kind of thing that is tried.

    It is kept by this process about its own calls. Two other pauses are something else. What follows an attempt that ended
    (`JobRecord.not_before`) is read from `status.attempts`: it counts attempts, not calls, and outlives the operator. And a cell that
    cools down (`PendingJobs.cooling_cells`) is a pool that a whole namespace and shape leaves alone, of which no single job disposes.
    The delays of a `WorkQueue` keep no count: they only bring a job back when one of these pauses is over.
    """

    target: str
    times: int
    since: int
    """When it was first tried, in milliseconds since the epoch."""
    not_before: int
    """Not before this moment."""
    reason: StatedReason = NO_WORD
    """Why the last one failed; empty where it was carried out, so that only its effect can be missing."""
    message: str = ""
    transient: bool = False
    """What failed is the server, or room there: waiting alone may mend it."""

    def remaining(self, now: int) -> int:
        """Return how many milliseconds it is to wait."""
        left = self.not_before - now
        return left if 0 < left <= LONGEST_PAUSE else 0


@dataclass(slots=True, kw_only=True)
class JobCharge:
    """What the job's queue is charged for it."""

    assumed: Use | None = None
    """For a plan whose binding is not written yet."""
    open: Use | None = None
    """For the attempt that is bound."""


@dataclass(slots=True, kw_only=True)
class SeenSince:
    """Since when an attempt is as it is seen now; milliseconds since the epoch."""

    final: int | None = None
    """It has a result."""
    counts: tuple[tuple[int, ...], int] = ((), 0)
    """The counts of its pods, and since when they are the same."""
    blocked: int | None = None
    """A pod of it cannot start as it is, in a row."""


@dataclass(slots=True, kw_only=True)
class AttemptMemory:
    """What this process saw and did of one attempt; another attempt has another memory."""

    number: int = 0
    """Which attempt; 0: none so far."""
    observation: Observation | None = None
    """The last one: failed pods may be gone by the next."""
    since: SeenSince = field(default_factory=SeenSince)
    event: tuple[StatedReason, str] = (NO_WORD, "")
    """Reason and words of the member's newest event about it."""
    ended: RemoteJob | None = None
    """The last picture of its copy, which went with a result: somebody cleaned up."""
    unlabelled: tuple[int, RemoteJob | None] = (0, None)
    """A copy that no watch shows, because somebody took its labels off, and until when it is believed in."""
    bound_here: bool = False
    """This process wrote its binding: nobody else can have sent a create of it."""
    create_sent_at: int | None = None
    create_unanswered: bool = False
    """A create was sent without an answer that tells that it was not carried out."""
    job_absent: bool = False
    """The member itself said that its Job is not there, though pods of it may be."""
    gone: bool = False
    """The member itself said that nothing of it is left there."""

    @property
    def unsent(self) -> bool:
        """Tell whether this process bound the attempt and nothing was sent to its member: no copy can be there."""
        return self.bound_here and not self.create_unanswered


class Picture(NamedTuple):
    """What of a copy a decision may rest on, to be compared."""

    about: tuple[object, ...]
    """The Job itself."""
    seen: Observation
    counts: object
    """When it started, and how many pods it has."""

    def is_progress_from(self, before: "Picture") -> bool:
        """Tell whether only the counts and words of its pods moved: it neither became or ceased to be whole, nor has it a result."""
        now, then = self.seen, before.seen
        return self.about == before.about and now.whole == then.whole and not now.state.final and not then.state.final


@dataclass(slots=True, kw_only=True)
class ReconcileMemory:
    """What the reconciler remembers of a job."""

    attempt: AttemptMemory = field(default_factory=AttemptMemory)
    last_write: int = 0
    """When this process last wrote its status."""
    fresh_version: str = ""
    """The resourceVersion that the hub's own answer confirmed to be the newest."""
    observed: tuple[object, ...] = ()
    """What the last observation was made from: the copy, its pods, their version, what is expected of them."""
    looked_at: Picture | None = None
    """What the last decision saw of the copy; None where it could not rest on that alone."""
    members: set[str] = field(default_factory=set)
    """Those of which something of the job was heard, and where something may be left: by kube-system UID."""
    stalled_since: dict[object, int] = field(default_factory=dict)
    """What stalls it, each with since when it was found in a row."""
    rejection: tuple[int, Ending | None] = (0, None)
    """An attempt whose copy its member refused to make or to start, and the end that is to be written of it."""

    def peek(self, number: int) -> AttemptMemory:
        """Return the memory of an attempt; an empty one where it is another's that is kept."""
        return self.attempt if self.attempt.number == number else AttemptMemory(number=number)

    def rejection_of(self, number: int) -> Ending | None:
        """Return the end of an attempt that its member refused; None where it refused none of that number."""
        return self.rejection[1] if self.rejection[0] == number else None

    def of(self, number: int) -> AttemptMemory:
        """Return the memory of an attempt, from now on the one that is kept."""
        if self.attempt.number != number:
            self.attempt = AttemptMemory(number=number)
        return self.attempt


@dataclass(slots=True, kw_only=True)
class InFlightMemo:
    """What of a job its member may not show yet, as it was worked out last, and from what."""

    attempt: InFlight | None = None
    """None: it is to be worked out."""
    generation: int = 0
    """Of the pools that it was worked out in."""
    copy: RemoteJob | None = None
    """The picture of the copy that it was worked out from."""
    amounts: Amounts | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class JobEntry:
    """One job."""

    record: JobRecord
    """The hub's object as it was last seen."""
    assignment: Assignment | None = None
    """The plan that it is bound by, or is to be; None after a restart."""
    assumed: bool = False
    """The plan counts as taken though its binding is not written yet."""
    in_flight: InFlightMemo = field(default_factory=InFlightMemo)
    running_on: str | None = None
    """The member on which it was last counted as running."""
    charge: JobCharge = field(default_factory=JobCharge)
    reservation: Reservation | None = None
    restored: bool = False
    """The reservation was read from the status, and its cell was not seen yet."""
    start_unknown: StartUnknown | None = None
    """Why no start is known, as the newest plan has it."""
    retries: dict[str, RetryState] = field(default_factory=dict)
    """By kind of what was tried."""
    memory: ReconcileMemory = field(default_factory=ReconcileMemory)
    keys: tuple[object, ...] = ()
    """Under which the table has it in its index."""

    @property
    def uid(self) -> str:
        """Return the job's UID."""
        return self.record.uid
