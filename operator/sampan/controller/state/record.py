"""One ComputeJob as the operator knows it: an immutable record, replaced whole at every change.

No I/O and no decisions; the record is what `state` holds and what `decide` reads.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

from sampan.api.convert.jobs import parse_spec, shape_of
from sampan.api.kinds.computejob import ComputeJobSpec
from sampan.api.status.manifest import from_manifest
from sampan.controller.state.pauses import after_setbacks, cool_downs, ended_at, setback_words
from sampan.controller.state.queues import QueuePlacement
from sampan.model.job import Job, Shape
from sampan.model.lifecycle import Outcome, Phase
from sampan.model.members.offer import OfferKey
from sampan.model.queues import DEFAULT_QUEUE
from sampan.model.status.attempt import Binding, closed
from sampan.model.status.generation import is_outdated, is_refusal_outdated
from sampan.model.status.job_status import JobStatus
from sampan.model.status.reasons import OF_WHAT_TRAVELS
from sampan.model.values.names import FINALIZER
from sampan.model.values.timestamp import from_rfc3339

MAX_BACKOFF = 3600
"""Longest wait between two attempts after failures of the application, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """A ComputeJob at one resourceVersion."""

    uid: str
    namespace: str
    name: str
    resource_version: str
    generation: int
    created: int
    """Milliseconds since the epoch."""
    deleting: bool
    finalizers: tuple[str, ...]
    spec: ComputeJobSpec | None
    """None where the object does not parse; `problem` says why."""
    problem: str
    shape: Shape | None
    status: JobStatus

    @property
    def binding(self) -> Binding | None:
        """Return the one place where it may run now."""
        return self.status.binding

    @property
    def has_finalizer(self) -> bool:
        """Tell whether our finalizer is on the object."""
        return FINALIZER in self.finalizers

    @property
    def phase(self) -> Phase:
        """Return the phase."""
        return self.status.phase

    @property
    def attempt_open(self) -> bool:
        """Tell whether an attempt is bound and has no recorded end."""
        return self.status.attempt_is_open

    @property
    def started_at(self) -> int | None:
        """Return since when its open attempt runs, in ms since the epoch; None while it does not."""
        return self.status.started_at if self.phase is Phase.RUNNING else None

    def covers(self, version: str) -> bool:
        """Tell whether this is the object at that resourceVersion or at a later one: such a picture tells nothing new."""
        return int(version) <= int(self.resource_version)

    @property
    def waits(self) -> bool:
        """Tell whether the scheduler may place it (backoff aside)."""
        return (
            self.status.phase is Phase.PENDING
            and self.status.binding is None
            and not self.deleting
            and self.shape is not None
            and not self.suspend
            and not self.exhausted
        )

    @property
    def suspend(self) -> bool:
        """Return `spec.suspend`."""
        return bool(self.spec and self.spec.suspend)

    @property
    def unobserved(self) -> bool:
        """Tell whether the status is about an older spec and says nothing that must be found anew for this one.

        A refusal of a waiting job is its writer's to say again. A deletion counts as a generation too, and is worth no write.
        """
        if self.deleting or not is_outdated(self.status, self.generation):
            return False
        return not (self.waits and is_refusal_outdated(self.status, self.generation))

    @property
    def closed(self) -> frozenset[int]:
        """Return which demands of the shape may be tried no more: they were rejected too often."""
        if self.spec is None or not self.status.rejections:
            return frozenset()
        return frozenset(number or 0 for number in closed(self.status.rejections, self.spec.retry.max_rejected))

    @property
    def exhausted(self) -> bool:
        """Tell whether no demand of the shape may be tried any more."""
        return self.shape is not None and len(self.closed) >= len(self.shape.demands)

    def not_before(self) -> int:
        """Return when the next attempt may start, in ms since the epoch: the pause after a failure, longer with each further one."""
        newest = self.status.last_attempt
        if newest is None or self.spec is None:
            return 0
        pause = after_setbacks(self.uid, self.status.attempts)
        if newest.outcome in (Outcome.APP_FAILED, Outcome.LOST):
            doublings = max(self.status.restarts - 1, 0)
            pause = max(pause, min(self.spec.retry.backoff_seconds << min(doublings, 12), MAX_BACKOFF) * 1000)
        return ended_at(newest) + pause

    def cooling(self, cooldown: int, *, reasons: Set[str] | None = None) -> dict[tuple[OfferKey, str], int]:
        """Return the cells that did not start this job lately, each with the end of its cool-down in ms since the epoch.

        `reasons` counts only attempts that were rejected for one of them.
        """
        counted = [a for a in self.status.attempts if a.reason not in OF_WHAT_TRAVELS and (reasons is None or a.reason in reasons)]
        return cool_downs(self.uid, counted, cooldown)

    def setback(self) -> str:
        """Return what befell the newest attempt, as the end of a sentence on why the job waits; empty where it is no setback."""
        return setback_words(self.status.attempts)

    def to_job(self, excluded: frozenset[tuple[OfferKey, str]], placement: QueuePlacement | None = None) -> Job:
        """Return the scheduler's view, in the default queue where no placement is given. The record must have a shape."""
        assert self.shape is not None
        assert self.spec is not None
        return Job(
            uid=self.uid,
            namespace=self.namespace,
            name=self.name,
            resource_version=self.resource_version,
            created=self.created,
            shape=self.shape if placement is None else placement.shape,
            priority=self.spec.priority,
            queue=DEFAULT_QUEUE if placement is None else placement.queue,
            inadmissible=None if placement is None else placement.inadmissible,
            attempts=self.status.attempts_seen,
            excluded=excluded,
            closed=self.closed,
        )


def record_of(body: Mapping[str, Any], previous: JobRecord | None) -> JobRecord:
    """Return the record of an API object; spec and shape are taken from `previous` where the generation is the same.

    Raises KeyError or TypeError for metadata that no server gives, and for a status that nobody of us wrote.
    """
    meta = body["metadata"]
    generation = int(meta.get("generation", 1))
    if previous is not None and previous.uid == meta["uid"] and previous.generation == generation:
        spec, problem, shape = previous.spec, previous.problem, previous.shape
    else:
        spec, problem = parse_spec(body.get("spec") or {})
        shape = shape_of(spec) if spec is not None else None
    return JobRecord(
        uid=meta["uid"],
        namespace=meta["namespace"],
        name=meta["name"],
        resource_version=meta["resourceVersion"],
        generation=generation,
        created=from_rfc3339(meta.get("creationTimestamp")) or 0,
        deleting="deletionTimestamp" in meta,
        finalizers=tuple(meta.get("finalizers") or ()),
        spec=spec,
        problem=problem,
        shape=shape,
        status=from_manifest(body.get("status") or {}),
    )
