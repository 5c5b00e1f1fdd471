"""What a job takes of quotas."""

from dataclasses import replace

import pytest

from builders import GIB, H100, accelerator_class, demand, requirement
from sampan.model.members.admission import ALL_PODS, CLAIM_TEMPLATES, CLAIMS, CONFIG_MAPS, JOBS, SERVICES, Admission, LimitItem, LimitType
from sampan.model.members.cluster import Pool
from sampan.model.members.device import ClaimSource
from sampan.model.values.vector import PODS, Vector
from sampan.scheduling.capacity.quota_usage import UNLIMITED, QuotaUse, use_of

GPU = "nvidia.com/gpu"
POOL = Pool(name="p", cluster_uid="c1", nodes=("n",), resource=GPU, accelerator=accelerator_class(H100))


def test_a_gang_takes_its_pods_their_limits_and_a_service() -> None:
    wanted = replace(
        demand(requirement(H100, 2), replicas=3, cpu=1, gib=2), limits=(("cpu", 2000), ("memory", 4 * GIB)), objects=((CONFIG_MAPS, 2),)
    )
    use = use_of(wanted, POOL)
    assert use.each == {
        "": 2,
        PODS: 1,
        ALL_PODS: 1,
        "cpu": 1000,
        "memory": 2 * GIB,
        GPU: 2,
        "limits.cpu": 2000,
        "limits.memory": 4 * GIB,
    }
    assert use.once == {JOBS: 1, SERVICES: 1, CONFIG_MAPS: 2}
    assert use.of(3) | {"cpu": 0, "memory": 0, "limits.memory": 0} == {
        "": 6,
        PODS: 3,
        ALL_PODS: 3,
        "cpu": 0,
        "memory": 0,
        GPU: 6,
        "limits.cpu": 6000,
        "limits.memory": 0,
        JOBS: 1,
        SERVICES: 1,
        CONFIG_MAPS: 2,
    }


def test_a_sweep_takes_all_its_pods_in_the_end_and_no_service() -> None:
    use = use_of(replace(demand(replicas=4, least=1), objects=((ALL_PODS, 20),)), POOL)
    assert (use.once, ALL_PODS in use.each) == ({JOBS: 1, ALL_PODS: 20}, False)


def test_claimed_devices_count_by_their_class() -> None:
    claimed = replace(POOL, resource="gpu.nvidia.com/h100", claim=ClaimSource(device_class="gpu", driver="gpu.nvidia.com"))
    use = use_of(demand(requirement(H100, 4), replicas=2), claimed)
    assert {name: amount for name, amount in use.each.items() if "/" in name and name != ALL_PODS} == {
        CLAIMS: 1,
        "gpu.deviceclass.resource.k8s.io/devices": 4,
        "deviceclass.resource.kubernetes.io/gpu": 4,
    }
    assert use.once[CLAIM_TEMPLATES] == 1


def test_what_limit_ranges_fill_in_counts_and_of_several_the_most() -> None:
    items = [LimitItem(range=name, type=LimitType.CONTAINER, default=(("cpu", amount),)) for name, amount in (("a", 9), ("b", 5))]
    bare = replace(demand(), per_replica=Vector.of({PODS: 1}))
    assert use_of(bare, replace(POOL, admission=Admission(limits=tuple(items)))).each["limits.cpu"] == 9
    assert use_of(bare, POOL).best_effort
    assert not use_of(demand(), POOL).best_effort


@pytest.mark.parametrize(
    ("have", "want"),
    [
        ({}, UNLIMITED),
        ({"other": 0}, UNLIMITED),
        ({"cpu": 0}, 0),
        ({"cpu": -1}, 0),
        ({"cpu": 9}, 4),
        ({JOBS: 0}, 0),
        ({JOBS: 1, "cpu": 4}, 2),
    ],
    ids=str,
)
def test_what_is_named_and_zero_lets_nothing_through(have: dict[str, int], want: int) -> None:
    assert QuotaUse(each={"cpu": 2, "memory": 0}, once={JOBS: 1}).fits(have) == want
