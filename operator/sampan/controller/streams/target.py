"""Which pod a stream leads to. Pure but for the member's client, which is only handed on. Never here: calls."""

from dataclasses import dataclass

from sampan.controller.logs.pods import LogWorld, has_ended, has_started, why_not_started
from sampan.controller.state.record import JobRecord
from sampan.controller.streams.options import StreamKind
from sampan.controller.streams.refusal import StreamRefusedError
from sampan.kube.objects.workloads import Pod
from sampan.kube.transport.client import Client
from sampan.kube.transport.paths import ResourcePath, resource_path


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A running pod, and its member."""

    client: Client
    pod: Pod
    offer: str
    attempt: int

    def path(self, kind: StreamKind) -> ResourcePath:
        """Where its member opens such a stream."""
        return resource_path("v1", "pods", namespace=self.pod.metadata.namespace, name=self.pod.metadata.name, subresource=str(kind))


def target_of(world: LogWorld, record: JobRecord, rank: int) -> Target:
    """Return the running pod of a rank. Raises StreamRefusedError."""
    name = f"computejob {record.namespace}/{record.name}"
    shown = world.attempt_pods(record) if record.attempt_open else None
    if shown is None:
        raise StreamRefusedError(409, f"{name} does not run: it is {str(record.phase).lower()}")
    where = f"attempt {shown.attempt} on offer {shown.offer}"
    if shown.client is None:
        raise StreamRefusedError(503, f"the member of {where} does not answer: ask again when it does")
    pods = shown.of_rank(rank)
    if not pods:
        raise StreamRefusedError(404, f"rank {rank} of {where} has no pod; ranks are counted from 0")
    pod = pods[-1]
    if has_ended(pod):
        raise StreamRefusedError(409, f"rank {rank} of {where} has ended; its output is there: sampan logs")
    if not has_started(pod):
        raise StreamRefusedError(409, f"rank {rank} of {where} has not started: {why_not_started(pod)}")
    return Target(client=shown.client, pod=pod, offer=shown.offer, attempt=shown.attempt)
