"""What pods say they hold: records as they are seen on pods, and text that is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.catalog.devices.in_use import allocated_cards, allocated_devices, allocated_rings
from sampan.model.members.cluster import CardUse

MIB = 2**20


@pytest.mark.parametrize(
    ("annotations", "want"),
    [
        (
            {"hami.io/vgpu-devices-allocated": "GPU-0fc3,NVIDIA,3000,30:;"},
            (("GPU-0fc3", CardUse(memory=3000 * MIB, cores=30, slots=1)),),
        ),
        (
            {"hami.io/vgpu-devices-allocated": "GPU-b,NVIDIA,100,0:GPU-a,NVIDIA,200,10:;GPU-b,NVIDIA,300,20:;"},
            (("GPU-a", CardUse(memory=200 * MIB, cores=10, slots=1)), ("GPU-b", CardUse(memory=400 * MIB, cores=20, slots=2))),
        ),
        (
            {"hami.io/Ascend910B3-devices-allocated": "uuid-3,Ascend910B3,16384,25:;"},
            (("uuid-3", CardUse(memory=16384 * MIB, cores=25, slots=1)),),
        ),
        (
            {"hami.io/vgpu-devices-allocated": "GPU-936619fc[0-1],NVIDIA,8192,0:;"},
            (("GPU-936619fc", CardUse(memory=8192 * MIB, cores=0, slots=1)),),
        ),
        (
            {"volcano.sh/vgpu-ids-new": "GPU-1d6b,NVIDIA,2048,0:;"},
            (("GPU-1d6b", CardUse(memory=2048 * MIB, cores=0, slots=1)),),
        ),
        ({"hami.io/vgpu-devices-to-allocate": "GPU-0fc3,NVIDIA,3000,30:;"}, ()),
        ({"hami.io/vgpu-devices-allocated": ";;:,,,:GPU,NVIDIA,x,1:GPU,NVIDIA,1e9,1:"}, ()),
        ({"hami.io/vgpu-devices-allocated": "GPU,NVIDIA,99999999999999999999,1:"}, ()),
        ({}, ()),
    ],
)
def test_cards_in_shares(annotations: dict[str, str], want: tuple[tuple[str, CardUse], ...]) -> None:
    assert allocated_cards(annotations) == want


@pytest.mark.parametrize(
    ("annotations", "want"),
    [
        ({"huawei.com/AscendReal": "Ascend910-10,Ascend910-2"}, ("Ascend910-2", "Ascend910-10")),
        ({"huawei.com/kltDev": "Ascend910-1", "huawei.com/AscendReal": "Ascend910-7"}, ("Ascend910-7",)),
        ({"huawei.com/kltDev": "Ascend310P-3"}, ("Ascend310P-3",)),
        ({"huawei.com/Ascend910": "Ascend910-0,Ascend910-1"}, ("Ascend910-0", "Ascend910-1")),
        ({"huawei.com/AscendReal": "", "huawei.com/kltDev": "nonsense"}, ()),
        ({"huawei.com/AscendReal": "Ascend910-" + "9" * 5000}, ()),
        ({}, ()),
    ],
)
def test_ascend_devices(annotations: dict[str, str], want: tuple[str, ...]) -> None:
    assert allocated_devices(annotations) == want


@pytest.mark.parametrize(
    ("devices", "rings", "want"),
    [
        (("Ascend910-0", "Ascend910-3", "Ascend910-4"), (4, 4), (2, 1)),
        (("Ascend910-8", "nonsense"), (4, 4), (0, 0)),
        (("Ascend910-1",), (), ()),
    ],
)
def test_devices_lie_in_rings(devices: tuple[str, ...], rings: tuple[int, ...], want: tuple[int, ...]) -> None:
    assert allocated_rings(devices, rings) == want


@given(st.text(alphabet="GPU-0123456789,:;[]é\x00", max_size=300))
def test_no_text_on_a_pod_does_harm(text: str) -> None:
    annotations = {"hami.io/vgpu-devices-allocated": text, "huawei.com/AscendReal": text}
    for card, use in allocated_cards(annotations):
        assert card
        assert min(use.memory, use.cores) >= 0
        assert use.slots >= 1
    assert all(name.isascii() for name in allocated_devices(annotations))


def test_the_longest_annotation_is_no_work() -> None:
    text = "GPU-1,NVIDIA,1,1:" * 20_000
    ((card, use),) = allocated_cards({"hami.io/vgpu-devices-allocated": text})
    assert card == "GPU-1"
    assert use.slots <= 4097
