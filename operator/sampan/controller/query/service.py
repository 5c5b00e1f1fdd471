"""Questions about one job, answered from a frozen snapshot: why it waits, what it would get. Never here: who asks, HTTP, a write.

Everything here runs in a worker thread: only values come in, and the memo is the answers' own, never the scheduler's.
"""

import threading
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec
from pydantic import ValidationError

from sampan.api.convert.jobs import parse_spec, shape_of
from sampan.api.fields.common import ObjectKey, first_error
from sampan.api.kinds.computejob import ComputeJobSpec
from sampan.api.kinds.query_kinds import Answer, ExplanationStatus, PoolRef, QuoteRequest, QuoteSpec, QuoteStatus, WhatIf
from sampan.controller.query import views
from sampan.controller.query.backend import PendingView
from sampan.controller.query.documents import API
from sampan.controller.state.pending import CellId
from sampan.controller.state.queues import QueuePlacement
from sampan.controller.state.record import JobRecord
from sampan.kube.objects.workloads import Pod
from sampan.model.job import Job, Shape
from sampan.model.members.offer import OfferKey
from sampan.model.plan import Assignment
from sampan.model.snapshot import Snapshot
from sampan.model.values.timestamp import to_rfc3339
from sampan.scheduling.answers.explain import explain
from sampan.scheduling.answers.next_cycle import prepared
from sampan.scheduling.answers.quote import quote
from sampan.scheduling.answers.values import Quote, StartForecast
from sampan.scheduling.answers.what_if import AddNodes, NoSuchPlaceError, WithoutOffer, what_if
from sampan.scheduling.cache import Memo

JOB_API: Final = "sampan.dev/v1alpha1"
QUOTED: Final = "quote"
"""UID of a job that does not exist."""
Document = dict[str, Any]


class BadQuery(Exception):  # noqa: N818
    """The question cannot be answered; `code` is the HTTP status, the text says what to mend."""

    def __init__(self, code: int, message: str) -> None:
        """`message` is shown to whoever asks."""
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryContext:
    """A snapshot, and who asks for which namespace."""

    snapshot: Snapshot
    namespace: str
    tenant: tuple[tuple[str, str], ...]
    """Labels of the namespace that any offer reads."""

    def visible(self, offer: OfferKey) -> bool:
        """Tell whether an offer may be told of: one for other namespaces is not there; one that is gone was seen when it was there."""
        known = self.snapshot.offers.get(offer)
        return known is None or known.tenants.matches(dict(self.tenant))


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteInput:
    """A job that somebody asks the price of."""

    name: str
    spec: ComputeJobSpec
    shape: Shape
    change: WhatIf | None


def quote_input(body: bytes, namespace: str) -> QuoteInput:
    """Return the job in a posted Quote or ComputeJob (JSON). Raises BadQuestion."""
    try:
        raw = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadQuery(400, f"the body is no JSON: {error}") from error
    if not isinstance(raw, dict):
        raise BadQuery(400, f"the body is no object: send a {JOB_API} ComputeJob or a {API} Quote")
    if raw.get("kind") == "Quote":
        try:
            context = QuoteRequest.model_validate(raw).spec
        except ValidationError as error:
            raise BadQuery(422, first_error(error, root="Quote")) from error
    else:
        context = QuoteSpec(job=raw)
    return _job(context, namespace)


def _job(context: QuoteSpec, namespace: str) -> QuoteInput:
    job = context.job
    if (job.get("apiVersion"), job.get("kind")) != (JOB_API, "ComputeJob"):
        raise BadQuery(400, f"no {JOB_API} ComputeJob: send one, or a {API} Quote with one in spec.job")
    meta, raw = job.get("metadata") or {}, job.get("spec") or {}
    if not isinstance(meta, dict) or not isinstance(raw, dict):
        raise BadQuery(422, "metadata and spec of the ComputeJob must be objects")
    if meta.get("namespace") not in (None, "", namespace):
        raise BadQuery(400, f"metadata.namespace of the ComputeJob is not {namespace}: ask in the job's own namespace")
    spec, problem = parse_spec(raw)
    if spec is None:
        raise BadQuery(422, problem)
    name = meta.get("name") or meta.get("generateName") or "job"
    return QuoteInput(name=str(name)[:253], spec=spec, shape=shape_of(spec), change=context.what_if)


@dataclass(slots=True)
class QueryService:
    """Answers questions, a few at the same time, with what the last one worked out."""

    _memo: Memo = field(default_factory=Memo)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def prepare(self, snapshot: Snapshot) -> None:
        """Work out beforehand what all questions need, so that the next need not wait for it."""
        self._return_memo(prepared(snapshot, self._borrow_memo()))

    def quoted(
        self, context: QueryContext, job: QuoteInput, placement: QueuePlacement, *, cooling: frozenset[CellId] = frozenset()
    ) -> Document:
        """Return the Quote of a job that need not exist. Raises BadQuestion where the change names what is not there.

        `cooling`: cells that cool down for every job of its namespace and shape.
        """
        snapshot = context.snapshot
        candidate = Job(
            uid=QUOTED,
            namespace=context.namespace,
            name=job.name,
            resource_version="",
            created=snapshot.now,
            shape=placement.shape,
            priority=job.spec.priority,
            queue=placement.queue,
            inadmissible=placement.inadmissible,
            excluded=cooling,
        )
        if job.change is None:
            now, left = quote(snapshot, self._borrow_memo(), candidate)
            after = None
        else:
            change = _change(job.change, context)
            try:
                both, left = what_if(snapshot, self._borrow_memo(), candidate, change=change)
            except (NoSuchPlaceError, ValueError) as error:
                raise BadQuery(422, str(error)) from error
            now, after = both.before, both.after
        self._return_memo(left)
        if job.spec.suspend:
            now, after = _suspended(now), after and _suspended(after)
        status = QuoteStatus(
            observed_at=to_rfc3339(snapshot.now),
            currency=snapshot.currency,
            queue=placement.queue,
            barred=placement.inadmissible,
            now=views.quote_view(now, context.visible, job.spec),
            what_if=None if after is None else views.quote_view(after, context.visible, job.spec),
        )
        return _document("Quote", context, name=job.name, status=status)

    def explained(self, context: QueryContext, record: JobRecord, *, pending: PendingView | None, pods: tuple[Pod, ...]) -> Document:
        """Return the Explanation of a job; `waiting` is the scheduler's view of it where it waits."""
        if pending is None:
            status = _bound_or_ended(context, record, pods)
        elif pending.planned is not None:
            status = _planned(context, record, pending.planned)
        else:
            status = self._waiting(context, record, pending)
        return _document("Explanation", context, name=record.name, status=status)

    def _waiting(self, context: QueryContext, record: JobRecord, waiting: PendingView) -> ExplanationStatus:
        snapshot = context.snapshot
        assert record.spec is not None  # what waits can be read
        told, left = explain(snapshot, self._borrow_memo(), waiting.job, not_before=waiting.not_before)
        self._return_memo(left)
        return ExplanationStatus(
            phase=str(record.phase),
            reason=record.status.reason,
            message=told.headline + record.setback(),
            observed_at=to_rfc3339(snapshot.now),
            currency=snapshot.currency,
            pools=views.pools_view(told.cells, context.visible, record.spec),
            place=None if told.position is None else views.place_view(told.position),
            starts_in=views.place_in(told.starts_in, context.visible),
            waits_for=told.waits_for or None,
            start=views.start_view(told.start),
        )

    def _borrow_memo(self) -> Memo:
        """Return the memo; who comes while it is away starts with an empty one."""
        with self._lock:
            memo, self._memo = self._memo, Memo()
        return memo

    def _return_memo(self, memo: Memo) -> None:
        with self._lock:
            self._memo = memo


def _change(change: WhatIf, context: QueryContext) -> AddNodes | WithoutOffer:
    """Return the change of the world; an offer that may not be seen is not there."""
    named = change.add_nodes.offer if change.add_nodes else change.without_offer
    assert named is not None  # the rule of WhatIf
    key = OfferKey(named.namespace, named.name)
    if key not in context.snapshot.offers or not context.visible(key):
        raise BadQuery(422, f"there is no ClusterOffer {key}: name one that `sampan pools --why -f FILE` lists")
    if change.add_nodes is None:
        return WithoutOffer(key)
    return AddNodes(offer=key, pool=change.add_nodes.pool, nodes=change.add_nodes.count)


def _suspended(quote: Quote) -> Quote:
    """Return the quote of a job that starts nowhere until it is asked to."""
    why = "spec.suspend is true: it takes no place until that is false"
    return replace(quote, starts_in=None, waits_for="spec.suspend to be false", start=StartForecast(unknown=why))


def _planned(context: QueryContext, record: JobRecord, done: Assignment) -> ExplanationStatus:
    """Return what a cycle decided of a job a moment ago: its place counts as taken already, so that nothing is to be asked anew."""
    return ExplanationStatus(
        phase=str(record.phase),
        reason=record.status.reason,
        message=f"pool {done.pool} of offer {done.offer} was chosen; the binding is being written",
        observed_at=to_rfc3339(context.snapshot.now),
        currency=context.snapshot.currency,
        pools=views.past_verdicts(done.verdicts, context.visible),
        starts_in=PoolRef(offer=ObjectKey(namespace=done.offer.namespace, name=done.offer.name), pool=done.pool),
    )


def _bound_or_ended(context: QueryContext, record: JobRecord, pods: tuple[Pod, ...]) -> ExplanationStatus:
    """Return what is kept of a job that does not wait: the verdicts of the moment it was bound, and what its member says now."""
    status, binding = record.status, record.binding
    at = binding.bound_at if binding is not None and binding.bound_at else context.snapshot.now
    told = status.stall or status
    return ExplanationStatus(
        phase=str(record.phase),
        reason=told.reason,
        message=record.problem or told.message or _plainly(record),
        observed_at=to_rfc3339(at),
        currency=context.snapshot.currency,
        pools=views.past_verdicts(status.verdicts or (), context.visible),
        binding=None if binding is None else views.binding_view(binding),
        member=views.pods_waiting(pods),
    )


def _plainly(record: JobRecord) -> str:
    if record.suspend and record.binding is None:
        return "the job is suspended: it takes no place until spec.suspend is false"
    if record.binding is None:
        return f"the job is {str(record.phase).lower()}"
    where = f"pool {record.binding.pool} of offer {record.binding.offer}"
    if not record.phase.ended:
        return f"bound to {where}"
    newest = record.status.last_attempt
    code = None if newest is None else newest.exit_code
    return f"the job {str(record.phase).lower()}{'' if code is None else f' with exit code {code}'}; its last place was {where}"


def _document(kind: Any, context: QueryContext, *, name: str, status: ExplanationStatus | QuoteStatus) -> Document:
    metadata = {"name": name, "namespace": context.namespace}
    return Answer(kind=kind, metadata=metadata, status=status).as_json()
