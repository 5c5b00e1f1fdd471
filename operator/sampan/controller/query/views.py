"""From the scheduler's answers to documents of the query API. Pure. Never here: how an answer is found, HTTP.

Whoever calls says which offers the asker may see: the others are left out, not blanked.
"""

from collections.abc import Callable, Iterable
from typing import Any

from sampan.api.fields.common import ObjectKey
from sampan.api.kinds.computejob import ComputeJobSpec
from sampan.api.kinds.query_kinds import ChangeView, ObjectionView, PlaceView, PodsWaiting, PoolRef, PoolVerdict, QuoteView, StartView
from sampan.api.launch.resolved_alternative import manifest_field
from sampan.api.status.attempts import binding_manifest
from sampan.kube.objects.reasons import PodReason
from sampan.kube.objects.workloads import Pod
from sampan.kube.text import clean_text
from sampan.model.members.offer import OfferKey
from sampan.model.plan import Verdict
from sampan.model.status.attempt import Binding
from sampan.model.values.quantity import format_micro
from sampan.model.values.timestamp import to_rfc3339
from sampan.scheduling.answers.values import CellAnswer, QueuePosition, Quote, StartForecast

Visible = Callable[[OfferKey], bool]
_STARTING = frozenset({PodReason.CONTAINER_CREATING, PodReason.POD_INITIALIZING, ""})


def pools_view(cells: Iterable[CellAnswer], visible: Visible, spec: ComputeJobSpec) -> tuple[PoolVerdict, ...]:
    """Return the verdicts on offers that may be seen, in the same order; changes name the fields as the job's manifest has them."""
    return tuple(_verdict(cell, spec) for cell in cells if visible(cell.offer))


def quote_view(quote: Quote, visible: Visible, spec: ComputeJobSpec) -> QuoteView:
    """Return a quote of a job of this spec."""
    return QuoteView(
        pools=pools_view(quote.cells, visible, spec),
        starts_in=place_in(quote.starts_in, visible),
        waits_for=quote.waits_for or None,
        start=start_view(quote.start),
    )


def place_in(cell: CellAnswer | None, visible: Visible) -> PoolRef | None:
    """Return the pool of a cell that may be seen."""
    if cell is None or not visible(cell.offer):
        return None
    return PoolRef(offer=ObjectKey(namespace=cell.offer.namespace, name=cell.offer.name), pool=cell.pool)


def start_view(start: StartForecast) -> StartView:
    """Return when a job starts."""
    return StartView(
        at_latest=None if start.at_latest is None else to_rfc3339(start.at_latest),
        likely=None if start.likely is None else to_rfc3339(start.likely),
        sample=start.sample,
        reserved=start.reserved,
        unknown=start.unknown or None,
    )


def place_view(place: QueuePosition) -> PlaceView:
    """Return where a job stands."""
    return PlaceView(queue=place.queue, position=place.position, ahead_own=place.ahead_own, ahead_others=place.ahead_others)


def binding_view(binding: Binding) -> dict[str, Any]:
    """Return a binding without what is the provider's: its cluster, and the copy there."""
    return {key: value for key, value in binding_manifest(binding).items() if key not in ("clusterUID", "remote")}


def past_verdicts(verdicts: Iterable[Verdict], visible: Visible) -> tuple[PoolVerdict, ...]:
    """Return the verdicts of a cycle, or those that a status keeps of one; the chosen pool first."""
    return tuple(
        PoolVerdict(
            offer=ObjectKey(namespace=verdict.offer.namespace, name=verdict.offer.name),
            pool=verdict.pool,
            alternative=verdict.alternative,
            score=verdict.score,
            parts=dict(verdict.parts),
            objections=tuple(ObjectionView(reason=each) for each in verdict.reasons),
        )
        for verdict in verdicts
        if visible(verdict.offer)
    )


def pods_waiting(pods: Iterable[Pod]) -> tuple[PodsWaiting, ...]:
    """Return why pods do not run, in the member's own words, most pods first. The words are bounded and cleaned."""
    counts: dict[tuple[str, str], int] = {}
    for pod in pods:
        if pod.status.phase == "Pending" and (told := _stall(pod)) is not None:
            counts[told] = counts.get(told, 0) + 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(PodsWaiting(pods=n, reason=reason, message=message) for (reason, message), n in ordered[:16])


def _stall(pod: Pod) -> tuple[str, str] | None:
    for container in (*pod.status.init_container_statuses, *pod.status.container_statuses):
        wait = container.state.waiting
        if wait is not None and wait.reason not in _STARTING:
            return clean_text(wait.reason, 64), clean_text(wait.message)
    for condition in pod.status.conditions:
        if condition.type == "PodScheduled" and condition.status == "False":
            return clean_text(condition.reason, 64), clean_text(condition.message)
    return None


def _verdict(cell: CellAnswer, spec: ComputeJobSpec) -> PoolVerdict:
    return PoolVerdict(
        offer=ObjectKey(namespace=cell.offer.namespace, name=cell.offer.name),
        pool=cell.pool,
        accelerator_class=cell.accelerator_class or None,
        alternative=cell.alternative,
        score=cell.score,
        parts=dict(cell.parts),
        objections=tuple(ObjectionView(reason=each.reason, needed=each.needed, present=each.present) for each in cell.unmet),
        smallest_change=tuple(
            ChangeView(field=manifest_field(spec, each.field), before=each.before, after=each.after) for each in cell.changes
        ),
        price_per_hour=_money(cell.price_per_hour),
        price_expected=_money(cell.price_expected),
        price_limit=_money(cell.price_limit),
        expected_seconds=cell.expected_seconds,
        devices=cell.devices,
        room=cell.room,
    )


def _money(amount: int | None) -> str | None:
    return None if amount is None else format_micro(amount)
