"""Launch recipes: the first that holds, HAMi's scheduler for its shares, and the class's own word over the vendor's."""

from dataclasses import replace

import pytest

from sampan.catalog import load
from sampan.catalog.recipes import Recipe, read_recipe, recipe_for
from sampan.model.launch import Launch, PodSecurity


@pytest.mark.parametrize(
    ("name", "queueing", "want"),
    [
        ("huawei-910b3-64gb", (), ("", (), "hccl")),
        ("huawei-910b3-64gb", ("Volcano",), ("volcano", (("ring-controller.atlas", "ascend-910b"),), "hccl")),
        ("huawei-910a-32gb", ("Kueue", "Volcano"), ("volcano", (("ring-controller.atlas", "ascend-910"),), "hccl")),
        ("huawei-310p-24gb", ("Volcano",), ("", (), "hccl")),
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


def test_shares_of_hami_are_scheduled_by_hami() -> None:
    launch = load().launch(load().classes["nvidia-a100-sxm-80gb"], publisher="hami")
    assert (launch.scheduler_name, launch.backend) == ("hami-scheduler", "nccl")


def test_the_classes_own_recipe_has_the_last_word() -> None:
    own = replace(load().classes["nvidia-h100-sxm-80gb"], launch=Launch(runtime_class="nvidia"))
    made = recipe_for(own, (Recipe(launch=Launch(runtime_class="other", backend="nccl")),), publisher="", queueing=())
    assert (made.runtime_class, made.backend) == ("nvidia", "nccl")


def test_a_recipe_of_an_unlisted_source_is_a_fault() -> None:
    with pytest.raises(KeyError):
        read_recipe({"backend": "nccl", "source": "hearsay"}, {})
