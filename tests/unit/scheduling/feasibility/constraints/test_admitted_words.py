"""What people are told to set."""

from dataclasses import replace

import pytest

from builders import GIB, H100, accelerator_class, demand, offer, requirement
from sampan.model.job import Demand, Placement
from sampan.model.members.admission import Admission, Compulsory, LimitItem, LimitType
from sampan.model.members.cluster import Pool
from sampan.scheduling.feasibility.constraints.admitted import not_named, out_of_range
from sampan.scheduling.feasibility.constraints.context import FilterContext
from sampan.scheduling.feasibility.constraints.member import QUEUE_COVERS

POOL = Pool(name="p", cluster_uid="c1", nodes=("n",), resource="nvidia.com/gpu", accelerator=accelerator_class(H100))
JOB = demand(requirement(H100, 1), cpu=2, gib=4)


def test_what_a_quota_asks_for_and_which_fields_give_it() -> None:
    asked = Admission(compulsory=(Compulsory(quota="compute", names=("limits.memory",)),))
    needed, present = not_named(JOB, replace(POOL, admission=asked))
    assert needed == "a pod that names limits.memory, as ResourceQuota compute asks of every pod"
    assert present == "the job names none and no LimitRange does: set resources.limits.memory"


@pytest.mark.parametrize(
    ("wanted", "item", "needed", "present"),
    [
        (
            JOB,
            {"default": (("memory", GIB // 2),)},
            "request of 4Gi memory",
            "gives a limit of 512Mi memory to every container",
        ),
        (JOB, {"most": (("memory", GIB),)}, "no limit of memory", "at most 1Gi memory and asks for a limit: set resources.limits.memory"),
        (replace(JOB, limits=(("memory", 4 * GIB),)), {"most": (("memory", GIB),)}, "limit of 4Gi memory", "allows at most 1Gi memory"),
        (JOB, {"least": (("cpu", 4000),)}, "request of 2 cpu", "asks for at least 4 cpu"),
        (JOB, {"least": (("ephemeral-storage", GIB),)}, "no request of ephemeral-storage", "set resources.requests.ephemeral-storage"),
        (JOB, {"ratios": (("cpu", 1500),)}, "no limit of cpu with a request of 2 cpu", "at most 1.5 times the request"),
        (JOB, {"default": (("amd.com/gpu", 1),)}, "no amd.com/gpu", "gives 1 amd.com/gpu to every container that names none"),
        (JOB, {"most": (("nvidia.com/gpu", 0),)}, "limit of 1 nvidia.com/gpu", "at most 0 nvidia.com/gpu"),
    ],
    ids=["default", "no limit", "maximum", "minimum", "no request", "ratio", "devices", "device maximum"],
)
def test_what_a_limit_range_says(wanted: Demand, item: dict[str, tuple[tuple[str, int], ...]], needed: str, present: str) -> None:
    ranges = (LimitItem(range="bounds", type=LimitType.CONTAINER, **item),)
    told = out_of_range(wanted, replace(POOL, admission=Admission(limits=ranges)))
    assert needed in told[0]
    assert "LimitRange bounds" in told[1]
    assert present in told[1]


def test_what_a_queue_covers() -> None:
    covered = replace(POOL, covers=frozenset({"cpu", "memory"}), member_queue="jobs/gpu")
    context = FilterContext(demand=JOB, placement=Placement(), offer=offer(), pool=covered, now=0, currency="CNY")
    assert QUEUE_COVERS.violated(context)
    assert QUEUE_COVERS.words(context) == (
        "a member queue that hands out nvidia.com/gpu",
        "the ClusterQueue behind jobs/gpu covers cpu, memory",
    )
