"""What inspect sees: free room by the operator's count, null where it cannot be told, and the pools that follow."""

import msgspec

from sampan.catalog import load
from sampan.cli.inspect_view import pools, rows, see, unused
from sampan.kube import workloads as kube
from sampan.model.device import DeviceSlice, DraDevice

H100 = {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3", "nvidia.com/gpu.memory": "81559"}
REGISTER = (
    '[{"id":"GPU-a","count":10,"devmem":15360,"devcore":100,"type":"NVIDIA-Tesla T4","health":true},'
    '{"id":"GPU-b","count":10,"health":true}]'
)


def node(name: str = "n1", *, labels: dict[str, str] | None = None, ready: str = "True", **others: object) -> kube.Node:
    metadata = {"name": name, "labels": labels or {}, "annotations": others.get("annotations", {})}
    amounts = {"cpu": "64", "memory": "1Ti", "pods": "110", **dict(others.get("amounts", {}))}  # type: ignore[call-overload]
    status = {"allocatable": amounts, "conditions": [{"type": "Ready", "status": ready}]}
    return msgspec.convert({"metadata": metadata, "status": status}, kube.Node)


def pod(amount: int, *, annotations: dict[str, str] | None = None) -> kube.Pod:
    spec = {"nodeName": "n1", "containers": [{"resources": {"requests": {"nvidia.com/gpu": str(amount)}}}]}
    return msgspec.convert({"metadata": {"name": "p", "uid": "u", "annotations": annotations or {}}, "spec": spec}, kube.Pod)


def test_a_row_says_what_is_there_and_what_is_free() -> None:
    seen = see([node(labels=H100, amounts={"nvidia.com/gpu": "8", "nvidia.com/gpumem": "9"})], [pod(3)], [], catalog=load())
    (row,) = rows(seen, load())
    assert row == {
        "node": "n1",
        "vendor": "nvidia",
        "family": "nvidia-hopper",
        "acceleratorClass": "nvidia-h100-sxm-80gb",
        "devices": 8,
        "free": 5,
        "memoryPerDevice": "80Gi",
        "sharing": "Whole",
        "evidence": ["label nvidia.com/gpu.product=NVIDIA-H100-80GB-HBM3", "label nvidia.com/gpu.memory=81559"],
        "ignored": ["nvidia.com/gpumem (9): Companion"],
    }
    assert [(pool.name, pool.devices, pool.free) for pool in pools(seen, load())] == [("h100-sxm-80gb-x8", 8, 5)]


def test_without_pods_nobody_can_tell_what_is_free() -> None:
    (row,) = rows(see([node(labels=H100, amounts={"nvidia.com/gpu": "8"})], [], [], catalog=load()), load())
    assert (row["devices"], row["free"]) == (8, None)


def test_unknown_devices_have_null_facts() -> None:
    (row,) = rows(see([node(amounts={"acme.example/npu": "4"})], [pod(0)], [], catalog=load()), load())
    assert [row[key] for key in ("vendor", "family", "acceleratorClass", "memoryPerDevice")] == [None] * 4
    assert (row["devices"], row["free"]) == (4, 4)


def test_a_node_that_takes_nothing_has_nothing_free() -> None:
    seen = see([node(labels=H100, amounts={"nvidia.com/gpu": "8"}, ready="False")], [pod(0)], [], catalog=load())
    (row,) = rows(seen, load())
    assert (row["free"], row["evidence"][0]) == (0, "node is not ready")
    assert [(each.cause, each.nodes) for each in unused(seen, load())] == [("NotReady", 1)]


def test_cards_in_shares_are_free_where_no_pod_holds_a_part() -> None:
    member = node(
        amounts={"nvidia.com/gpu": "20"},
        annotations={"hami.io/node-nvidia-register": REGISTER},
    )
    holder = pod(1, annotations={"hami.io/vgpu-devices-allocated": "GPU-a,NVIDIA,3000,30:;"})
    (row,) = rows(see([member], [holder], [], catalog=load()), load())
    assert (row["devices"], row["free"], row["sharing"], row["acceleratorClass"]) == (2, 1, "Virtual", None)


def test_claims_leave_free_untold() -> None:
    device = DraDevice(name="a", attributes={"type": "gpu", "productName": "NVIDIA L4"}, capacity={"memory": 23034 * 2**20})
    part = DeviceSlice(name="s", driver="gpu.nvidia.com", pool="n1", node="n1", devices=(device,))
    (row,) = rows(see([node()], [pod(0)], [part], catalog=load()), load())
    assert (row["acceleratorClass"], row["devices"], row["free"]) == ("nvidia-l4-24gb", 1, None)


def test_what_is_ignored_alone_is_a_row_too() -> None:
    (row,) = rows(see([node(amounts={"nvidia.com/gpumem": "9"})], [pod(0)], [], catalog=load()), load())
    assert (row["devices"], row["vendor"], row["ignored"]) == (0, None, ["nvidia.com/gpumem (9): Companion"])
