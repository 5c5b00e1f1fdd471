"""Devices of no known class: had by vendor, stack and resource name, never by class or by a figure that nobody knows."""

from dataclasses import replace
from typing import Any

import pytest

from builders import NOW, cluster, demand, job, node, offer, requirement, shape, snapshot
from sampan.catalog import load
from sampan.inventory.pools.grouping import pools_of
from sampan.model.job import Domestic, Placement, Requirement
from sampan.model.members.cluster import Node
from sampan.model.reason import Reason
from sampan.scheduling.answers.cells import unmet_constraint
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import schedule
from sampan.scheduling.feasibility.constraints.context import FilterContext
from sampan.scheduling.feasibility.constraints.table import violated

X9000 = node(resources={"nvidia.com/gpu": 4}, labels={"nvidia.com/gpu.product": "NVIDIA-X9000"})
NPU = node(resources={"acme.example/npu": 4})
ASCEND = node(resources={"huawei.com/Ascend310P": 8})


def context(wanted: Requirement, member: Node = X9000, *, domestic: Domestic = Domestic.ANY) -> FilterContext:
    (pool,) = pools_of(offer(), cluster(member), load(), home_origins=frozenset({"CN"}), trust_overrides=True)
    return FilterContext(demand=demand(wanted), placement=Placement(domestic=domestic), offer=offer(), pool=pool, now=NOW, currency="CNY")


@pytest.mark.parametrize(
    ("wanted", "member", "want"),
    [
        ({"vendor": "nvidia"}, X9000, ()),
        ({"stack": "cuda"}, X9000, ()),
        ({"resource": "nvidia.com/gpu"}, X9000, ()),
        ({"vendor": "nvidia", "resource": "nvidia.com/gpu"}, X9000, ()),
        ({"resource": "acme.example/npu"}, NPU, ()),
        ({"vendor": "huawei"}, ASCEND, ()),
        ({"family": "ascend-310p"}, ASCEND, ()),
        ({"vendor": "amd"}, X9000, (Reason.ACCELERATOR_MISMATCH,)),
        ({"vendor": "unknown"}, NPU, (Reason.ACCELERATOR_MISMATCH,)),
        ({"accelerator_class": "nvidia-l4-24gb"}, X9000, (Reason.ACCELERATOR_MISMATCH,)),
        ({"accelerator_class": "huawei-310p-24gb"}, ASCEND, (Reason.ACCELERATOR_MISMATCH,)),
        ({"family": "nvidia-ada"}, X9000, (Reason.ACCELERATOR_MISMATCH,)),
        ({"resource": "amd.com/gpu"}, X9000, (Reason.ACCELERATOR_MISMATCH,)),
        ({"vendor": "nvidia", "resource": "nvidia.com/gpu.shared"}, X9000, (Reason.ACCELERATOR_MISMATCH,)),
        ({"vendor": "nvidia", "memory_per_device": 1}, X9000, (Reason.CAPABILITY_INSUFFICIENT,)),
        ({"vendor": "nvidia", "fp16_tflops": 1}, X9000, (Reason.CAPABILITY_INSUFFICIENT,)),
        ({"vendor": "huawei", "memory_per_device": 1}, ASCEND, (Reason.CAPABILITY_INSUFFICIENT,)),
    ],
)
def test_what_reaches_devices_of_no_known_class(wanted: dict[str, Any], member: Node, want: tuple[Reason, ...]) -> None:
    assert violated(context(Requirement(count=1, **wanted), member)) == want


def test_a_resource_name_narrows_devices_of_known_classes_too() -> None:
    member = node(accelerator="nvidia-h100-sxm-80gb")
    assert violated(context(Requirement(count=1, vendor="nvidia", resource="nvidia.com/gpu"), member)) == ()
    assert violated(context(Requirement(count=1, vendor="nvidia", resource="volcano.sh/vgpu-number"), member)) != ()


def test_the_refusal_names_the_way_out() -> None:
    told = unmet_constraint(Reason.ACCELERATOR_MISMATCH, context(Requirement(count=1, accelerator_class="nvidia-l4-24gb")))
    assert (told.needed, "AcceleratorClass" in told.present, "vendor and resource" in told.present) == ("class nvidia-l4-24gb", True, True)


def test_a_maker_at_home_makes_domestic_devices_whatever_they_are() -> None:
    assert violated(context(Requirement(count=1, vendor="huawei"), ASCEND, domestic=Domestic.REQUIRED)) == ()
    assert violated(context(Requirement(count=1, vendor="nvidia"), X9000, domestic=Domestic.REQUIRED)) == (Reason.NOT_DOMESTIC,)


def test_a_job_that_asks_by_vendor_is_placed_on_such_devices() -> None:
    wanted = job("j", shape(demand(requirement(accelerator=None, vendor="nvidia", count=2))))
    plan, _ = schedule(snapshot([wanted], [offer()], [cluster(X9000)]), Memo())
    assert [(each.job.uid, each.nodes) for each in plan.assignments] == [("j", (("n1", 1),))]


def test_a_pod_is_kept_to_devices_of_the_same_unknown_product() -> None:
    other = replace(X9000, name="n2", labels={"nvidia.com/gpu.product": "NVIDIA-X9001"})
    pools = pools_of(offer(), cluster(X9000, other), load(), home_origins=frozenset(), trust_overrides=True)
    assert sorted(pool.identifying_labels for pool in pools) == [
        (("nvidia.com/gpu.product", "NVIDIA-X9000"),),
        (("nvidia.com/gpu.product", "NVIDIA-X9001"),),
    ]
