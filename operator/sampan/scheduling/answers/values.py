"""What people are told of a decision: values only, made by `explain`, `forecast`, `quote` and `what_if`. No judging here."""

from dataclasses import dataclass

from sampan.model.job import Job, Shape
from sampan.model.members.offer import OfferKey
from sampan.model.reason import Reason


@dataclass(frozen=True, slots=True)
class UnmetConstraint:
    """One requirement that a cell does not meet."""

    reason: Reason
    needed: str
    """What is asked for, with its value: `region cn-north or cn-east`."""
    present: str
    """What there is: `region eu-west`."""


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a job's spec, as it is and as it would have to be."""

    field: str
    before: str
    """Empty: not set."""
    after: str
    """Empty: taken away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellAnswer:
    """What one cell is to a job: a score with its parts, or everything that is in the way and the smallest change that lifts it."""

    offer: OfferKey
    pool: str
    """Name of the pool, `pool@domain` where the job must stay inside one fabric domain."""
    accelerator_class: str
    """Empty: no devices, or a model that cannot be told."""
    alternative: int | None
    """Index in `spec.alternatives` of the alternative that comes nearest."""
    score: int | None = None
    """0..100; None where refused."""
    parts: tuple[tuple[str, int], ...] = ()
    """Weighted parts that sum to the score."""
    unmet: tuple[UnmetConstraint, ...] = ()
    """Worst first; empty where not refused."""
    changes: tuple[Change, ...] = ()
    """The smallest change of the job that was proved to make it fit here now; empty: none is known, or none is needed."""
    changed: Shape | None = None
    """The job's shape with these changes."""
    price_per_hour: int | None = None
    """Micro-units of the hub's currency for all devices of the job for an hour; None: not known."""
    price_expected: int | None = None
    """The same for the expected run time, rounded up; None: price or time is not known."""
    price_limit: int | None = None
    """The same for the longest run time that is declared."""
    expected_seconds: int | None = None
    room: int = 0
    """Replicas that fit now."""
    devices: int = 0
    """Devices that the job takes here, all replicas together."""

    @property
    def usable(self) -> bool:
        """Tell whether nothing is in the way; whether it is the job's turn is another question."""
        return self.score is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePosition:
    """Where a waiting job stands."""

    queue: str
    position: int
    """1: it is the next whose turn it is."""
    ahead_own: int
    """Jobs of its own namespace before it."""
    ahead_others: int
    """Jobs of other namespaces before it; who they are is not told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartForecast:
    """When a job will start, as far as that can be known."""

    at_latest: int | None = None
    """Milliseconds since the epoch, by declared ends; None: not known."""
    likely: int | None = None
    """The same by what tenants expect of their run times; None: not known."""
    sample: int = 0
    """Running jobs in the way whose tenants tell an expected time."""
    reserved: bool = False
    """`at_latest` is the start that a reservation promises; otherwise it holds as long as nobody new comes before the job."""
    unknown: str = ""
    """Why there is no `at_latest`, in words; empty where there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a job waits or where it would go now: the verdicts of one moment."""

    job: Job
    headline: str
    cells: tuple[CellAnswer, ...]
    """Usable ones by rank, best first, then the refused, mildest first: as they are to the job in the next cycle."""
    starts_in: CellAnswer | None
    """The cell in which the next cycle starts it, None where it does not."""
    position: QueuePosition | None
    """None where the job does not wait."""
    waits_for: str
    """Empty: it can start now."""
    start: StartForecast


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a job would get and pay if it were submitted now. Nothing is kept for it."""

    cells: tuple[CellAnswer, ...]
    """As in an explanation."""
    starts_in: CellAnswer | None
    waits_for: str
    start: StartForecast


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """The same question asked of the world as it is and as it would be."""

    before: Quote
    after: Quote
