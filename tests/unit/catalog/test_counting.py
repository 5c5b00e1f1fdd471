"""Every card once: stale whole counts beside partitions, several views of one set of cards, and the cards behind shares."""

import pytest

from builders import accelerator_class, node
from sampan.catalog import Detection, load
from sampan.model.members.accelerator import Sharing
from sampan.model.members.device import DeviceGroup

GPU, COUNT = "nvidia.com/gpu", "nvidia.com/gpu.count"
A100, A30, H200 = ({"nvidia.com/gpu.product": name} for name in ("NVIDIA-A100-80GB-PCIe", "NVIDIA-A30", "NVIDIA-H200"))


def groups(resources: dict[str, int], labels: dict[str, str]) -> dict[str, DeviceGroup]:
    return {group.resource: group for group in load().resolve(node(resources=resources, labels=labels))}


def mig(**slices: int) -> dict[str, int]:
    return {f"nvidia.com/mig-{name[1:].replace('_', '.')}": amount for name, amount in slices.items()}


@pytest.mark.parametrize(
    ("labels", "whole", "slices", "want"),
    [
        ({**A100, COUNT: "2"}, 2, mig(_1g_10gb=6, _2g_20gb=4), 0),  # 14 slices are two cards
        ({**A100, COUNT: "2"}, 1, mig(_1g_10gb=7), 1),  # one of two is cut
        ({**A100, COUNT: "2"}, 2, mig(_1g_10gb=1), 0),  # one slice needs a card as well
        ({**A100, COUNT: "2"}, 1, mig(_1g_10gb=8), 0),
        ({**A100, COUNT: "2"}, 1, mig(_3g_40gb=2), 1),
        ({**A100, COUNT: "2"}, 1, mig(_3g_40gb=3), 0),  # by memory: three halves
        ({**A100, COUNT: "2"}, 1, mig(_3g_40gb=2, _1g_10gb=1), 0),  # nine eighths
        ({**A100, COUNT: "2"}, 1, mig(_1g_20gb=4), 1),
        ({**A100, COUNT: "2"}, 1, mig(_1g_20gb=5), 0),
        ({**A100, COUNT: "8"}, 8, mig(_7g_80gb=1), 0),
        ({**A100, COUNT: "8"}, 7, mig(_7g_80gb=1), 7),
        ({**A30, COUNT: "2"}, 1, mig(_1g_6gb=4), 1),
        ({**A30, COUNT: "2"}, 1, mig(_1g_6gb=5), 0),  # an A30 has four
        ({**H200, COUNT: "2"}, 1, mig(_3g_71gb=2), 1),
        ({**H200, COUNT: "2"}, 1, mig(_1g_18gb=7), 1),
        ({COUNT: "2"}, 2, mig(_1g_10gb=14), 0),  # of no known class: by compute alone
        ({"karpenter.k8s.aws/instance-gpu-count": "2"}, 2, mig(_1g_10gb=14), 0),
        (A100, 2, mig(_1g_10gb=14), 2),  # how many cards there are is not told
        ({**A100, COUNT: "2"}, 2, {}, 2),
        ({**A100, COUNT: "1"}, 2, mig(_1g_10gb=7), 0),  # more than there are: no time slices either
        ({**A100, COUNT: "2", "nvidia.com/gpu.replicas": "4"}, 4, mig(_1g_10gb=7), 4),  # slices of the other card
        ({**A100, COUNT: "2", "nvidia.com/gpu.replicas": "4"}, 8, mig(_1g_10gb=7), 0),
    ],
)
def test_a_whole_count_that_contradicts_its_partitions_is_none(
    labels: dict[str, str], whole: int, slices: dict[str, int], want: int
) -> None:
    member = node(resources={GPU: whole, **slices}, labels=labels)
    found = load().examine(member)
    counted = {group.resource: group for group in found.groups}
    assert counted[GPU].devices == want
    assert all(counted[name].devices == amount for name, amount in slices.items())
    told = [(one.resource, one.amount) for one in found.ignored if one.why == "Contradictory"]
    assert told == ([] if want else [(GPU, whole)])
    assert want or counted[GPU].evidence[0].startswith("contradictory: ")


def test_halves_and_quarters_of_other_makers_are_judged_too() -> None:
    labels = {"enflame.com/gcu.count": "1"}
    found = groups({"enflame.com/gcu": 1, "enflame.com/drs-gcu": 6}, labels)
    assert [(group.resource, group.devices) for group in found.values()] == [("enflame.com/gcu", 1)]


@pytest.mark.parametrize(
    ("resources", "labels", "want"),
    [
        ({"enflame.com/drs-gcu": 6, "enflame.com/shared-gcu": 6}, {"enflame.com/gcu.count": "1"}, ("enflame.com/shared-gcu", 6, 1)),
        ({"enflame.com/drs-gcu": 6, "enflame.com/shared-gcu": 6, "enflame.com/gcu-count": 1}, {}, ("enflame.com/shared-gcu", 6, 1)),
        ({"enflame.com/drs-gcu": 6, "enflame.com/shared-gcu": 6}, {"enflame.com/gcu-count": "1"}, ("enflame.com/shared-gcu", 6, 1)),
        ({"enflame.com/drs-gcu": 6, "enflame.com/shared-gcu": 6}, {}, ("enflame.com/shared-gcu", 6, None)),
        ({"enflame.com/gcu": 8, "enflame-tech.com/gcu": 8}, {}, ("enflame.com/gcu", 8, 8)),
        ({GPU: 2, "nvidia.com/gpu.shared": 20}, {}, (GPU, 2, 2)),
        ({GPU: 2, "nvidia.com/gpu.shared": 20}, {"nvidia.com/gpu.replicas": "10"}, ("nvidia.com/gpu.shared", 20, 2)),
        ({GPU: 2, "nvidia.com/gpu.shared": 20}, {"nvidia.com/gpu.sharing-strategy": "mps"}, ("nvidia.com/gpu.shared", 20, None)),
        ({"nvidia.com/mig-1g.10gb": 7, "nvidia.com/mig-1g.10gb.shared": 28}, {}, ("nvidia.com/mig-1g.10gb.shared", 28, None)),
        ({"hygon.com/hcu": 8, "hygon.com/dcu": 8}, {}, ("hygon.com/hcu", 8, 8)),
        ({"hygon.com/K100_AI": 8, "hygon.com/K100_AI_64G_120CU": 8}, {}, ("hygon.com/K100_AI", 8, 8)),
        ({"hygon.com/hcunum": 80, "hygon.com/dcunum": 80}, {}, ("hygon.com/dcunum", 80, None)),
        ({"cambricon.com/mlu": 8, "cambricon.com/mlu370": 8}, {}, ("cambricon.com/mlu", 8, 8)),
        ({"cambricon.com/mlu": 8, "cambricon.com/mlu.share": 32}, {}, ("cambricon.com/mlu", 8, 8)),
        ({"iluvatar.com/gpu": 8, "iluvatar.ai/gpu": 8}, {}, ("iluvatar.com/gpu", 8, None)),
        ({"baidu.com/xpu": 8, "kunlunxin.com/xpu": 8}, {}, ("baidu.com/xpu", 8, 8)),
        ({"metax-tech.com/gpu": 8, "metax-tech.com/sgpu": 128}, {}, ("metax-tech.com/gpu", 8, 8)),
        ({"mthreads.com/gpu": 8, "mthreads.com/vgpu": 80}, {}, ("mthreads.com/gpu", 8, 8)),
        ({"huawei.com/Ascend910": 8, "huawei.com/npu": 8}, {}, ("huawei.com/Ascend910", 8, 8)),
        ({"amd.com/gpu": 8, "amd.com/spx_nps1": 8}, {}, ("amd.com/gpu", 8, 8)),
        (
            {"aws.amazon.com/neuron": 16, "aws.amazon.com/neuroncore": 32, "aws.amazon.com/neurondevice": 16},
            {},
            ("aws.amazon.com/neuron", 16, 16),
        ),
    ],
)
def test_two_views_of_the_same_cards_are_one_set(
    resources: dict[str, int], labels: dict[str, str], want: tuple[str, int, int | None]
) -> None:
    found = load().examine(node(resources=resources, labels=labels))
    assert [(group.resource, group.devices, group.physical) for group in found.groups] == [want]
    left = sorted(name for name in resources if name != want[0] and "count" not in name)
    assert sorted(one.resource for one in found.ignored if one.why == "SecondPublisher") == left


@pytest.mark.parametrize(
    "resources",
    [
        mig(_1g_10gb=7, _2g_20gb=3),
        {"amd.com/spx_nps1": 4, "amd.com/cpx_nps1": 32},
        {"cambricon.com/mlu370": 4, "cambricon.com/mlu590": 4},
        {"hygon.com/K100": 4, "hygon.com/K100_AI": 4},
        {"gpu.intel.com/i915": 1, "gpu.intel.com/xe": 1},
    ],
)
def test_different_devices_of_one_publisher_all_count(resources: dict[str, int]) -> None:
    assert {name: group.devices for name, group in groups(resources, {}).items()} == resources


@pytest.mark.parametrize(
    ("resources", "labels", "want"),
    [
        ({GPU: 32}, {**A100, "nvidia.com/gpu.replicas": "4", COUNT: "8"}, 8),
        ({GPU: 32}, {**A100, "nvidia.com/gpu.replicas": "4"}, 8),
        ({GPU: 32}, {**A100, "nvidia.com/gpu.replicas": "5"}, None),
        ({"nvidia.com/gpu.shared": 20}, {**A100, COUNT: "2"}, 2),
        ({GPU: 28}, {"nvidia.com/gpu.product": "NVIDIA-A100-80GB-PCIe-MIG-1g.10gb-SHARED", "nvidia.com/gpu.replicas": "2"}, None),
        (mig(_1g_10gb=14), {**A100, COUNT: "2"}, 2),
        (mig(_1g_10gb=7), {**A100, COUNT: "2"}, None),  # on one or on both
        (mig(_1g_10gb=14), A100, None),
        ({GPU: 8}, {"nvidia.com/vgpu.present": "true"}, None),
        ({"volcano.sh/vgpu-number": 20}, A100, None),
        ({"gpu.intel.com/i915": 20}, {"gpu.intel.com/device.count": "2"}, 2),
        ({"amd.com/gpu": 64}, {"amd.com/gpu.product-name": "AMD_Instinct_MI300X_OAM", "amd.com/compute-memory-partition": "cpx_nps1"}, 8),
        ({"amd.com/dpx_nps2": 16}, {}, 8),
        ({"amd.com/cpx_nps1": 64}, {}, None),
        ({"acme.example/npu": 4}, {}, None),
        ({"habana.ai/gaudi": 8}, {}, 8),
        ({"gpu.intel.com/i915": 2}, {}, None),  # perhaps replicas of one
        ({"gpu.intel.com/i915": 2}, {"gpu.intel.com/device.count": "2"}, 2),
    ],
)
def test_cards_and_shares_are_told_apart(resources: dict[str, int], labels: dict[str, str], want: int | None) -> None:
    ((resource, amount),) = resources.items()
    group = groups(resources, labels)[resource]
    assert (group.devices, group.physical) == (amount, want)


def test_cards_that_a_sharing_layer_lists_are_its_cards() -> None:
    register = '[{"id":"GPU-a","count":10,"devmem":15360,"health":true},{"id":"GPU-b","count":10,"devmem":15360,"health":true}]'
    (group,) = load().resolve(node(resources={GPU: 20}, annotations={"hami.io/node-nvidia-register": register}))
    assert (group.sharing, group.devices, group.physical) == (Sharing.VIRTUAL, 2, 2)


def test_a_class_of_the_platform_team_revives_no_contradictory_count() -> None:
    wider = load().with_classes([(accelerator_class("nvidia-own"), Detection(resources=(GPU,)))])
    found = {g.resource: g for g in wider.resolve(node(resources={GPU: 2, **mig(_1g_10gb=14)}, labels={**A100, COUNT: "2"}))}
    assert (found[GPU].accelerator_class, found[GPU].devices) == ("nvidia-own", 0)
