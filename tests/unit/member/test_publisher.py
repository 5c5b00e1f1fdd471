"""The publisher writes what it sees, soon after a change and as a heartbeat, and nothing while it does not see."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from member_objects import node_body, pod_body
from sampan.kube.credentials import kubeconfig
from sampan.kube.credentials.addresses import AddressPolicy
from sampan.kube.objects.meta import ConfigMap
from sampan.kube.objects.summary import Summary, parse_packed
from sampan.kube.transport.client import Client
from sampan.kube.watch.reflector import Tuning
from sampan.member.publisher import Publisher, PublisherSettings
from unit.controller.fake_server import NODES, PODS, RUNTIMES, FakeServer, fake_server, until

MAPS = "/api/v1/namespaces/sampan-jobs/configmaps"


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    async with fake_server() as fake:
        fake.put(NODES, node_body())
        fake.put(MAPS, {"metadata": {"name": "sampan-capacity", "namespace": "sampan-jobs"}})
        yield fake


def written(server: FakeServer) -> list[Summary]:
    bodies: list[Any] = [body for path, _, body in server.patches if path == f"{MAPS}/sampan-capacity"]
    return [parse_packed(ConfigMap(binary_data=body["binaryData"])).summary() for body in bodies]


@asynccontextmanager
async def publishing(server: FakeServer, *, interval: int = 1, stuck_after: float = 60) -> AsyncIterator[Publisher]:
    tuning = Tuning(backoff_base=0.01, backoff_cap=0.05, forbidden_wait=0.05)
    settings = PublisherSettings(namespace="sampan-jobs", interval=interval, settle=0.01, tuning=tuning, stuck_after=stuck_after)
    numbers = itertools.count(1)
    async with Client(kubeconfig.parse(server.kubeconfig(), policy=AddressPolicy(allow_loopback=True))) as client:
        publisher = Publisher(client, settings, lambda: next(numbers))
        task = asyncio.create_task(publisher.run())
        try:
            yield publisher
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_what_is_seen_is_written_and_a_change_soon_after(server: FakeServer) -> None:
    async with publishing(server, interval=300):
        await until(lambda: written(server), "the first summary")
        server.put(NODES, node_body(unschedulable=True))
        server.put(PODS, pod_body(gpus=3))
        await until(lambda: written(server)[-1].nodes[0].spec.unschedulable and written(server)[-1].pods, "cordon and pod published")
        told = written(server)[-1].pods[0]
        assert (told.spec.node_name, told.spec.resources.requests["nvidia.com/gpu"] if told.spec.resources else "") == ("n1", "3")


async def test_the_heartbeat_goes_on_where_nothing_changes(server: FakeServer) -> None:
    async with publishing(server):
        await until(lambda: len(written(server)) >= 2, "a second heartbeat")
    numbers = [each.sequence for each in written(server)]
    assert numbers == sorted(set(numbers))
    assert {each.interval_seconds for each in written(server)} == {1}


async def test_nothing_is_written_while_a_watch_does_not_work(server: FakeServer, caplog: pytest.LogCaptureFixture) -> None:
    async with publishing(server):
        await until(lambda: written(server), "the first summary")
        server.forbidden.add(PODS)
        server.restart()
        await until(lambda: "publisher.write_failed" in caplog.text, "it says that it does not write")
        count = len(written(server))
        server.put(NODES, node_body(unschedulable=True))
        server.forbidden.clear()
        await until(lambda: len(written(server)) > count, "it writes again")
        assert written(server)[-1].nodes[0].spec.unschedulable
        assert written(server)[count].nodes[0].spec.unschedulable, "nothing old was written meanwhile"


async def test_the_log_says_once_what_is_published(server: FakeServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="sampan.member")

    def told() -> list[tuple[int, int]]:
        said = [record for record in caplog.records if record.message == "publisher.published"]
        return [(vars(each)["nodes"], vars(each)["ready"]) for each in said]

    async with publishing(server):
        await until(lambda: len(written(server)) >= 2, "a heartbeat")
        server.put(PODS, pod_body(gpus=3))
        await until(lambda: written(server)[-1].pods, "a pod")
        assert told() == [(1, 1)]
        server.put(NODES, node_body("n2"))
        await until(lambda: told() == [(1, 1), (2, 2)], "another node is told")


async def test_a_missing_configmap_is_named(server: FakeServer, caplog: pytest.LogCaptureFixture) -> None:
    server.drop(MAPS, "sampan-capacity")
    async with publishing(server):
        await until(lambda: "publisher.write_failed" in caplog.text, "it says so")
    assert any("ConfigMap sampan-capacity in sampan-jobs" in str(getattr(record, "reason", "")) for record in caplog.records)


@pytest.mark.parametrize(("stuck_after", "want"), [(60, True), (-1000, False)])
async def test_who_began_to_write_and_never_comes_back_is_not_alive(server: FakeServer, stuck_after: float, want: bool) -> None:
    async with publishing(server, stuck_after=stuck_after) as publisher:
        assert publisher.alive, "it waits for the first lists"
        await until(lambda: written(server), "the first summary")
        assert publisher.alive is want


KATA = {"metadata": {"name": "kata", "labels": {"team": "x"}}, "handler": "kata", "overhead": {"podFixed": {"memory": "2Gi"}}}


async def test_runtime_classes_are_told_where_the_publisher_may_look(server: FakeServer) -> None:
    server.served.append("node.k8s.io/v1")
    server.put(RUNTIMES, KATA)
    async with publishing(server):
        await until(lambda: written(server), "the first summary")
    told = written(server)[-1].runtime_classes
    assert told is not None
    (kata,) = told
    assert (kata.metadata.name, kata.metadata.labels, kata.overhead.pod_fixed) == ("kata", {}, {"memory": "2Gi"})


async def test_runtime_classes_are_not_told_where_it_may_not(server: FakeServer) -> None:
    server.served.append("node.k8s.io/v1")
    server.denied.add("watch runtimeclasses.node.k8s.io")
    async with publishing(server):
        await until(lambda: written(server), "the first summary")
    assert written(server)[-1].runtime_classes is None
