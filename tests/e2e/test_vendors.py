"""A federation with the accelerators of many vendors: each is told as its plugin publishes it, and jobs reach the right resource."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from e2e.life import World, job
from integration.support import wait_for
from sampan.local.binaries import Binaries
from sampan.local.scenario import load
from servers import federation_of

Pool = dict[str, Any]

TOLD = {
    "nvidia.com/gpu": ("nvidia-h200-sxm-141gb", "Whole", 16),
    "nvidia.com/mig-3g.40gb": ("nvidia-a100-sxm-80gb", "Partition", 16),
    "nvidia.com/gpu.shared": ("nvidia-l40s-48gb", "TimeSliced", 16),
    "amd.com/gpu": ("amd-mi300x-oam-192gb", "Whole", 8),
    "habana.ai/gaudi": (None, "Whole", 8),
    "google.com/tpu": ("google-tpu-v5e-16gb", "Whole", 8),
    "aws.amazon.com/neuron": (None, "Whole", 16),
    "hygon.com/dcu": ("hygon-k100-ai-64gb", "Whole", 8),
    "cambricon.com/mlu370": ("cambricon-mlu370-x8-48gb", "Whole", 8),
    "enflame.com/gcu": ("enflame-s60-48gb", "Whole", 8),
    "iluvatar.com/gpu": (None, "Whole", 16),
    "mthreads.com/gpu": (None, "Whole", 8),
    "metax-tech.com/gpu": ("metax-c500-oam-64gb", "Whole", 8),
    "birentech.com/gpu": (None, "Whole", 8),
    "kunlunxin.com/xpu": (None, "Whole", 8),
    "alibabacloud.com/ppu": ("thead-ppu810e-96gb", "Whole", 16),
    "example.com/npu": (None, "Whole", 4),
}
"""By resource name: class (None: it cannot be told), sharing, devices. Huawei's one name covers two classes and is asserted by class."""


@pytest.fixture(scope="module")
def world(binaries: Binaries) -> Iterator[World]:
    """A hub and two members with eighteen kinds of devices."""
    with federation_of(binaries, "vendors", load("vendors")) as federation:
        yield World(federation)


def pools(world: World) -> list[Pool]:
    """All pools that the offers show."""
    return [pool for side in ("east", "west") for pool in world.offer(f"prov-{side}", side).get("status", {}).get("pools", [])]


def run(world: World, name: str, accelerator: dict[str, Any], **spec: Any) -> dict[str, str]:
    """Run a job by one accelerator requirement to its end; returns what its pods asked for on the member."""
    body = job(name, "sleep 2", **spec)
    body["spec"]["alternatives"] = [{"accelerator": accelerator}]
    world.submit(body)
    copy = world.copy(name)
    world.reaches(name, "Succeeded")
    asked: dict[str, str] = copy.body["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
    return {resource: amount for resource, amount in asked.items() if "/" in resource}


def test_every_vendors_devices_are_told_or_said_to_be_unknown(world: World) -> None:
    wait_for(lambda: len(pools(world)) >= len(TOLD) + 2, "every pool is shown")
    shown = {p["resourceName"]: (p.get("acceleratorClass"), p["sharing"], p["devices"]) for p in pools(world)}
    ascend = {p.get("acceleratorClass"): p["devices"] for p in pools(world) if p["resourceName"] == "huawei.com/Ascend910"}
    assert {resource: told for resource, told in shown.items() if resource != "huawei.com/Ascend910"} == TOLD
    assert ascend == {"huawei-910b3-64gb": 16, "huawei-910c-64gb": 32}
    unknown = next(p for p in pools(world) if p["resourceName"] == "example.com/npu")
    assert any("example.com/npu" in text for text in unknown["evidence"])


@pytest.mark.parametrize(
    ("name", "accelerator", "want"),
    [
        ("amd", {"stack": "rocm", "count": 2}, {"amd.com/gpu": "2"}),
        ("hopper", {"family": "nvidia-hopper", "count": 4}, {"nvidia.com/gpu": "4"}),
        ("part", {"vendor": "nvidia", "count": 1, "partition": {"profile": "3g.40gb"}}, {"nvidia.com/mig-3g.40gb": "1"}),
        ("hygon", {"stack": "dtk", "count": 8}, {"hygon.com/dcu": "8"}),
        ("pairs", {"class": "huawei-910c-64gb", "count": 4}, {"huawei.com/Ascend910": "4"}),
        ("cambricon", {"vendor": "cambricon", "count": 1}, {"cambricon.com/mlu370": "1"}),
        ("able", {"stack": "cuda", "count": 1, "capability": {"memoryPerDevice": "100Gi", "fp16TFLOPS": "500"}}, {"nvidia.com/gpu": "1"}),
    ],
)
def test_a_job_asks_for_the_resource_of_its_devices(world: World, name: str, accelerator: dict[str, Any], want: dict[str, str]) -> None:
    assert run(world, name, accelerator) == want


def test_a_gang_stays_inside_one_super_pod(world: World) -> None:
    accelerator = {"class": "huawei-910c-64gb", "count": 16}
    asked = run(world, "super", accelerator, replicas=2, placement={"interconnect": "SameDomain"})
    assert asked == {"huawei.com/Ascend910": "16"}


def test_a_gang_that_must_share_a_fabric_is_not_spread_where_there_is_none(world: World) -> None:
    body = job("apart", "sleep 2", replicas=2, placement={"interconnect": "SameDomain"})
    body["spec"]["alternatives"] = [{"accelerator": {"class": "huawei-910b3-64gb", "count": 8}}]
    world.submit(body)
    world.waits_because("apart", "InterconnectMissing")


def test_an_accelerator_class_tells_a_chip_without_a_restart(world: World) -> None:
    spec = {"vendor": "habana", "family": "habana-gaudi2", "stack": "synapseai", "origin": "US", "memory": "96Gi"}
    body = {
        "apiVersion": "sampan.dev/v1alpha1",
        "kind": "AcceleratorClass",
        "metadata": {"name": "habana-gaudi2-oam-96gb"},
        "spec": {**spec, "resourceNames": ["habana.ai/gaudi"]},
    }
    world.fed.hub.apply(body)
    wait_for(lambda: _class_of(world, "habana.ai/gaudi") == "habana-gaudi2-oam-96gb", "the class is told")
    assert run(world, "gaudi", {"family": "habana-gaudi2", "count": 8}) == {"habana.ai/gaudi": "8"}


def test_a_cordoned_node_leaves_its_pool_and_is_counted(world: World) -> None:
    member = world.fed.members["east"]
    member.kubectl("cordon", "mi300x-1")
    try:
        wait_for(lambda: any(e["cause"] == "Cordoned" for e in _left_out(world)), "the cordon is counted")
        assert _class_of(world, "amd.com/gpu") is None
    finally:
        member.kubectl("uncordon", "mi300x-1")
    wait_for(lambda: _class_of(world, "amd.com/gpu") == "amd-mi300x-oam-192gb", "the node is back")


def _class_of(world: World, resource: str) -> str | None:
    return next((pool.get("acceleratorClass") for pool in pools(world) if pool["resourceName"] == resource), None)


def _left_out(world: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.offer("prov-east", "east").get("status", {}).get("excludedNodes", [])
    return found


SIDES = {"prov-east": "east", "prov-west": "west"}
MORE = [("prov-east", f"east-{number:02}") for number in range(24)] + [("prov-west", f"west-{number:02}") for number in range(24)]
"""With the two that are there: fifty offers."""


@pytest.fixture(scope="module")
def fifty(world: World) -> World:
    """Fifty offers of the two members, all of which take jobs."""
    for namespace, side in SIDES.items():
        spec = world.offer(namespace, side)["spec"]
        metadata = [{"name": name, "namespace": at} for at, name in MORE if at == namespace]
        world.fed.hub.apply(
            *({"apiVersion": "sampan.dev/v1alpha1", "kind": "ClusterOffer", "metadata": each, "spec": spec} for each in metadata)
        )
    wait_for(lambda: len(_shown(world)) == 50 and all(_shown(world).values()), "fifty offers show pools")
    return world


def test_what_changes_on_a_member_shows_in_fifty_offers(fifty: World) -> None:
    member, resource = fifty.fed.members["east"], "metax-tech.com/gpu"
    capacity = {"cpu": "64", "memory": "512Gi", "pods": "110", resource: "8"}
    labels = {
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/os": "linux",
        "metax-tech.com/gpu.product": "MXC550",
        "metax-tech.com/gpu.memory": "64GB",
    }
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "late-1", "labels": labels}}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "foreign", "namespace": "default"},
        "spec": {
            "nodeName": "late-1",
            "containers": [{"name": "main", "image": "registry.example/foreign:1", "resources": {"limits": {resource: "3"}}}],
        },
    }
    member.kubectl("create", "-f", "-", input=json.dumps({**node, "status": {"capacity": capacity, "allocatable": capacity}}))
    assert wait_for(lambda: _east(fifty, resource, "free") == {8}, "the new node shows")
    member.apply(pod)
    assert wait_for(lambda: _east(fifty, resource, "free") == {5}, "the foreign pod shows")
    member.kubectl("cordon", "late-1")
    assert wait_for(lambda: _east(fifty, resource, "free") <= {None, 0}, "the cordon shows")
    member.kubectl("delete", "node", "late-1")


def _shown(world: World) -> dict[str, list[Pool]]:
    """The pools of every offer, by name."""
    offers = world.fed.hub.items("clusteroffers.sampan.dev", "--all-namespaces")
    return {offer["metadata"]["name"]: offer.get("status", {}).get("pools", []) for offer in offers}


def _east(world: World, resource: str, key: str) -> set[Any]:
    """What the eastern offers say of that resource; None of one that does not show it."""
    shown = [
        next((pool for pool in found if pool["resourceName"] == resource), {}) for name, found in _shown(world).items() if "east" in name
    ]
    return {pool.get(key) for pool in shown}
