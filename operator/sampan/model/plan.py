"""What one scheduling cycle decided. Deciding and acting are apart: a Plan changes nothing by itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain

from sampan.model.job import Demand, Job
from sampan.model.members.offer import OfferKey
from sampan.model.reason import Reason
from sampan.model.reservation import Reservation


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one cell is to one shape: a score with its parts, or the reasons it is refused."""

    offer: OfferKey
    pool: str
    alternative: int | None
    score: int | None = None
    """0..100; None where refused."""
    parts: tuple[tuple[str, int], ...] = ()
    """Weighted parts that sum to the score."""
    reasons: tuple[Reason, ...] = ()
    """Worst first; empty where not refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A job, the cell it goes to and the nodes it is meant for."""

    job: Job
    offer: OfferKey
    cluster_uid: str
    pool: str
    demand: Demand
    replicas: int
    """Pods that run at once."""
    nodes: tuple[tuple[str, int], ...]
    """(node, replicas on it), summing to `replicas`."""
    verdicts: tuple[Verdict, ...] = ()
    """The chosen cell first."""
    charge: int = 0
    """What `Plan.charges` says of the job, once the plan is being enacted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownName:
    """A name by which a job asks for devices, and which no class bears."""

    index: int
    """Place of the demand in the shape."""
    word: str
    """What it is the name of, as in a manifest: class, family, vendor or stack."""
    name: str
    nearest: str = ""
    """The nearest that a class bears; empty: none is near."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Jobs that are alike and cannot be placed now, and why: how many cells gave each reason as their worst."""

    job: Job
    counts: Mapping[Reason, int]
    """Of the cells with the devices that the job asks for; of all cells where there is none with them. Cells of offers for other
    namespaces are never counted."""
    other_devices: int = 0
    """Cells that are not counted: their devices are not what any alternative asks for, so nothing else about them matters."""
    verdicts: tuple[Verdict, ...] = ()
    """The least refused cells first."""
    room: int | None = None
    """Most replicas that fit into one cell that lacks only room, once the cycle is over; None where no cell lacks only room."""
    unknown: tuple[UnknownName, ...] = ()
    """Names that the job asks for devices by and that nobody knows."""
    rest: tuple[tuple[Job, ...], ...] = ()
    """Other jobs for which the same holds, in pieces: of equal shape, with the same alternatives ripe and cells cooling down."""

    @property
    def jobs(self) -> Iterator[Job]:
        """Yield every job that is refused so."""
        yield self.job
        yield from chain.from_iterable(self.rest)

    def __len__(self) -> int:
        """Return how many jobs are refused so."""
        return 1 + sum(map(len, self.rest))

    def __bool__(self) -> bool:
        """Return True: a refusal is one, whatever its length."""
        return True

    @property
    def dominant(self) -> Reason | None:
        """Return the reason to show, None without cells.

        One that waiting can lift if any cell has one, then one of an offer that the job is for, then the most frequent.
        """
        return min(self.counts, key=lambda r: (not r.passing, r.unchosen, -self.counts[r], r.severity), default=None)


class StartUnknown(StrEnum):
    """Why no start can be promised to a blocked job."""

    NO_DECLARED_END = "NoDeclaredEnd"  # too few of the jobs that run there declare an end
    ALL_RESERVED = "AllReserved"  # the cells that suit it are reserved for jobs that come first
    LIMITED = "Limited"  # a cap, a quota or a member's queue decides, and no declared ends are foreseen to lift it
    COOLING_DOWN = "CoolingDown"  # the cells that suit it cool down after failed starts
    NO_CELL = "NoCell"  # no cell could run it even if nothing else ran there


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Assignments in the order in which they were made, and refusals."""

    assignments: tuple[Assignment, ...] = ()
    refusals: tuple[Refusal, ...] = field(default=())
    reservations: tuple[Reservation, ...] = ()
    """Every reservation that stands after this cycle, kept ones included, in order of their making."""
    charges: Mapping[str, int] = field(default_factory=dict)
    """What each assigned job is charged for its declared span, by UID, in micro-units of common-unit hours, not inflated."""
    unknown_starts: Mapping[str, StartUnknown] = field(default_factory=dict)
    """Blocked jobs, by UID, for which a start was tried and none can be promised, with the reason."""
