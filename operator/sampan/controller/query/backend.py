"""What answers are made from: the operator's live state, read on its loop. Never here: an answer, a write."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sampan.api.kinds.computejob import ComputeJobSpec
from sampan.controller.logs.pods import AttemptPods, LogWorld, pods_of_attempt
from sampan.controller.members.job_copies import JobCopies
from sampan.controller.state.pending import CellId
from sampan.controller.state.queues import QueuePlacement
from sampan.controller.state.record import JobRecord
from sampan.controller.state.store import State
from sampan.kube.objects.workloads import Pod
from sampan.kube.transport.client import Client
from sampan.model.job import Job, Shape
from sampan.model.plan import Assignment
from sampan.model.snapshot import Snapshot

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingView:
    """A job that waits for a place, or for the place that it has to be written down."""

    job: Job
    """As the scheduler sees it, or would."""
    not_before: int = 0
    """Until when (milliseconds since the epoch) no cycle looks at it; a moment that is past: they do."""
    planned: Assignment | None = None
    """What a cycle decided and is being written."""


class Backend(LogWorld, Protocol):
    """What the server needs. Every method is called on the operator's loop; what they return is never changed afterwards."""

    def snapshot(self) -> Snapshot:
        """Return the world at this moment."""

    def tenant_labels(self, namespace: str) -> Labels:
        """Return the labels of a namespace of the hub, as far as the offers of the last snapshot read them."""

    def find(self, namespace: str, name: str) -> JobRecord | None:
        """Return a job; None where there is none of that name."""

    def pending(self, record: JobRecord) -> PendingView | None:
        """Return the scheduler's view of a job that waits for a place; None where it does not."""

    def cooling_cells(self, namespace: str, shape: Shape) -> frozenset[CellId]:
        """Return the cells that cool down for a new job of a namespace, by its shape as submitted."""

    def queue_placement(self, namespace: str, spec: ComputeJobSpec, shape: Shape) -> QueuePlacement:
        """Return where a job of a namespace would queue."""

    def pods(self, record: JobRecord) -> tuple[Pod, ...]:
        """Return the pods of a bound job that its member shows; none while it is not bound."""


class PodsOf(Protocol):
    """What is needed of a member's link."""

    @property
    def client(self) -> Client:
        """Return the member's client; only while `connected`."""

    @property
    def connected(self) -> bool:
        """Tell whether the member answers and is the one it was."""

    @property
    def copies(self) -> JobCopies:
        """Return our Jobs and pods there."""


class Links(Protocol):
    """What is needed of the joined members."""

    def link_of(self, cluster_uid: str) -> PodsOf | None:
        """Return the link of a member."""


class KeptOutputs(Protocol):
    """What is needed of what was kept of jobs' output."""

    async def get(self, job_uid: str, attempt: int, rank: int) -> bytes | None:
        """Return what is kept of a rank; None where nothing is."""

    async def ranks(self, job_uid: str, attempt: int) -> list[int]:
        """Return the ranks of which something is kept, in order."""


@dataclass(frozen=True, slots=True)
class LiveBackend:
    """The running operator's own."""

    state: State
    links: Links
    outputs: KeptOutputs
    clock: Callable[[], int]
    bind_allowance: Callable[[], int]
    """How many jobs a cycle may start now; where that is none, the next cycle comes with the first one."""

    def snapshot(self) -> Snapshot:
        """See `Backend.snapshot`."""
        return self.state.snapshot(self.clock(), limit=max(self.bind_allowance(), 1))

    def tenant_labels(self, namespace: str) -> Labels:
        """See `Backend.tenant_labels`."""
        return self.state.queues.tenant_labels(namespace)

    def find(self, namespace: str, name: str) -> JobRecord | None:
        """See `Backend.find`. A new job of the name of one that is about to be gone comes first."""
        found = [record for record in self.state.jobs.values() if record.name == name and record.namespace == namespace]
        return max(found, key=lambda record: (record.created, record.uid), default=None)

    def pending(self, record: JobRecord) -> PendingView | None:
        """See `Backend.pending`."""
        if not record.waits or record.spec is None or record.shape is None:
            return None
        waiting, entry = self.state.pending, self.state.table[record.uid]
        job, until = waiting.scheduler_view(record, self.clock()), waiting.not_before(entry, self.clock())
        return PendingView(job=job, not_before=until, planned=entry.assignment)

    def cooling_cells(self, namespace: str, shape: Shape) -> frozenset[CellId]:
        """See `Backend.cooling_cells`."""
        return frozenset(self.state.pending.cooling_cells(namespace, shape, self.clock()))

    def queue_placement(self, namespace: str, spec: ComputeJobSpec, shape: Shape) -> QueuePlacement:
        """See `Backend.queue_placement`."""
        return self.state.queues.place(namespace, spec, shape)

    def pods(self, record: JobRecord) -> tuple[Pod, ...]:
        """See `Backend.pods`."""
        binding = record.binding
        link = self.links.link_of(binding.cluster_uid) if binding is not None and record.attempt_open else None
        return () if link is None or binding is None else link.copies.pods.of(record.uid, binding.namespace)

    def job(self, uid: str) -> JobRecord | None:
        """See `Backend.job`."""
        return self.state.jobs.get(uid)

    def attempt_pods(self, record: JobRecord) -> AttemptPods | None:
        """See `Backend.attempt_pods`."""
        binding = record.binding
        if binding is None:
            return None
        link = self.links.link_of(binding.cluster_uid)
        shown = () if link is None else link.copies.pods.of(record.uid, binding.namespace)
        client = link.client if link is not None and link.connected else None
        pods = pods_of_attempt(shown, binding.attempt, binding.namespace)
        goes_on = record.attempt_open
        return AttemptPods(attempt=binding.attempt, offer=str(binding.offer), client=client, pods=pods, goes_on=goes_on)

    def now(self) -> int:
        """See `Backend.now`."""
        return self.clock()

    async def kept(self, job_uid: str, attempt: int, rank: int) -> bytes | None:
        """See `Backend.kept`."""
        return await self.outputs.get(job_uid, attempt, rank)

    async def kept_ranks(self, job_uid: str, attempt: int) -> list[int]:
        """See `Backend.kept_ranks`."""
        return await self.outputs.ranks(job_uid, attempt)
