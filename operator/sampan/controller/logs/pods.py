"""Which pods of a job have the output that is asked for. Pure but for the member's client, which is only handed on."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from sampan.api.launch.pod import CONTAINER
from sampan.controller.state.record import JobRecord
from sampan.kube.objects.workloads import ContainerState, Pod
from sampan.kube.text import clean_text
from sampan.kube.transport.client import Client
from sampan.kube.transport.paths import ResourcePath, resource_path
from sampan.model.values.names import LABEL_ATTEMPT, LABEL_INDEX


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptPods:
    """What a member shows of the attempt that a job is bound to."""

    attempt: int
    offer: str
    client: Client | None
    """None while the member does not answer."""
    pods: tuple[Pod, ...]
    goes_on: bool = True
    """It has no recorded end: pods may still come."""

    def of_rank(self, rank: int) -> list[Pod]:
        """Return a rank's pods, the newest last: a sweep's may have been replaced."""
        return sorted((pod for pod in self.pods if rank_of(pod) == rank), key=_age)

    @property
    def ranks(self) -> tuple[int, ...]:
        """Return the ranks that have a pod, in order."""
        return tuple(sorted({rank for rank in map(rank_of, self.pods) if rank is not None}))


class LogWorld(Protocol):
    """What reading needs of the operator. Called on its loop."""

    def job(self, uid: str) -> JobRecord | None:
        """Return a job; None once it is gone."""

    def attempt_pods(self, record: JobRecord) -> AttemptPods | None:
        """Return what is shown of the bound attempt; None while there is none."""

    def now(self) -> int:
        """Return milliseconds since the epoch."""

    async def kept(self, job_uid: str, attempt: int, rank: int) -> bytes | None:
        """Return what was kept of an attempt that has ended; None where nothing was."""

    async def kept_ranks(self, job_uid: str, attempt: int) -> list[int]:
        """Return the ranks of which something was kept, in order."""


def pods_of_attempt(pods: Iterable[Pod], attempt: int, namespace: str) -> tuple[Pod, ...]:
    """Return those of an attempt in its namespace; labels are the member's to write, its namespace is not."""
    return tuple(pod for pod in pods if pod.metadata.namespace == namespace and pod.metadata.labels.get(LABEL_ATTEMPT) == str(attempt))


def rank_of(pod: Pod) -> int | None:
    """Return the index that the Job controller gave a pod; None where it gave none."""
    text = pod.metadata.labels.get(LABEL_INDEX) or pod.metadata.annotations.get(LABEL_INDEX, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None


def log_of(pod: Pod) -> ResourcePath:
    """Return where its member has what a pod prints."""
    return resource_path("v1", "pods", namespace=pod.metadata.namespace, name=pod.metadata.name, subresource="log")


def state_of(pod: Pod) -> ContainerState:
    """Return what the kubelet says of the job's container; nothing at all where it has said nothing yet."""
    return next((status.state for status in pod.status.container_statuses if status.name == CONTAINER), ContainerState())


def has_started(pod: Pod) -> bool:
    """Tell whether there may be output."""
    state = state_of(pod)
    return state.running is not None or state.terminated is not None or has_ended(pod)


def has_ended(pod: Pod) -> bool:
    """Tell whether no more will come."""
    return pod.status.phase in ("Succeeded", "Failed") or state_of(pod).terminated is not None


def why_not_started(pod: Pod) -> str:
    """Return what a pod waits for, in its member's words."""
    waiting = state_of(pod).waiting
    return clean_text((waiting.reason if waiting is not None else "") or pod.status.reason or pod.status.phase or "Pending", 64)


def _age(pod: Pod) -> tuple[str, str]:
    return pod.metadata.creation_timestamp or "", pod.metadata.uid
