"""Which Queue a job belongs to and whether it may compete there, and what its namespace's labels say to the offers.

Keeps Queues and namespaces as the hub has them. No I/O, no clock, no order: whose turn it is follows in `scheduling`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sampan.api.convert.policies import queue_of
from sampan.api.kinds.computejob import ComputeJobSpec
from sampan.model.job import Demand, Shape
from sampan.model.members.offer import Offer, OfferKey
from sampan.model.queues import DEFAULT_QUEUE, Queue
from sampan.model.reason import Reason
from sampan.model.values.names import NAMESPACE_NAME
from sampan.model.values.timestamp import from_rfc3339

MAX_SHAPES = 20_000
"""Shapes remembered, so that equal ones are one object; dropped together beyond this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePlacement:
    """Where a job queues."""

    queue: str
    inadmissible: Reason | None
    """Why it may not compete there; None: it may."""
    shape: Shape
    """Its shape with the queue's run limit where it declares none, and with the labels of its namespace that offers read."""


class QueueRegistry:
    """Queues by name, labels of namespaces."""

    def __init__(self) -> None:
        """Know nothing: every job is in the default queue."""
        self.queues: Mapping[str, Queue] = {}
        """Replaced whole at every change."""
        self.on_change: list[Callable[[], None]] = []
        """Called when any job may be in another queue than before."""
        self.on_namespace: list[Callable[[str], None]] = []
        """Called with the name of a namespace of which the offers read other labels than before."""
        self._names: dict[str, tuple[int, str]] = {}
        self._queue_by_namespace: dict[str, str] = {}
        self._labels: dict[str, dict[str, str]] = {}
        self._keys: tuple[str, ...] = ()
        self._shapes: dict[Shape, Shape] = {}
        self._offers: Mapping[OfferKey, Offer] | None = None

    def apply(self, body: Mapping[str, Any]) -> bool:
        """Take in a Queue; one that cannot be read raises InvalidObjectError and leaves the known one. Tells whether anything changed."""
        queue, meta = queue_of(body), body["metadata"]
        known = self._names.get(meta["uid"])
        self._names[meta["uid"]] = from_rfc3339(meta.get("creationTimestamp")) or 0, queue.name
        if known is not None and self.queues.get(queue.name) == queue:
            return False
        self._replace({**self.queues, queue.name: queue})
        return True

    def remove(self, uid: str) -> bool:
        """Forget a Queue. Tells whether anything changed."""
        _, name = self._names.pop(uid, (0, ""))
        if name not in self.queues or any(other == name for _, other in self._names.values()):
            return False
        self._replace({other: queue for other, queue in self.queues.items() if other != name})
        return True

    def _replace(self, queues: Mapping[str, Queue]) -> None:
        self.queues = queues
        self._assign_namespaces()
        for listener in self.on_change:
            listener()

    def apply_namespace(self, name: str, labels: Mapping[str, str] | None) -> bool:
        """Take in a namespace's labels, None once it is gone. Tells whether what offers read of them changed."""
        before = self.tenant_labels(name)
        if labels is None:
            self._labels.pop(name, None)
        else:
            self._labels[name] = dict(labels)
        changed = self.tenant_labels(name) != before
        for listener in self.on_namespace if changed else ():
            listener(name)
        return changed

    def set_label_keys(self, keys: tuple[str, ...]) -> bool:
        """Hear which labels of namespaces the offers' tenants selectors read, sorted. Tells whether they changed."""
        changed, self._keys = keys != self._keys, keys
        return changed

    def set_offers(self, offers: Mapping[OfferKey, Offer]) -> bool:
        """Hear of the offers, whose tenants selectors read labels of namespaces. Tells whether they read others than before."""
        if offers is self._offers:
            return False
        self._offers = offers
        read = {e.key for offer in offers.values() for e in offer.tenants.expressions}
        if any(offer.tenant_namespaces is not None for offer in offers.values()):
            read.add(NAMESPACE_NAME)
        return self.set_label_keys(tuple(sorted(read)))

    def tenant_labels(self, namespace: str) -> tuple[tuple[str, str], ...]:
        """Return the labels of a namespace that any offer reads, by key."""
        labels = {**self._labels.get(namespace, {}), NAMESPACE_NAME: namespace}  # which every API server keeps so
        return tuple((key, labels[key]) for key in self._keys if key in labels)

    def place(self, namespace: str, spec: ComputeJobSpec, shape: Shape) -> QueuePlacement:
        """Return where a job of a namespace queues: where it says, else where its namespace does, else in the default queue."""
        home = self._queue_by_namespace.get(namespace, DEFAULT_QUEUE)
        name = spec.queue or home
        queue = self.queues.get(name)
        tenant = self.tenant_labels(namespace)
        if queue is not None and queue.default_run_seconds is not None:
            shape = replace(shape, demands=tuple(_spanned(d, spec, queue.default_run_seconds) for d in shape.demands))
        if tenant != shape.tenant:
            own = namespace if any(key == NAMESPACE_NAME for key, _ in tenant) else ""
            shape = replace(shape, tenant=tenant, demands=tuple(replace(demand, tenant=own) for demand in shape.demands))
        return QueuePlacement(
            queue=name,
            inadmissible=_inadmissible(queue, spec, at_home=name == home or (queue is not None and namespace in queue.namespaces)),
            shape=self.intern(shape),
        )

    def queue_of(self, namespace: str, spec: ComputeJobSpec | None) -> str:
        """Return the queue of a job, allowed or not."""
        return self.queue_named(namespace, spec.queue if spec is not None else None)

    def queue_named(self, namespace: str, name: str | None) -> str:
        """Return the queue of jobs of a namespace that name one, or none: allowed or not, and perhaps not there."""
        return name or self._queue_by_namespace.get(namespace, DEFAULT_QUEUE)

    def intern(self, shape: Shape) -> Shape:
        """Return the first shape that was equal to this one, so that equal shapes are compared and kept once."""
        if len(self._shapes) >= MAX_SHAPES:
            self._shapes.clear()
        return self._shapes.setdefault(shape, shape)

    def _assign_namespaces(self) -> None:
        """Give each namespace the oldest Queue that names it."""
        created = {name: at for at, name in sorted(self._names.values(), reverse=True)}
        self._queue_by_namespace = {}
        for queue in sorted(self.queues.values(), key=lambda q: (created.get(q.name, 0), q.name)):
            for namespace in queue.namespaces:
                self._queue_by_namespace.setdefault(namespace, queue.name)


def _inadmissible(queue: Queue | None, spec: ComputeJobSpec, *, at_home: bool) -> Reason | None:
    """Tell why a queue does not let a job compete. Nobody leaves the queue of a namespace for the default one by naming that."""
    if not at_home:
        return Reason.QUEUE_NOT_ALLOWED
    if queue is None:
        return None
    if queue.highest_priority is not None and spec.priority > queue.highest_priority:
        return Reason.PRIORITY_NOT_ALLOWED
    if queue.policies and spec.policy not in queue.policies:
        return Reason.POLICY_NOT_ALLOWED
    return None


def _spanned(demand: Demand, spec: ComputeJobSpec, run_seconds: int) -> Demand:
    if demand.span_seconds is not None:
        return demand
    return replace(demand, span_seconds=spec.start_deadline_seconds + run_seconds + spec.template.termination_grace_period_seconds)
