"""A summary and our own pods make the same picture of a member as its nodes and pods do, and an old summary is told from a new one."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from member_objects import HUB, JOB, MEMBER, as_node, as_pod, node_body, pod_body
from sampan.catalog import Catalog, load
from sampan.controller.members.published import REST, PublishedCapacity, choose_source, rest_after
from sampan.inventory.cluster import ClusterView
from sampan.inventory.in_flight import InFlight
from sampan.inventory.member import Inventory
from sampan.inventory.pools.grouping import pools_of
from sampan.inventory.slices import to_slice
from sampan.kube.objects.dra import ResourceSlice
from sampan.kube.objects.meta import ConfigMap, ObjectMeta
from sampan.kube.objects.quotas import ResourceClaim
from sampan.kube.objects.runtime_class import RuntimeClass
from sampan.kube.objects.summary import KEY, Summary, pack, parse_packed
from sampan.kube.objects.workloads import Node, Pod
from sampan.member.summarise import summarise_pods, trim_claim, trim_node
from sampan.model.members.cluster import Cluster
from sampan.model.members.offer import Offer, OfferKey, Terms
from sampan.model.values.vector import Vector

CATALOG: Catalog = load()
FLIGHT = InFlight(job_uid=JOB, nodes=(("n1", 2), ("n2", 1)), per_replica=Vector.of({"cpu": 4000, "nvidia.com/gpu": 2, "pods": 1}))
OFFER = Offer(key=OfferKey("prov-a", "one"), uid="o", provider="a", region="r", jurisdiction="CN", terms=Terms.ON_DEMAND)
Row = tuple[str, int, str, bool]


class Heard:
    """What a hub holds of a member that publishes; `now` is its clock."""

    def __init__(self) -> None:
        self.now = 100.0
        self.inventory = Inventory(HUB, lambda nodes: None)
        self.published = PublishedCapacity(self.inventory, hub_id=HUB, namespace="sampan-jobs", clock=lambda: self.now)

    def hear(self, sequence: int = 1, **over: Any) -> None:
        parcel = parse_packed(written(sequence, **over))
        self.published.update(parcel, parcel.summary())

    async def listen_until(self, done: Callable[[], bool]) -> None:
        listening = asyncio.create_task(self.published.run())
        async with asyncio.timeout(60):
            while not done():  # noqa: ASYNC110  the loop itself is what is waited for
                await asyncio.sleep(0)
        listening.cancel()


def written(sequence: int = 1, *, nodes: list[Node] | None = None, pods: list[Pod] | None = None, **over: Any) -> ConfigMap:
    """The ConfigMap as the publisher writes it."""
    told = {"schema": 1, "sequence": sequence, "interval_seconds": 10, **over}
    nodes = [as_node(node_body())] if nodes is None else nodes
    return holder(pack(Summary(nodes=[trim_node(n) for n in nodes], pods=summarise_pods(pods or (), namespaces=["sampan-jobs"]), **told)))


def holder(data: dict[str, str]) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name="sampan-capacity", namespace="sampan-jobs"), binary_data=data)


def cluster(inventory: Inventory) -> Cluster:
    return ClusterView(MEMBER, inventory, CATALOG).cluster(lambda uid: (FLIGHT,))


NODES = st.dictionaries(st.sampled_from(["n1", "n2", "n3"]), st.tuples(st.sampled_from([0, 4, 8]), st.booleans(), st.booleans()))
PODS = st.lists(st.tuples(st.sampled_from(["n1", "n2", ""]), st.integers(0, 4), st.sampled_from(["Running", "Failed"]), st.booleans()))


@given(NODES, PODS)
def test_what_is_published_gives_the_same_pools_and_the_same_free_room(nodes: dict[str, tuple[int, bool, bool]], rows: list[Row]) -> None:
    seen = [as_node(node_body(name, gpus=gpus, ready=ready, unschedulable=cordoned)) for name, (gpus, ready, cordoned) in nodes.items()]
    pods = [
        as_pod(
            pod_body(f"p{i}", node=node, gpus=gpus, phase=phase, ours=JOB if ours else "", namespace="sampan-jobs" if ours else "default")
        )
        for i, (node, gpus, phase, ours) in enumerate(rows)
    ]
    direct = Inventory(HUB, lambda _: None)
    direct.replace_nodes(seen)
    direct.replace_pods(pods)
    heard = Heard()
    heard.hear(nodes=seen, pods=pods)
    heard.published.replace_own("sampan-jobs", [pod for pod in pods if pod.metadata.namespace == "sampan-jobs"])

    want, got = cluster(direct), cluster(heard.inventory)
    assert (got.devices, got.used, got.contended) == (want.devices, want.used, want.contended)
    assert {name: want.free(name) for name in want.nodes} == {name: got.free(name) for name in got.nodes}
    pools = [pools_of(OFFER, each, CATALOG, home_origins=frozenset(), trust_overrides=False) for each in (want, got)]
    assert pools[0] == pools[1]


def test_a_pod_of_ours_counts_once_whichever_picture_is_ahead() -> None:
    mine = as_pod(pod_body(gpus=4, ours=JOB, namespace="sampan-jobs"))
    heard = Heard()

    def held() -> int:
        return sum(use.request["nvidia.com/gpu"] for use in heard.inventory.pods.values())

    heard.published.put_own(mine)  # our watch is ahead
    heard.hear(1)
    assert held() == 4
    heard.hear(2, pods=[mine])  # the publisher saw it too
    assert held() == 4
    heard.published.drop_own(mine.metadata.uid)  # and we know first that it is gone
    assert held() == 0


def test_a_pod_that_only_calls_itself_ours_counts_as_foreign() -> None:
    heard = Heard()
    heard.hear(pods=[as_pod(pod_body(gpus=3, ours=JOB, namespace="elsewhere"))])
    assert [use.request["nvidia.com/gpu"] for use in heard.inventory.pods.values()] == [3]


def test_a_heartbeat_keeps_a_summary_fresh_for_three_intervals() -> None:
    heard = Heard()
    assert not heard.published.fresh
    heard.hear(1)
    heard.now += 30
    assert heard.published.fresh
    heard.hear(2)
    heard.now += 31
    assert not heard.published.fresh
    assert "no new summary of the member's capacity for 3 times 10 seconds" in heard.published.description


def test_the_same_summary_listed_again_is_no_heartbeat() -> None:
    heard = Heard()
    heard.hear(1)
    heard.now += 25
    heard.hear(1)
    heard.now += 6
    assert not heard.published.fresh
    assert list(heard.inventory.nodes) == ["n1"], "what was last known stays: running jobs lie there"


async def test_what_is_not_believed_is_no_heartbeat_and_says_why_in_the_end() -> None:
    heard = Heard()
    heard.hear(1)
    heard.now += 20
    heard.published.apply(holder({KEY: "AAAA"}))
    assert heard.published.fresh
    heard.now += 11
    await heard.listen_until(lambda: "cannot be read" in heard.published.description)
    heard.hear(2)
    assert heard.published.description == "capacity is published by the member"


async def test_the_newest_is_looked_at_and_a_mere_heartbeat_reads_no_object_anew() -> None:
    heard = Heard()
    assert heard.published.looked, "nothing is there to look at"
    heard.published.apply(written(1, nodes=[as_node(node_body("old"))]))
    heard.published.apply(written(2))
    assert not heard.published.looked
    await heard.listen_until(lambda: heard.published.looked)
    assert list(heard.inventory.nodes) == ["n1"]
    before, heard.now = heard.inventory.nodes["n1"], heard.now + 31
    assert not heard.published.fresh
    heard.published.apply(written(3))
    await heard.listen_until(lambda: heard.published.fresh)
    assert heard.inventory.nodes["n1"] is before


async def test_a_summary_that_breaks_something_is_told_and_the_next_one_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Heard()

    def breaks(nodes: Sequence[Node]) -> None:
        raise RuntimeError("poison")

    with monkeypatch.context() as broken:
        broken.setattr(heard.inventory, "replace_nodes", breaks)
        heard.published.apply(written(1))
        await heard.listen_until(lambda: "could not be taken (RuntimeError)" in heard.published.description)
    heard.published.apply(written(2))
    await heard.listen_until(lambda: heard.published.fresh)


def test_what_takes_long_is_looked_at_seldom() -> None:
    assert rest_after(0.01) == REST
    assert rest_after(1.0) >= 3.0


def test_devices_that_claims_hold_are_taken_in_a_published_picture_too() -> None:
    node = as_node(node_body(gpus=0))
    named = {"productName": {"string": "NVIDIA H100 80GB HBM3"}, "type": {"string": "gpu"}}
    devices = [{"name": f"gpu-{n}", "attributes": named, "capacity": {"memory": {"value": "81559Mi"}}} for n in range(8)]
    spec = {"driver": "gpu.nvidia.com", "nodeName": "n1", "devices": devices}
    listed = msgspec.convert(
        {"metadata": {"name": "s"}, "spec": {**spec, "pool": {"name": "n1", "generation": 1, "resourceSliceCount": 1}}}, ResourceSlice
    )
    results = [{"driver": "gpu.nvidia.com", "pool": "n1", "device": f"gpu-{n}"} for n in (0, 5, 6)]
    meta = {"name": "secret-claim", "namespace": "tenant", "uid": "c"}
    claim = msgspec.convert({"metadata": meta, "status": {"allocation": {"devices": {"results": results}}}}, ResourceClaim)
    pods = [as_pod(pod_body(gpus=0, namespace="tenant"))]
    direct, heard = Inventory(HUB, lambda _: None), Heard()
    known = to_slice(listed)
    assert known is not None
    direct.replace_slices([known])
    direct.replace_nodes([node])
    direct.quotas.replace_claims([claim])
    direct.replace_pods(pods)
    heard.hear(nodes=[node], pods=pods, slices=[listed], claims=[trim_claim(claim)])

    want, got = cluster(direct), cluster(heard.inventory)
    (group,) = got.devices["n1"]
    assert (got.devices, got.used, got.free("n1")) == (want.devices, want.used, want.free("n1"))
    assert group.claim is not None
    assert got.free("n1")[group.resource] == 5
    assert b"secret" not in msgspec.json.encode(trim_claim(claim))


def test_a_missing_summary_says_who_makes_it() -> None:
    heard = Heard()
    heard.published.replace([])
    assert "capacity=published" in heard.published.description
    heard.hear(1)
    heard.published.clear()
    heard.now += 31
    assert "is gone" in heard.published.description


def test_what_was_heard_outlives_a_connection() -> None:
    heard = Heard()
    hear: dict[str, Any] = {"inventory": heard.inventory, "hub_id": HUB, "clock": lambda: heard.now}
    assert choose_source("sampan-jobs", heard.published, **hear) is heard.published
    assert choose_source("", heard.published, **hear) is None
    other = choose_source("other", heard.published, **hear)
    assert other is not None
    assert other.namespace == "other"


def test_what_a_summary_says_of_runtime_classes_is_what_is_known() -> None:
    kata = msgspec.convert({"metadata": {"name": "kata"}, "overhead": {"podFixed": {"memory": "2Gi"}}}, RuntimeClass)
    heard = Heard()
    heard.hear(1)
    assert heard.inventory.runtime_classes.known is None
    heard.hear(2, runtime_classes=[kata])
    known = heard.inventory.runtime_classes.known
    assert known is not None
    assert known["kata"].overhead["memory"] == 2 * 2**30
    heard.hear(3)
    assert heard.inventory.runtime_classes.known is None
