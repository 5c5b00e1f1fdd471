"""Launch recipes: the first that holds, the sharer's scheduler for shares, and the class's own word over the vendor's."""

from dataclasses import replace

import pytest

from sampan.catalog import load
from sampan.catalog.packaged.recipes import PUBLISHERS, Recipe, read_recipe, recipe_for
from sampan.model.launch import Launch, PodSecurity


@pytest.mark.parametrize(
    ("name", "queueing", "want"),
    [
        ("huawei-910b3-64gb", (), ("", (), "hccl")),
        ("huawei-910b3-64gb", ("Volcano",), ("volcano", (("ring-controller.atlas", "ascend-910b"),), "hccl")),
        ("huawei-910a-32gb", ("Kueue", "Volcano"), ("volcano", (("ring-controller.atlas", "ascend-910"),), "hccl")),
        ("huawei-310p-24gb", ("Volcano",), ("volcano", (("ring-controller.atlas", "ascend-310P"),), "hccl")),
        ("huawei-310p-24gb", ("Kueue",), ("", (), "hccl")),
        ("nvidia-h100-sxm-80gb", ("Volcano",), ("", (), "nccl")),
        ("cambricon-mlu370-x8-48gb", (), ("", (), "cncl")),
    ],
)
def test_the_member_decides_which_recipe_holds(name: str, queueing: tuple[str, ...], want: tuple[object, ...]) -> None:
    catalog = load()
    launch = catalog.launch(catalog.classes[name], queueing=queueing)
    assert (launch.scheduler_name, launch.pod_labels, launch.backend) == want


def test_hygon_needs_a_folder_of_the_node_which_only_a_privileged_namespace_admits() -> None:
    launch = load().launch(load().classes["hygon-k100-ai-64gb"])
    assert [path.path for path in launch.host_paths] == ["/opt/hyhal"]
    assert launch.pod_security is PodSecurity.PRIVILEGED


@pytest.mark.parametrize(
    ("name", "publisher", "want"),
    [
        ("nvidia-a100-sxm-80gb", "hami", ("hami-scheduler", (), "nccl")),
        ("nvidia-a100-sxm-80gb", "volcano-vgpu", ("volcano", (), "nccl")),
        ("nvidia-a100-sxm-80gb", "nvidia-device-plugin", ("", (), "nccl")),
        ("huawei-910b3-64gb", "hami", ("hami-scheduler", (), "hccl")),
    ],
)
def test_shares_are_scheduled_by_whoever_books_them(name: str, publisher: str, want: tuple[object, ...]) -> None:
    """Also where the member runs Volcano: its labels for Ascend are about the vendor's own plugin."""
    launch = load().launch(load().classes[name], publisher=publisher, queueing=("Volcano",))
    assert (launch.scheduler_name, launch.pod_labels, launch.backend) == want


def test_every_sharer_with_a_recipe_publishes_something() -> None:
    publishers = {publisher for vendor in load().vendors for publisher in vendor.publishers}
    assert set(PUBLISHERS) <= publishers


def test_the_classes_own_recipe_has_the_last_word() -> None:
    own = replace(load().classes["nvidia-h100-sxm-80gb"], launch=Launch(runtime_class="nvidia"))
    made = recipe_for(own, (Recipe(launch=Launch(runtime_class="other", backend="nccl")),), publisher="", queueing=())
    assert (made.runtime_class, made.backend) == ("nvidia", "nccl")


def test_a_recipe_of_an_unlisted_source_is_a_fault() -> None:
    with pytest.raises(KeyError):
        read_recipe({"backend": "nccl", "source": "hearsay"}, {})
