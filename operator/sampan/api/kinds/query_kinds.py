"""What `query.sampan.dev/v1alpha1` takes and gives: questions on jobs, answers. Nothing is stored. Never here: how they are found."""

from typing import Annotated, Any, Literal

from pydantic import Field

from sampan.api.fields.common import ApiModel, ObjectKey, Observed, Rule
from sampan.api.fields.scalars import Int, Word
from sampan.model.reason import Reason

Json = dict[str, Any]


class AddNodes(ApiModel):
    """So many empty nodes like the first one of a pool."""

    offer: ObjectKey = Field(description="The ClusterOffer.")
    pool: Word = Field(description="Pool of the offer.")
    count: Annotated[Int, Field(ge=1, le=4096)] = Field(description="Nodes to add.")


class WhatIf(ApiModel):
    """One change of the world that a quote is asked for as well."""

    RULES = (
        Rule(
            message="exactly one of addNodes and withoutOffer",
            is_met=lambda self: (self.add_nodes is None) != (self.without_offer is None),
        ),
    )

    add_nodes: AddNodes | None = Field(None, description="More nodes in a pool.")
    without_offer: ObjectKey | None = Field(None, description="The offer is gone.")


class QuoteSpec(ApiModel):
    """The question."""

    job: Json = Field(description="A ComputeJob. It is not created.")
    what_if: WhatIf | None = Field(None, description="A change to ask about as well.")


class QuoteRequest(ApiModel):
    """What is posted to `quotes`; a bare ComputeJob will do as well."""

    api_version: Literal["query.sampan.dev/v1alpha1"]
    kind: Literal["Quote"]
    metadata: Json = Field(default_factory=dict)
    spec: QuoteSpec


class ObjectionView(Observed):
    """One requirement that a pool does not meet."""

    reason: Reason
    needed: str = ""
    present: str = ""


class ChangeView(Observed):
    """One field of the job's spec, as it is and as it would have to be; empty: not set."""

    field: str
    before: str
    after: str


class PoolVerdict(Observed):
    """What one pool is to a job: a score with its parts, or all that is in the way."""

    offer: ObjectKey
    pool: str
    accelerator_class: str | None = None
    alternative: int | None = None
    score: int | None = None
    """0..100; absent where refused."""
    parts: dict[str, int] = Field(default_factory=dict)
    objections: tuple[ObjectionView, ...] = ()
    smallest_change: tuple[ChangeView, ...] = ()
    """Changes of the job that were proved to make it fit here now; empty: none is known."""
    price_per_hour: str | None = None
    """For all devices of the job; absent: not known."""
    price_expected: str | None = None
    price_limit: str | None = None
    expected_seconds: int | None = None
    devices: int | None = None
    room: int | None = None
    """Replicas that fit now."""


class PoolRef(Observed):
    """A pool of an offer."""

    offer: ObjectKey
    pool: str


class StartView(Observed):
    """When a job starts, as far as that can be known."""

    at_latest: str | None = None
    likely: str | None = None
    sample: int
    """Running jobs in the way whose tenants tell an expected time."""
    reserved: bool
    unknown: str | None = None
    """Why there is no `atLatest`."""


class PlaceView(Observed):
    """Where a waiting job stands; other namespaces' jobs only as a count."""

    queue: str
    position: int
    ahead_own: int
    ahead_others: int


class PodsWaiting(Observed):
    """Pods of a bound job that have no node, or cannot start, with the member's own words."""

    pods: int
    reason: str
    message: str


class ExplanationStatus(Observed):
    """Why a job waits, or went where it is."""

    phase: str
    reason: str | None = None
    message: str
    observed_at: str
    """When the verdicts were found: now for a waiting job, else when it was bound."""
    currency: str
    pools: tuple[PoolVerdict, ...] = ()
    """Usable ones best first, then the refused, mildest first."""
    place: PlaceView | None = None
    starts_in: PoolRef | None = None
    """Where the next scheduling cycle starts the job, by the whole queue, reservations and limits; absent: it does not."""
    waits_for: str | None = None
    start: StartView | None = None
    binding: Json | None = None
    member: tuple[PodsWaiting, ...] = ()


class QuoteView(Observed):
    """What a job would get and pay, and when it would start."""

    pools: tuple[PoolVerdict, ...]
    starts_in: PoolRef | None = None
    """Where the next scheduling cycle would start the job; absent: it would not."""
    waits_for: str | None = None
    start: StartView


class QuoteStatus(Observed):
    """The answer to a quote; nothing is kept for it."""

    observed_at: str
    currency: str
    queue: str
    barred: Reason | None = None
    """Why the queue would let the job nowhere."""
    now: QuoteView
    what_if: QuoteView | None = None


class Answer(Observed):
    """An answer as an API object."""

    api_version: Literal["query.sampan.dev/v1alpha1"] = "query.sampan.dev/v1alpha1"
    kind: Literal["Explanation", "Quote"]
    metadata: Json
    status: ExplanationStatus | QuoteStatus
