"""A world that stands still, for tests of what is answered. No assertion here."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sampan.api.kinds.computejob import ComputeJobSpec
from sampan.controller.logs.pods import AttemptPods
from sampan.controller.query.backend import PendingView
from sampan.controller.state.pending import CellId
from sampan.controller.state.queues import QueuePlacement, QueueRegistry
from sampan.controller.state.record import JobRecord
from sampan.kube.objects.workloads import Pod
from sampan.kube.transport.client import Client
from sampan.model.job import Shape
from sampan.model.snapshot import Snapshot


@dataclass(slots=True)
class StillWorld:
    """One picture, some jobs, pods of whichever job is asked about; `broken`: no namespace's labels can be read."""

    picture: Snapshot
    records: Sequence[JobRecord] = ()
    shown: tuple[Pod, ...] = ()
    book: QueueRegistry = field(default_factory=QueueRegistry)
    broken: bool = False
    client: Client | None = None
    """Of the member that has the pods."""

    def snapshot(self) -> Snapshot:
        """The picture."""
        return self.picture

    def tenant_labels(self, namespace: str) -> tuple[tuple[str, str], ...]:
        """The labels that the book has."""
        if self.broken:
            raise KeyError("secret words")
        return self.book.tenant_labels(namespace)

    def find(self, namespace: str, name: str) -> JobRecord | None:
        """The job of that name."""
        return next((each for each in self.records if (each.namespace, each.name) == (namespace, name)), None)

    def pending(self, record: JobRecord) -> PendingView | None:
        """The job, if it waits."""
        return PendingView(job=record.to_job(frozenset())) if record.waits else None

    def cooling_cells(self, namespace: str, shape: Shape) -> frozenset[CellId]:
        """None."""
        return frozenset()

    def queue_placement(self, namespace: str, spec: ComputeJobSpec, shape: Shape) -> QueuePlacement:
        """What the book says."""
        return self.book.place(namespace, spec, shape)

    def pods(self, record: JobRecord) -> tuple[Pod, ...]:
        """The pods."""
        return self.shown if record.attempt_open else ()

    def job(self, uid: str) -> JobRecord | None:
        """The job of that UID."""
        return next((each for each in self.records if each.uid == uid), None)

    def attempt_pods(self, record: JobRecord) -> AttemptPods | None:
        """The pods, if it is bound."""
        binding = record.binding
        return None if binding is None else AttemptPods(attempt=1, offer=str(binding.offer), client=self.client, pods=self.shown)

    def now(self) -> int:
        """The picture's moment."""
        return self.picture.now

    async def kept(self, job_uid: str, attempt: int, rank: int) -> bytes | None:
        """Nothing."""
        return None

    async def kept_ranks(self, job_uid: str, attempt: int) -> list[int]:
        """None."""
        return []
