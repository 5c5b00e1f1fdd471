"""A stream leads to the pod of a rank that runs now, and to no other."""

import pytest

import jobs
from sampan.controller.streams.options import StreamKind
from sampan.controller.streams.refusal import StreamRefusedError
from sampan.controller.streams.target import target_of
from sampan.kube.objects.workloads import Pod
from sampan.kube.transport.client import Client
from sampan.model.status.job_status import JobStatus
from unit.controller.logs.world import ENDED, RUNNING, WAITING, World, ended, pod
from unit.kube.fake_api import credentials, serving


async def test_it_is_the_newest_pod_of_the_rank() -> None:
    async with serving() as api, Client(credentials(api)) as client:
        world = World(client, pod(0, RUNNING), pod(1, ENDED, at=1), pod(1, RUNNING, at=2))
        assert world.record is not None
        target = target_of(world, world.record, 1)
        assert (target.pod.metadata.uid, target.attempt, target.client) == ("p1-1-2", 1, client)
        assert target.path(StreamKind.EXEC).url == "/api/v1/namespaces/sampan-jobs/pods/p1-1-2/exec"


@pytest.mark.parametrize(
    ("pods", "status", "code", "says"),
    [
        ([], None, 404, "rank 0 of attempt 1 on offer prov-a/lingang has no pod"),
        ([pod(0, RUNNING, attempt=2)], None, 404, "has no pod"),
        ([pod(0, WAITING)], None, 409, "has not started: ContainerCreating"),
        ([pod(0, ENDED)], None, 409, "has ended; its output is there: sampan logs"),
        ([pod(0, RUNNING)], ended(jobs.bound_status()), 409, "does not run: it is succeeded"),
        ([], JobStatus(), 409, "does not run: it is pending"),
    ],
)
async def test_why_there_is_none(pods: list[Pod], status: JobStatus | None, code: int, says: str) -> None:
    async with serving() as api, Client(credentials(api)) as client:
        world = World(client, *pods, status=status)
        assert world.record is not None
        with pytest.raises(StreamRefusedError, match=says) as refused:
            target_of(world, world.record, 0)
        assert refused.value.code == code


def test_a_member_that_does_not_answer_is_named() -> None:
    world = World(None, pod(0, RUNNING))
    assert world.record is not None
    with pytest.raises(StreamRefusedError, match="the member of attempt 1 on offer prov-a/lingang does not answer") as refused:
        target_of(world, world.record, 0)
    assert refused.value.code == 503
