"""Nodes with devices of which none can be had: what says that they are there, and what does not."""

from dataclasses import replace

import pytest

from builders import cluster, node, offer
from sampan.catalog import load
from sampan.inventory.pools.grouping import pools_of
from sampan.inventory.pools.summary import excluded_nodes
from sampan.model.members.device import DeviceGroup, DeviceSlice, DraDevice

INSTANCE_TYPE = "node.kubernetes.io/instance-type"
MACHINES = {
    "nvidia": (
        "p5.48xlarge g5g.xlarge a2-highgpu-8g Standard_ND96asr_v4 ecs.gn7i-c8g1.2xlarge BM.GPU.H100.8 VM.GPU.A10.1 "
        "VM.GPU3.1 GN10Xp.2XLARGE40 PNV4.28XLARGE252 gpu-h100x1-80gb g2-gpu-rtx4000a1-m gx3-16x80x1l4 H100-1-80G"
    ),
    "amd": "Standard_ND96isr_MI300X_v5 g4ad.xlarge BM.GPU.MI300X.8 gpu-mi300x8-1536gb gx3d-208x1792x8mi300x",
    "habana": "gx3d-160x1792x8gaudi3 dl1.24xlarge",
    "aws": "trn1.32xlarge",
    "google": "ct5lp-hightpu-4t",
}
WITHOUT_DEVICES = (
    "m5.large c6g.16xlarge Standard_D8s_v5 Standard_NP10s n2-standard-8 c2-standard-8 ecs.g7.large "
    "VM.Standard.E4.Flex BM.Standard3.64 SA5.2XLARGE32 bx2-4x16 DEV1-L s-4vcpu-8gb g6-standard-2 g1-small"
)
PCI = "feature.node.kubernetes.io/pci-{}.present"


def only(labels: dict[str, str] | None = None, capacity: dict[str, int] | None = None, **others: object) -> DeviceGroup:
    (group,) = load().resolve(node(labels=labels, capacity=capacity, **others))  # type: ignore[arg-type]
    return group


@pytest.mark.parametrize(
    ("key", "value", "want"),
    [
        ("nvidia.com/gpu.present", "true", "nvidia"),
        ("nvidia.com/gpu.count", "8", "nvidia"),
        ("nvidia.com/gpu.product", "NVIDIA-X9000", "nvidia"),
        ("nvidia.com/mig.capable", "true", "nvidia"),
        ("cloud.google.com/gke-accelerator", "nvidia-l4", "nvidia"),
        ("k8s.amazonaws.com/accelerator", "nvidia-tesla-v100", "nvidia"),
        ("kubernetes.azure.com/accelerator", "nvidia", "nvidia"),
        ("accelerator", "nvidia", "nvidia"),
        ("karpenter.k8s.aws/instance-gpu-manufacturer", "nvidia", "nvidia"),
        ("aliyun.accelerator/nvidia_name", "NVIDIA-L20", "nvidia"),
        ("gpu.nvidia.com/class", "H100_NVLINK_80GB", "nvidia"),
        ("node.koordinator.sh/gpu-vendor", "nvidia", "nvidia"),
        ("skypilot.co/accelerator", "h100", "nvidia"),
        *((INSTANCE_TYPE, machine, vendor) for vendor, machines in MACHINES.items() for machine in machines.split()),
        (PCI.format("10de"), "true", "nvidia"),
        (PCI.format("0302_10de"), "true", "nvidia"),
        (PCI.format("10de_2330"), "true", "nvidia"),
        (PCI.format("0302_10de_2330_10de_16c1"), "true", "nvidia"),
        (PCI.format("1200_1002"), "true", "amd"),
        (PCI.format("0380_1002"), "true", "amd"),
        (PCI.format("1200_1002_74a1"), "true", "amd"),
        ("feature.node.kubernetes.io/amd-gpu", "true", "amd"),
        ("feature.node.kubernetes.io/amd-vgpu", "true", "amd"),
        ("amd.com/gpu.device-id", "74a1", "amd"),
        ("beta.amd.com/gpu.device-id.74b5", "8", "amd"),
        ("amd.com/gpu.vram", "192G", "amd"),
        (PCI.format("0380_8086"), "true", "intel"),
        ("intel.feature.node.kubernetes.io/gpu", "true", "intel"),
        ("gpu.intel.com/device-id.0380-56c0.present", "true", "intel"),
        ("gpu.intel.com/device.count", "2", "intel"),
        (PCI.format("1da3"), "true", "habana"),
        (PCI.format("1200_1da3_1020"), "true", "habana"),
        ("karpenter.k8s.aws/instance-gpu-manufacturer", "habana", "habana"),
        ("node.kubernetes.io/npu.chip.name", "910B3", "huawei"),
        ("accelerator/huawei-npu", "ascend-snt9c", "huawei"),
        ("accelerator-type", "module-910b-8", "huawei"),
        ("accelerator", "huawei-Ascend910", "huawei"),
        ("servertype", "Ascend910-20", "huawei"),
        (PCI.format("1200_19e5"), "true", "huawei"),
        ("hygon.com/hcu", "true", "hygon"),
        ("hygon.com/dcu.name", "K100_AI", "hygon"),
        (PCI.format("0380_1d94"), "true", "hygon"),
        ("Model", "MLU370-X8", "cambricon"),
        (PCI.format("cabc"), "true", "cambricon"),
        ("metax-tech.com/gpu.product", "MXC500", "metax"),
        ("metax-tech.com/gpu.installed", "true", "metax"),
        ("mthreads.com/gpu.present", "true", "mthreads"),
        ("mthreads.com/gpu-node", "true", "mthreads"),
        ("iluvatar.ai/gpu", "present", "iluvatar"),
        ("iluvatar.com/gpu.present", "true", "iluvatar"),
        ("enflame.com/gcu.present", "true", "enflame"),
        ("enflame.com/gcu.count", "8", "enflame"),
        ("birentech.com", "gpu", "biren"),
        (PCI.format("1200_1d22"), "true", "kunlunxin"),
        ("alibabacloud.com/gpu-model-series", "PPU810E", "thead"),
        ("karpenter.k8s.aws/instance-accelerator-count", "16", "aws"),
        ("cloud.google.com/gke-tpu-accelerator", "tpu-v5-lite-podslice", "google"),
    ],
)
def test_a_label_that_says_so_makes_no_cpu_node(key: str, value: str, want: str) -> None:
    group = only({key: value})
    assert (group.vendor, group.devices) == (want, 0)
    assert any(f"{key}={value}" in told for told in group.evidence)
    member = cluster(node(labels={key: value}))
    assert pools_of(offer(), member, load(), home_origins=frozenset(), trust_overrides=True) == ()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("nvidia.com/gpu.present", "false"),
        ("nvidia.com/gpu.count", "0"),
        ("nvidia.com/gpu.product", "none"),
        ("nvidia.com/gpu.product", ""),
        ("nvidia.com/mig.capable", "false"),
        ("nvidia.com/gpu.deploy.driver", "true"),
        ("nvidia.com/gfd.timestamp", "1700000000"),
        ("accelerator", "none"),
        ("accelerator", "fpga"),
        ("gpu", "off"),
        ("Model", "PowerEdge-R750"),
        ("cloud.google.com/gke-accelerator", ""),
        ("karpenter.k8s.aws/instance-gpu-count", "0"),
        ("kubernetes.azure.com/accelerator", "none"),
        ("skypilot.co/accelerator", ""),
        ("feature.node.kubernetes.io/amd-gpu", "false"),
        ("amd.com/gpu.device-id.74a1", "0"),
        ("intel.feature.node.kubernetes.io/gpu", "false"),
        ("mthreads.com/gpu.count", "0"),
        ("hygon.com/dcu", "false"),
        ("node.koordinator.sh/gpu-vendor", "unknown"),
        *((INSTANCE_TYPE, machine) for machine in WITHOUT_DEVICES.split()),
        ("workerselector", "dls-worker-node"),
        (PCI.format("10de"), "false"),
        (PCI.format("0300_102b"), "true"),  # Matrox
        (PCI.format("0300_1a03"), "true"),  # ASPEED
        (PCI.format("0300_1af4"), "true"),  # virtio
        (PCI.format("0300_1013"), "true"),  # Cirrus
        (PCI.format("0300_1b36"), "true"),  # QXL
        (PCI.format("0300_15ad"), "true"),  # VMware
        (PCI.format("0300_1002"), "true"),  # ATI ES1000, or graphics within a CPU
        (PCI.format("1002"), "true"),
        (PCI.format("0300_8086"), "true"),  # graphics within a CPU
        (PCI.format("8086"), "true"),
        (PCI.format("0300_19e5"), "true"),  # iBMC of Huawei's servers
        (PCI.format("19e5"), "true"),
        (PCI.format("0200_15b3"), "true"),
        (PCI.format("1d94"), "true"),  # Hygon's CPUs are full of its own devices
        (PCI.format("1080_1d94"), "true"),
        (PCI.format("0200_1ded"), "true"),  # Alibaba's network adapters
        (PCI.format("1d0f"), "true"),  # Amazon's
        ("feature.node.kubernetes.io/pci-10de.sriov.capable", "true"),
    ],
)
def test_a_label_that_says_nothing_leaves_a_cpu_node(key: str, value: str) -> None:
    assert load().resolve(node(labels={key: value})) == ()
    member = cluster(node(labels={key: value}))
    assert [pool.name for pool in pools_of(offer(), member, load(), home_origins=frozenset(), trust_overrides=True)] == ["cpu"]


@pytest.mark.parametrize(
    ("resource", "want"),
    [
        ("nvidia.com/gpu", "nvidia"),
        ("nvidia.com/mig-1g.10gb", "nvidia"),
        ("amd.com/gpu", "amd"),
        ("amd.com/cpx_nps1", "amd"),
        ("gpu.intel.com/i915", "intel"),
        ("habana.ai/gaudi", "habana"),
        ("huawei.com/Ascend910", "huawei"),
        ("huawei.com/Ascend310P", "huawei"),
        ("hygon.com/dcu", "hygon"),
        ("cambricon.com/mlu370", "cambricon"),
        ("metax-tech.com/gpu", "metax"),
        ("mthreads.com/vgpu", "mthreads"),
        ("iluvatar.ai/gpu", "iluvatar"),
        ("enflame.com/gcu", "enflame"),
        ("birentech.com/gpu", "biren"),
        ("baidu.com/xpu", "kunlunxin"),
        ("alibabacloud.com/ppu", "thead"),
        ("aws.amazon.com/neuron", "aws"),
        ("google.com/tpu", "google"),
        ("acme.example/npu", "unknown"),
    ],
)
def test_capacity_without_an_allocatable_amount_is_told(resource: str, want: str) -> None:
    group = only(capacity={resource: 8})
    assert (group.vendor, group.resource, group.devices, group.unhealthy) == (want, resource, 0, 8)
    assert "0 of 8 devices" in group.evidence[0] or "0 of 8 devices" in group.missing


@pytest.mark.parametrize("resource", ["rdma/hca", "nvidia.com/gpumem", "enflame.com/gcu-count", "vpc.amazonaws.com/pod-eni"])
def test_capacity_of_what_is_no_device_leaves_a_cpu_node(resource: str) -> None:
    assert load().resolve(node(capacity={resource: 8})) == ()


@pytest.mark.parametrize(
    ("resources", "vendor", "want"),
    [
        ({"aliyun.com/gpu-mem": 120, "aliyun.com/gpu-count": 8}, "nvidia", "8 devices: what is published counts no devices"),
        ({"tke.cloud.tencent.com/qgpu-core": 400}, "nvidia", "an unknown number of devices: what is published counts no devices"),
        ({"cambricon.com/mlu370.smlu.vcore": 800, "cambricon.com/real-mlu-counts": 8}, "cambricon", "0 of 8 devices"),
        ({"mthreads.com/sgpu-core": 128, "mthreads.com/sgpu-memory": 768}, "mthreads", "mthreads.com/sgpu-core, mthreads.com/sgpu-memory"),
        ({"huawei.com/npu-core": 64}, "huawei", "huawei.com/npu-core"),
        ({"enflame.com/gcu-memory": 768}, "enflame", "enflame.com/gcu-memory"),
        ({"nvidia.com/GA102GL_A40": 2}, "nvidia", "0 of 2 devices"),
        ({"nvidia.com/TU104GL_Tesla_T4": 1}, "nvidia", "0 of 1 devices"),
        ({"nvidia.com/GRID_T4-2Q": 8}, "nvidia", "an unknown number of devices"),
        ({"nvidia.com/pgpu": 4}, "nvidia", "0 of 4 devices"),
    ],
)
def test_a_node_that_publishes_only_what_counts_no_devices_is_no_cpu_node(resources: dict[str, int], vendor: str, want: str) -> None:
    (group,) = load().resolve(node(resources=resources))
    assert (group.vendor, group.devices) == (vendor, 0)
    assert want in group.missing
    assert "plugin" not in group.missing


@pytest.mark.parametrize(
    ("labels", "want"),
    [
        ({"enflame.com/gcu.present": "true"}, "enflame.com/gcu"),
        ({"intel.feature.node.kubernetes.io/gpu": "true"}, "gpu.intel.com/i915"),
        ({"node.kubernetes.io/npu.chip.name": "310P3", "mind-cluster/npu-chip-memory": "24G"}, "huawei.com/Ascend310P"),
        ({"node.kubernetes.io/npu.chip.name": "310P3"}, "huawei.com/Ascend310P"),
        ({"node.kubernetes.io/npu.chip.name": "910B3"}, "huawei.com/Ascend910"),
    ],
)
def test_a_missing_resource_is_named_as_jobs_would_ask_for_it(labels: dict[str, str], want: str) -> None:
    assert only(labels).resource == want


@pytest.mark.parametrize(
    ("labels", "want"),
    [
        ({"nvidia.com/mig.config.state": "pending"}, "MIG is being configured anew"),
        ({"nvidia.com/mig.config.state": "rebooting"}, "MIG is being configured anew"),
        ({"nvidia.com/mig.config.state": "failed"}, "the last change of the MIG configuration failed"),
        ({"nvidia.com/gpu.deploy.device-plugin": "paused-for-mig-change"}, "the device plugin is paused"),
        ({"nvidia.com/gpu-driver-upgrade-state": "pod-restart-required"}, "the driver is being upgraded"),
        ({"nvidia.com/gpu-driver-upgrade-state": "upgrade-done"}, "each is unhealthy, or the device plugin has stopped"),
        ({"nvidia.com/gpu.workload.config": "vm-passthrough"}, "the devices are kept for virtual machines"),
        ({}, "each is unhealthy, or the device plugin has stopped"),
    ],
)
def test_the_reason_is_told_where_the_node_tells_it(labels: dict[str, str], want: str) -> None:
    group = only({"nvidia.com/gpu.present": "true", **labels}, {"nvidia.com/gpu": 8})
    assert group.missing.startswith("0 of 8 devices: ")
    assert want in group.missing


def test_a_label_tells_how_many_there_are_and_of_what_class() -> None:
    group = only({"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3", "nvidia.com/gpu.count": "8"})
    assert (group.accelerator_class, group.unhealthy) == ("nvidia-h100-sxm-80gb", 8)
    assert group.missing == "0 of 8 devices: no nvidia.com/gpu is published: driver or device plugin do not run"


def test_an_unknown_number_is_said_to_be_unknown() -> None:
    assert only({"nvidia.com/gpu.present": "true"}).missing.startswith("0 of an unknown number of devices: ")


def test_devices_that_a_driver_publishes_in_part_make_no_cpu_node() -> None:
    device = DraDevice(name="a", attributes={"type": "gpu", "productName": "NVIDIA L4"}, capacity={"memory": 2**34})
    part = DeviceSlice(name="s", driver="gpu.nvidia.com", pool="n1", node="n1", expected_slices=2, devices=(device,))
    (group,) = load().resolve(replace(node(), slices=(part,)))
    assert (group.vendor, group.devices) == ("nvidia", 0)
    assert "Incomplete" in group.missing


def test_other_devices_of_the_node_are_in_their_pool_and_the_missing_are_told() -> None:
    member = cluster(node(resources={"amd.com/gpu": 4}, capacity={"amd.com/gpu": 4, "nvidia.com/gpu": 2}))
    assert [pool.resource for pool in pools_of(offer(), member, load(), home_origins=frozenset(), trust_overrides=True)] == ["amd.com/gpu"]
    (left,) = excluded_nodes(offer(), member, load())
    assert (left.cause, left.vendor, left.nodes, left.devices) == ("NotAllocatable", "nvidia", 1, 2)
    assert "0 of 2 devices" in left.detail


def test_a_label_of_another_maker_beside_counted_devices_changes_nothing() -> None:
    bare = load().resolve(node(resources={"amd.com/gpu": 4}))
    assert load().resolve(node(resources={"amd.com/gpu": 4}, labels={"accelerator": "nvidia-tesla-m6"})) == bare


def test_devices_that_the_kubelet_holds_back_are_unhealthy() -> None:
    group = only(resources={"nvidia.com/gpu": 6}, capacity={"nvidia.com/gpu": 8})
    assert (group.devices, group.unhealthy, group.missing) == (6, 2, "")
    (pool,) = pools_of(
        offer(),
        cluster(node(resources={"nvidia.com/gpu": 6}, capacity={"nvidia.com/gpu": 8})),
        load(),
        home_origins=frozenset(),
        trust_overrides=True,
    )
    assert pool.devices_per_node == 8


def test_cards_that_a_driver_announces_for_virtual_machines_alone_make_no_cpu_node() -> None:
    device = DraDevice(name="gpu-vfio-0", attributes={"type": "vfio", "uuid": "GPU-9"}, capacity={"memory": 2**30})
    announced = DeviceSlice(name="s", driver="gpu.nvidia.com", pool="n1", node="n1", devices=(device,))
    (group,) = load().resolve(replace(node(), slices=(announced,)))
    assert (group.vendor, group.devices) == ("nvidia", 0)
    assert "claim:vfio.gpu.nvidia.com" in group.missing
