"""A member whose pods print what a test says, and the job that they are of. No assertion here."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import aclosing
from typing import Any

from aiohttp import web

import jobs
from sampan.controller.logs.options import LogOptions
from sampan.controller.logs.output import JobOutput
from sampan.controller.logs.pace import Pace
from sampan.controller.logs.pods import AttemptPods, pods_of_attempt
from sampan.controller.state.record import JobRecord
from sampan.kube.objects.meta import ObjectMeta
from sampan.kube.objects.workloads import ContainerState, ContainerStatus, Pod, PodStatus, StateRunning, StateTerminated, StateWaiting
from sampan.kube.transport.client import Client
from sampan.model.lifecycle import Event, Outcome
from sampan.model.status.attempt import Ending
from sampan.model.status.job_status import JobStatus
from sampan.model.values.names import remote_labels
from unit.kube.fake_api import Handler

INDEX = "batch.kubernetes.io/job-completion-index"
WAITING = ContainerState(waiting=StateWaiting(reason="ContainerCreating"))
RUNNING = ContainerState(running=StateRunning())
ENDED = ContainerState(terminated=StateTerminated())


def pod(rank: int = 0, state: ContainerState = ENDED, *, attempt: int = 1, namespace: str = "sampan-jobs", at: int = 0) -> Pod:
    """A pod of the job u1; `at` seconds into a minute it was made."""
    labels = remote_labels(hub_id=jobs.HUB, job_uid="u1", attempt=attempt) | {INDEX: str(rank)}
    uid = f"p{attempt}-{rank}-{at}"
    phase = "Pending" if state.waiting else "Running" if state.running else "Succeeded"
    meta = ObjectMeta(name=uid, namespace=namespace, uid=uid, labels=labels, creation_timestamp=f"2026-01-01T00:00:{at:02}Z")
    return Pod(metadata=meta, status=PodStatus(phase=phase, container_statuses=[ContainerStatus(name="main", state=state)]))


def ended(status: JobStatus) -> JobStatus:
    """The same, succeeded."""
    status = status.attempt_ended(Ending(outcome=Outcome.SUCCEEDED, reason=Outcome.SUCCEEDED, ended_at=jobs.NOW))
    return status.finished(Event.SUCCEEDED, reason=Outcome.SUCCEEDED, message="", at=jobs.NOW)


class World:
    """`LogWorld` of one job. `connected` false: its member does not answer."""

    def __init__(self, client: Client | None, *pods: Pod, status: JobStatus | None = None) -> None:
        self.client, self.pods = client, list(pods)
        self.connected = client is not None
        self.outputs: dict[tuple[int, int], bytes] = {}
        self.record: JobRecord | None = jobs.record("u1", status=status or jobs.bound_status())

    def job(self, uid: str) -> JobRecord | None:
        """The job."""
        return self.record if self.record is not None and self.record.uid == uid else None

    def attempt_pods(self, record: JobRecord) -> AttemptPods | None:
        """The pods of the bound attempt."""
        binding = record.binding
        if binding is None:
            return None
        shown = pods_of_attempt(self.pods, binding.attempt, binding.namespace)
        client = self.client if self.connected else None
        goes_on = record.attempt_open
        return AttemptPods(attempt=binding.attempt, offer=str(binding.offer), client=client, pods=shown, goes_on=goes_on)

    def now(self) -> int:
        """A minute of the pods' own year."""
        return 1_767_225_660_000

    async def kept(self, job_uid: str, attempt: int, rank: int) -> bytes | None:
        """What a test said was kept."""
        return self.outputs.get((attempt, rank)) if job_uid == "u1" else None

    async def kept_ranks(self, job_uid: str, attempt: int) -> list[int]:
        """The ranks of it."""
        return [rank for number, rank in sorted(self.outputs) if (job_uid, number) == ("u1", attempt)]

    def show(self, *pods: Pod, status: JobStatus | None = None) -> None:
        """Have these pods in place of all others, and this status."""
        self.pods = list(pods)
        if status is not None:
            self.record = jobs.record("u1", status=status)


async def read(world: World, **options: Any) -> str:
    """All that a reader gets."""
    assert world.record is not None
    output = JobOutput(world, world.record, options=LogOptions(**options), pace=Pace())
    parts = []
    async with asyncio.timeout(120), aclosing(output.chunks()) as chunks:
        async for chunk in chunks:
            parts.append(chunk)
    return b"".join(parts).decode()


def stamped(*texts: str, second: int = 0) -> bytes:
    """Lines as a kubelet gives them, a millisecond apart."""
    return b"".join(f"2026-01-01T00:00:{second:02}.{number:03}Z {text}\n".encode() for number, text in enumerate(texts))


def by_pod(said: dict[str, bytes]) -> Iterable[Handler]:
    """Handlers that answer each request with what its pod has printed."""

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=said[request.path.split("/")[-2]])

    while True:
        yield handler


def then(world_changes: Callable[[], None], *chunks: bytes, cut: bool = False) -> Handler:
    """A handler that sends, then changes the world, then ends."""

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
        world_changes()
        if cut and request.transport is not None:
            request.transport.abort()
        return response

    return handler
