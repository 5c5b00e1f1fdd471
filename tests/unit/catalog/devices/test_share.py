"""How a part of a card is asked for, publisher by publisher."""

import pytest

from sampan.catalog.devices.share import companions
from sampan.model.job import Share

GIB = 1 << 30


@pytest.mark.parametrize(
    ("resource", "want"),
    [
        ("nvidia.com/gpu", {"nvidia.com/gpumem": 8192, "nvidia.com/gpucores": 30}),
        ("volcano.sh/vgpu-number", {"volcano.sh/vgpu-memory": 8192, "volcano.sh/vgpu-cores": 30}),
        ("huawei.com/Ascend910B3", {"huawei.com/Ascend910B3-memory": 8192, "huawei.com/Ascend910B3-core": 30}),
        ("hygon.com/dcunum", {"hygon.com/dcumem": 8192, "hygon.com/dcucores": 30}),
        ("hygon.com/hcunum", {"hygon.com/hcumem": 8192, "hygon.com/hcucores": 30}),
        ("iluvatar.ai/BI-V150-vgpu", {"iluvatar.ai/BI-V150.vMem": 32, "iluvatar.ai/BI-V150.vCore": 30}),
        ("mthreads.com/vgpu", {"mthreads.com/sgpu-memory": 16, "mthreads.com/sgpu-core": 5}),
        ("metax-tech.com/sgpu", {"metax-tech.com/vmemory": 8, "metax-tech.com/vcore": 30}),
    ],
)
def test_each_publisher_has_its_own_names_and_units(resource: str, want: dict[str, int]) -> None:
    assert companions(resource, Share(memory=8 * GIB, compute_percent=30)) == want


def test_amounts_are_rounded_up() -> None:
    assert companions("mthreads.com/vgpu", Share(memory=GIB + 1, compute_percent=1)) == {
        "mthreads.com/sgpu-memory": 3,
        "mthreads.com/sgpu-core": 1,
    }


def test_no_word_on_compute_leaves_it_to_the_card() -> None:
    assert companions("kunlunxin.com/vxpu", Share(memory=GIB)) == {"kunlunxin.com/vxpu-memory": 1024}


@pytest.mark.parametrize("resource", ["kunlunxin.com/vxpu", "cambricon.com/vmlu", "huawei.com/Ascend910", "nvidia.com/mig-1g.10gb", ""])
def test_what_nobody_can_say_in_units_is_not_guessed(resource: str) -> None:
    assert companions(resource, Share(memory=GIB, compute_percent=10)) is None
