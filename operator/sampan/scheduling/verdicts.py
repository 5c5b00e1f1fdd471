"""What each cell is to each shape, apart from room: computed once and kept until offer, pool, policy or a moment in time change it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sampan.model.accelerator import AcceleratorClass
from sampan.model.cluster import Cell, Pool
from sampan.model.job import Shape
from sampan.model.offer import Offer
from sampan.model.policy import BALANCED, Policy
from sampan.model.reason import Reason
from sampan.model.snapshot import Snapshot
from sampan.scheduling.filters import Question, refusals
from sampan.scheduling.scores import Rating, rate
from sampan.scheduling.work import BaseRow, CellId, RowKey

_FOREVER = 2**63


@dataclass(frozen=True, slots=True)
class Static:
    """A cell for one demand: refused for reasons, or rated in parts."""

    reasons: tuple[Reason, ...]
    parts: tuple[tuple[str, int], ...] = ()

    @property
    def score(self) -> int:
        """Return the sum of the parts; packing is not among them."""
        return sum(points for _, points in self.parts)


@dataclass(frozen=True, slots=True)
class Entry:
    """The verdicts of one cell for all demands of a shape, and what they were computed from."""

    offer: Offer
    pool: Pool
    policy: Policy
    since: int
    until: int
    by_demand: tuple[Static, ...]

    def holds(self, offer: Offer, pool: Pool, *, policy: Policy, now: int) -> bool:
        """Tell whether nothing that was read has changed."""
        return (
            self.since <= now < self.until
            and (self.offer is offer or self.offer == offer)
            and (self.pool is pool or self.pool == pool)
            and (self.policy is policy or self.policy == policy)
        )


Row = Mapping[CellId, Entry]


@dataclass(frozen=True, slots=True, kw_only=True)
class Memo:
    """What a cycle leaves to the next. An empty one gives the same plan, only later."""

    currency: str = ""
    classes: Mapping[str, AcceleratorClass] = field(default_factory=dict)
    rows: Mapping[Shape, Row] = field(default_factory=dict)
    fits: Mapping[RowKey, BaseRow] = field(default_factory=dict)


def verdict_rows(snapshot: Snapshot, cells: tuple[Cell, ...], memo: Memo) -> dict[Shape, Row]:
    """Return the row of every pending shape; what still holds in the memo is taken over."""
    same_world = memo.currency == snapshot.currency and (memo.classes is snapshot.classes or memo.classes == snapshot.classes)
    rows: dict[Shape, Row] = {}
    for job in snapshot.jobs:
        if job.shape not in rows:
            old = memo.rows.get(job.shape, {}) if same_world else {}
            rows[job.shape] = _row(snapshot, cells, job.shape, old=old)
    return rows


def _row(snapshot: Snapshot, cells: tuple[Cell, ...], shape: Shape, *, old: Row) -> Row:
    policy = snapshot.policies.get(shape.policy, BALANCED)
    row: dict[CellId, Entry] = {}
    for cell in cells:
        offer, known = snapshot.offers[cell.offer], old.get(cell.id)
        if known is not None and known.holds(offer, cell.pool, policy=policy, now=snapshot.now):
            row[cell.id] = known
        else:
            row[cell.id] = _entry(snapshot, shape, offer=offer, pool=cell.pool, policy=policy)
    return row


def _entry(snapshot: Snapshot, shape: Shape, *, offer: Offer, pool: Pool, policy: Policy) -> Entry:
    by_demand = []
    for demand in shape.demands:
        question = Question(
            demand=demand,
            placement=shape.placement,
            offer=offer,
            pool=pool,
            now=snapshot.now,
            currency=snapshot.currency,
            policy_known=shape.policy in snapshot.policies or shape.policy == BALANCED.name,
        )
        reasons = refusals(question)
        rating = Rating(question=question, shape=shape, policy=policy, classes=snapshot.classes)
        by_demand.append(Static(reasons) if reasons else Static((), rate(rating)))
    moments = sorted(_moments(offer))
    since = max((moment for moment in moments if moment <= snapshot.now), default=-_FOREVER)
    until = min((moment for moment in moments if moment > snapshot.now), default=_FOREVER)
    return Entry(offer, pool, policy, since, until, tuple(by_demand))


def _moments(offer: Offer) -> Iterator[int]:
    """Yield when something about the offer changes by itself."""
    yield from (price.valid_from for price in offer.prices)
    yield from (moment for moment in (offer.valid_from, offer.valid_until) if moment is not None)
