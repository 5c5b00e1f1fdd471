"""What inspect sees: free room by the operator's count, null where it cannot be told, and the pools that follow."""

import msgspec
import pytest

from sampan.catalog import load
from sampan.cli.lib.inspect_view import inspected_cluster, pools, rows, unused
from sampan.kube.objects import workloads as kube
from sampan.kube.objects.meta import ObjectMeta
from sampan.model.members.device import DeviceSlice, DraDevice

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
    seen = inspected_cluster([node(labels=H100, amounts={"nvidia.com/gpu": "8", "nvidia.com/gpumem": "9"})], [pod(3)], [], catalog=load())
    (row,) = rows(seen, load())
    assert row == {
        "node": "n1",
        "vendor": "nvidia",
        "family": "nvidia-hopper",
        "acceleratorClass": "nvidia-h100-sxm-80gb",
        "devices": 8,
        "cards": 8,
        "free": 5,
        "schedulable": 5,
        "memoryPerDevice": "80Gi",
        "sharing": "Whole",
        "evidence": ["label nvidia.com/gpu.product=NVIDIA-H100-80GB-HBM3", "label nvidia.com/gpu.memory=81559"],
        "ignored": ["nvidia.com/gpumem (9): Companion"],
    }
    assert [(pool.name, pool.devices, pool.free) for pool in pools(seen, load())] == [("h100-sxm-80gb-x8", 8, 5)]


@pytest.mark.parametrize(
    ("amounts", "want"),
    [
        ({"pods": "2"}, "no pod slot is free: 2 of 2 are taken"),
        ({"pods": "1"}, "no pod slot is free: 2 of 1 are taken"),
        ({"cpu": "4"}, "no cpu is free"),
        ({"memory": "8Gi"}, "no memory is free"),
        ({"ephemeral-storage": "1Gi"}, "no ephemeral-storage is free"),
    ],
)
def test_free_devices_of_a_full_node_are_not_schedulable(amounts: dict[str, str], want: str) -> None:
    asks = {"cpu": "2", "memory": "4Gi", "ephemeral-storage": "512Mi"}
    container = kube.Container(resources=kube.Resources(requests=asks))
    holders = [
        msgspec.structs.replace(pod(0), metadata=ObjectMeta(name=name, uid=name), spec=kube.PodSpec(node_name="n1", containers=[container]))
        for name in ("a", "b")
    ]
    seen = inspected_cluster([node(labels=H100, amounts={"nvidia.com/gpu": "4", **amounts})], holders, [], catalog=load())
    (row,) = rows(seen, load())
    assert (row["devices"], row["free"], row["schedulable"], row["evidence"][0]) == (4, 4, 0, want)
    (pool,) = pools(seen, load())
    assert (pool.free, pool.schedulable, pool.largest_gang) == (4, 0, None)


def test_a_node_with_room_left_can_be_given_its_free_devices() -> None:
    seen = inspected_cluster([node(labels=H100, amounts={"nvidia.com/gpu": "4", "pods": "2"})], [pod(1)], [], catalog=load())
    (row,) = rows(seen, load())
    assert (row["devices"], row["free"], row["schedulable"]) == (4, 3, 3)
    slices = inspected_cluster([node(labels=H100, amounts={"nvidia.com/mig-1g.10gb": "7", "pods": "3"})], [pod(0)], [], catalog=load())
    assert [(row["free"], row["schedulable"]) for row in rows(slices, load())] == [(7, 2)]  # one a pod, and two pods more


def test_without_pods_nobody_can_tell_what_is_free() -> None:
    (row,) = rows(inspected_cluster([node(labels=H100, amounts={"nvidia.com/gpu": "8"})], [], [], catalog=load()), load())
    assert (row["devices"], row["free"]) == (8, None)


def test_unknown_devices_have_null_facts() -> None:
    (row,) = rows(inspected_cluster([node(amounts={"acme.example/npu": "4"})], [pod(0)], [], catalog=load()), load())
    assert [row[key] for key in ("vendor", "family", "acceleratorClass", "memoryPerDevice")] == [None] * 4
    assert (row["devices"], row["free"]) == (4, 4)


def test_a_node_that_takes_nothing_has_nothing_free() -> None:
    seen = inspected_cluster([node(labels=H100, amounts={"nvidia.com/gpu": "8"}, ready="False")], [pod(0)], [], catalog=load())
    (row,) = rows(seen, load())
    assert (row["free"], row["evidence"][0]) == (0, "node is not ready")
    assert [(each.cause, each.nodes) for each in unused(seen, load())] == [("NotReady", 1)]


def test_cards_in_shares_are_free_where_no_pod_holds_a_part() -> None:
    member = node(
        amounts={"nvidia.com/gpu": "20"},
        annotations={"hami.io/node-nvidia-register": REGISTER},
    )
    holder = pod(1, annotations={"hami.io/vgpu-devices-allocated": "GPU-a,NVIDIA,3000,30:;"})
    (row,) = rows(inspected_cluster([member], [holder], [], catalog=load()), load())
    assert (row["devices"], row["free"], row["sharing"], row["acceleratorClass"]) == (2, 1, "Virtual", None)


def test_claims_leave_free_untold() -> None:
    device = DraDevice(name="a", attributes={"type": "gpu", "productName": "NVIDIA L4"}, capacity={"memory": 23034 * 2**20})
    part = DeviceSlice(name="s", driver="gpu.nvidia.com", pool="n1", node="n1", devices=(device,))
    (row,) = rows(inspected_cluster([node()], [pod(0)], [part], catalog=load()), load())
    assert (row["acceleratorClass"], row["devices"], row["free"]) == ("nvidia-l4-24gb", 1, None)


def test_what_counts_no_devices_alone_tells_that_there_are_some() -> None:
    (row,) = rows(inspected_cluster([node(amounts={"nvidia.com/gpumem": "9"})], [pod(0)], [], catalog=load()), load())
    assert (row["devices"], row["vendor"], row["ignored"]) == (0, "nvidia", ["nvidia.com/gpumem (9): Companion"])


@pytest.mark.parametrize("text", ["lots", "-1", "9" * 20, "500m", ""])
def test_an_amount_that_is_no_number_hides_no_device(text: str) -> None:
    seen = inspected_cluster([node(labels=H100, amounts={"nvidia.com/gpu": text, "amd.com/gpu": "4"})], [pod(0)], [], catalog=load())
    amd, nvidia = rows(seen, load())
    assert (amd["vendor"], amd["devices"]) == ("amd", 4)
    assert (nvidia["acceleratorClass"], nvidia["devices"], nvidia["free"]) == ("nvidia-h100-sxm-80gb", 0, 0)
    assert nvidia["ignored"] == [f"nvidia.com/gpu ({text or 0}): NotBelieved"]
    assert [(each.cause, each.nodes) for each in unused(seen, load())] == [("NotBelieved", 1)]


def test_an_unknown_resource_with_a_nonsense_amount_is_shown() -> None:
    (row,) = rows(inspected_cluster([node(amounts={"acme.example/npu": "lots"})], [pod(0)], [], catalog=load()), load())
    assert (row["devices"], row["evidence"], row["ignored"]) == (
        0,
        ["unknown resource acme.example/npu"],
        ["acme.example/npu (lots): NotBelieved"],
    )


def test_an_amount_that_cannot_be_read_does_not_displace_another_publisher() -> None:
    device = DraDevice(name="a", attributes={"type": "gpu", "productName": "NVIDIA L4"}, capacity={"memory": 23034 * 2**20})
    part = DeviceSlice(name="s", driver="gpu.nvidia.com", pool="n1", node="n1", devices=(device,))
    (row,) = rows(inspected_cluster([node(amounts={"nvidia.com/gpu": "lots"})], [pod(0)], [part], catalog=load()), load())
    assert (row["devices"], row["acceleratorClass"], row["ignored"]) == (1, "nvidia-l4-24gb", ["nvidia.com/gpu (lots): NotBelieved"])


def test_devices_of_which_none_can_be_had_are_told() -> None:
    member = node(labels={**H100, "nvidia.com/gpu.count": "8"}, amounts={"nvidia.com/gpu": "0"})
    seen = inspected_cluster([member], [pod(0)], [], catalog=load())
    (row,) = rows(seen, load())
    assert (row["acceleratorClass"], row["devices"], row["free"], row["ignored"]) == ("nvidia-h100-sxm-80gb", 0, 0, [])
    assert row["evidence"][0] == "0 of 8 devices: no nvidia.com/gpu is published: driver or device plugin do not run"
    assert pools(seen, load()) == ()
    assert [(each.cause, each.nodes, each.devices) for each in unused(seen, load())] == [("NotAllocatable", 1, 8)]


def test_a_part_of_a_device_is_none() -> None:
    (row,) = rows(inspected_cluster([node(labels=H100, amounts={"nvidia.com/gpu": "1500m"})], [pod(0)], [], catalog=load()), load())
    assert (row["devices"], row["free"], row["evidence"][0]) == (1, 1, "amount 1500m: only whole devices count")


@pytest.mark.parametrize(
    ("labels", "amounts", "want"),
    [
        ({**H100, "nvidia.com/gpu.replicas": "4"}, {"nvidia.com/gpu": "32"}, ("TimeSliced", None)),
        (H100, {"nvidia.com/gpu.shared": "32"}, ("TimeSliced", None)),
        (H100, {"volcano.sh/vgpu-number": "20"}, ("Virtual", None)),
        ({**H100, "nvidia.com/vgpu.present": "true"}, {"nvidia.com/gpu": "1"}, ("Virtual", None)),
        (H100, {"nvidia.com/mig-1g.10gb": "7"}, ("Partition", "10Gi")),
        (H100, {"nvidia.com/gpu": "8"}, ("Whole", "80Gi")),
    ],
)
def test_memory_is_what_a_device_has_for_itself(labels: dict[str, str], amounts: dict[str, str], want: tuple[str, str | None]) -> None:
    (row,) = rows(inspected_cluster([node(labels=labels, amounts=amounts)], [pod(0)], [], catalog=load()), load())
    assert (row["sharing"], row["memoryPerDevice"]) == want
    assert row["acceleratorClass"] == "nvidia-h100-sxm-80gb"
    assert (f"resource {next(iter(amounts))}" in row["evidence"]) == (row["sharing"] != "Whole")


def test_labels_that_hold_no_number_are_told() -> None:
    labels = {**H100, "nvidia.com/gpu.memory": "lots", "nvidia.com/gpu.replicas": "many", "nvidia.com/gpu.count": "-4"}
    (row,) = rows(inspected_cluster([node(labels=labels, amounts={"nvidia.com/gpu": "8"})], [pod(0)], [], catalog=load()), load())
    for key, text in (("memory", "lots"), ("replicas", "many"), ("count", "-4")):
        assert f"label nvidia.com/gpu.{key}={text} not used: no number" in row["evidence"]


def test_a_taint_that_no_job_may_tolerate_leaves_nothing_free() -> None:
    member = node(labels=H100, amounts={"nvidia.com/gpu": "8"})
    taints = [kube.Taint(key="team", value="x", effect="NoSchedule"), kube.Taint(key="nvidia.com/gpu", effect="NoSchedule")]
    tainted = msgspec.structs.replace(member, spec=kube.NodeSpec(taints=taints))
    (row,) = rows(inspected_cluster([tainted], [pod(0)], [], catalog=load()), load())
    told = "a ClusterOffer tolerates it by spec.launch.tolerations: [{key: team, value: x, effect: NoSchedule}]"
    assert (row["free"], row["evidence"][0]) == (0, f"taint team=x:NoSchedule keeps jobs away; {told}")
    assert not any("taint nvidia.com/gpu" in each for each in row["evidence"])


def test_unhealthy_devices_are_told() -> None:
    sick = DraDevice(name="b", attributes={"type": "gpu", "productName": "NVIDIA L4"}, capacity={"memory": 23034 * 2**20}, tainted=True)
    part = DeviceSlice(name="s", driver="gpu.nvidia.com", pool="n1", node="n1", devices=(sick,))
    (row,) = rows(inspected_cluster([node()], [pod(0)], [part], catalog=load()), load())
    assert (row["devices"], row["ignored"]) == (0, ["claim:gpu.nvidia.com/nvidia-l4-24gb (1): Unhealthy"])


def test_pods_without_a_uid_hold_what_they_ask_for() -> None:
    nameless = [msgspec.structs.replace(pod(2), metadata=ObjectMeta(name=name, namespace="d")) for name in ("a", "b")]
    (row,) = rows(inspected_cluster([node(labels=H100, amounts={"nvidia.com/gpu": "8"})], nameless, [], catalog=load()), load())
    assert row["free"] == 4


def test_a_pod_that_holds_devices_by_their_other_name_holds_them() -> None:
    member = node(labels={}, amounts={"aws.amazon.com/neuron": "16", "aws.amazon.com/neuroncore": "32"})
    holder = kube.Container(resources=kube.Resources(requests={"aws.amazon.com/neuroncore": "4"}))
    asking = msgspec.structs.replace(pod(0), spec=kube.PodSpec(node_name="n1", containers=[holder]))
    (row,) = rows(inspected_cluster([member], [asking], [], catalog=load()), load())
    assert (row["devices"], row["free"]) == (16, 12)
