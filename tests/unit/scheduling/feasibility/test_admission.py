"""What LimitRanges and quotas hold against a pod, after what the API server of Kubernetes 1.36 does (test_admission.py asks one)."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from builders import GIB, H100, NOW, accelerator_class, demand, offer, requirement
from sampan.model.job import Demand, Placement
from sampan.model.launch import Launch
from sampan.model.members.admission import Admission, Compulsory, LimitItem, LimitType
from sampan.model.members.cluster import Pool
from sampan.model.reason import Reason
from sampan.model.values.vector import PODS, Vector
from sampan.scheduling.feasibility.admission import Fault, uncovered, unnamed, violations
from sampan.scheduling.feasibility.constraints.context import FilterContext
from sampan.scheduling.feasibility.constraints.table import violated

GPU = "nvidia.com/gpu"
POOL = Pool(name="p", cluster_uid="c1", nodes=("n",), resource=GPU, accelerator=accelerator_class(H100))
FOUR = demand(requirement(H100, 1), cpu=2, gib=4)
BARE = replace(demand(), per_replica=Vector.of({PODS: 1}))
CAPPED = replace(FOUR, limits=(("cpu", 4000), ("memory", 8 * GIB)))


def item(kind: LimitType = LimitType.CONTAINER, **parts: Mapping[str, int]) -> LimitItem:
    return LimitItem(range="r", type=kind, **{name: tuple(sorted(part.items())) for name, part in parts.items()})


def faults(wanted: Demand, *items: LimitItem) -> list[tuple[Fault, str]]:
    pool = replace(POOL, admission=Admission(limits=items))
    return [(each.fault, each.resource) for each in violations(wanted, pool)]


@pytest.mark.parametrize(
    ("wanted", "items", "want"),
    [
        (FOUR, [item(default={"memory": GIB // 2}, default_request={"memory": GIB // 4})], [(Fault.REQUEST_ABOVE_LIMIT, "memory")]),
        (CAPPED, [item(default={"memory": GIB // 2}, default_request={"memory": GIB // 4})], []),
        (FOUR, [item(default={"memory": 4 * GIB})], []),
        (BARE, [item(default_request={"cpu": 100})], []),
        (replace(BARE, limits=(("cpu", 50),)), [item(default_request={"cpu": 100})], [(Fault.REQUEST_ABOVE_LIMIT, "cpu")]),
        (CAPPED, [item(most={"memory": 8 * GIB})], []),
        (CAPPED, [item(most={"memory": 8 * GIB - 1})], [(Fault.ABOVE_MAX, "memory")]),
        (CAPPED, [item(most={"memory": 0})], [(Fault.ABOVE_MAX, "memory")]),
        (FOUR, [item(LimitType.POD, most={"memory": 8 * GIB})], [(Fault.ABOVE_MAX, "memory")]),
        (FOUR, [item(LimitType.POD, most={"memory": 8 * GIB}), item(default={"memory": 5 * GIB})], []),
        (FOUR, [item(least={"cpu": 2000})], []),
        (FOUR, [item(least={"cpu": 2001})], [(Fault.BELOW_MIN, "cpu")]),
        (BARE, [item(LimitType.POD, least={"cpu": 0})], [(Fault.BELOW_MIN, "cpu")]),
        (CAPPED, [item(ratios={"cpu": 2000})], []),
        (CAPPED, [item(ratios={"cpu": 1999})], [(Fault.ABOVE_RATIO, "cpu")]),
        (FOUR, [item(ratios={"cpu": 9000})], [(Fault.ABOVE_RATIO, "cpu")]),
        (FOUR, [item(most={GPU: 1})], []),
        (FOUR, [item(most={GPU: 0})], [(Fault.ABOVE_MAX, GPU)]),
        (BARE, [item(most={GPU: 4}, default={GPU: 4}, default_request={GPU: 4})], [(Fault.FILLED_IN_DEVICES, GPU)]),
        (FOUR, [item(most={GPU: 4}, default={GPU: 4}, default_request={GPU: 4})], []),
        (BARE, [item(default={GPU: 0}, default_request={GPU: 0})], []),
        (FOUR, [item(default={"amd.com/gpu": 1}, default_request={"amd.com/gpu": 1})], [(Fault.FILLED_IN_DEVICES, "amd.com/gpu")]),
        (BARE, [item(default_request={GPU: 1})], [(Fault.FILLED_IN_DEVICES, GPU)]),
    ],
    ids=[
        "a default limit below the request",
        "the job names its own",
        "a default limit that equals the request",
        "a default request alone",
        "a default request above the job's limit",
        "a maximum that equals the limit",
        "a maximum below it",
        "a maximum of 0",
        "a maximum of pods asks for a limit",
        "which a default gives",
        "a minimum that equals the request",
        "a minimum above it",
        "a minimum of 0 asks for a request",
        "a ratio that equals",
        "a ratio below",
        "a ratio asks for a limit",
        "as many devices as the maximum",
        "no devices at all",
        "devices for who asks for none",
        "not for who asks for some",
        "no devices by default",
        "devices of another kind",
        "a default request of devices without a limit",
    ],
)
def test_what_limit_ranges_do_not_admit(wanted: Demand, items: list[LimitItem], want: list[tuple[Fault, str]]) -> None:
    assert faults(wanted, *items) == want


def test_where_limit_ranges_disagree_each_must_admit_the_pod() -> None:
    low, high = (
        LimitItem(range=name, type=LimitType.CONTAINER, default=(("memory", amount),)) for name, amount in (("a", GIB), ("b", 9 * GIB))
    )
    assert faults(FOUR, low, high) == [(Fault.REQUEST_ABOVE_LIMIT, "memory")]
    assert faults(FOUR, high) == []


@pytest.mark.parametrize(
    ("wanted", "names", "want"),
    [
        (FOUR, ("limits.cpu", "limits.memory"), ["limits.cpu", "limits.memory"]),
        (CAPPED, ("limits.cpu", "limits.memory"), []),
        (FOUR, ("cpu", "requests.memory"), []),
        (BARE, ("cpu", "requests.memory"), ["cpu", "requests.memory"]),
        (replace(BARE, zeros=("cpu", "memory"), limits=(("cpu", 0),)), ("cpu", "requests.memory", "limits.cpu"), []),
    ],
    ids=["no limits", "limits", "requests", "nothing", "named with 0"],
)
def test_what_a_quota_makes_pods_name(wanted: Demand, names: tuple[str, ...], want: list[str]) -> None:
    asked = Admission(compulsory=(Compulsory(quota="q", names=names),))
    assert [each.resource for each in unnamed(wanted, replace(POOL, admission=asked))] == want


def test_a_default_helps_and_a_quota_of_other_pods_asks_for_nothing() -> None:
    helped = Admission(limits=(item(default={"cpu": 4000}),), compulsory=(Compulsory(quota="q", names=("limits.cpu",)),))
    assert unnamed(FOUR, replace(POOL, admission=helped)) == ()
    others = Admission(compulsory=(Compulsory(quota="q", names=("limits.cpu",), best_effort=True),))
    assert unnamed(FOUR, replace(POOL, admission=others)) == ()
    assert unnamed(BARE, replace(POOL, admission=others)) != ()


def test_what_a_queue_does_not_hand_out() -> None:
    assert uncovered(FOUR, replace(POOL, covers=frozenset({"cpu"}))) == ("memory", GPU)
    assert uncovered(FOUR, POOL) == ()
    assert uncovered(BARE, replace(POOL, covers=frozenset())) == ()


def refusals_in(pool: Pool) -> tuple[Reason, ...]:
    wanted = demand(requirement(H100, 1))
    return violated(FilterContext(demand=wanted, placement=Placement(), offer=offer(), pool=pool, now=NOW, currency="CNY"))


@pytest.mark.parametrize(
    ("asked", "want"),
    [
        (Admission(compulsory=(Compulsory(quota="q", names=("limits.memory",)),)), (Reason.RESOURCES_NOT_NAMED,)),
        (Admission(compulsory=(Compulsory(quota="q", names=("requests.memory", "cpu")),)), ()),
        (Admission(limits=(LimitItem(range="r", type=LimitType.CONTAINER, default=(("memory", GIB),)),)), (Reason.LIMIT_RANGE_VIOLATED,)),
        (Admission(limits=(LimitItem(range="r", type=LimitType.CONTAINER, default=(("memory", 16 * GIB),)),)), ()),
    ],
)
def test_the_namespace_must_admit_the_pod(asked: Admission, want: tuple[Reason, ...]) -> None:
    assert refusals_in(replace(POOL, admission=asked)) == want


def test_the_members_queue_must_hand_out_what_the_pod_asks_for() -> None:
    own = replace(POOL, launch=Launch(extra_resources=Vector.of({"rdma/hca": 1})))
    assert refusals_in(replace(own, covers=frozenset({"cpu", "memory", "nvidia.com/gpu"}))) == ()
    assert refusals_in(replace(own, covers=frozenset({"cpu", "memory"}))) == (Reason.MEMBER_QUEUE_NOT_COVERING,)
    assert refusals_in(replace(own, covers=frozenset())) == (Reason.MEMBER_QUEUE_NOT_COVERING,)


def test_a_bound_for_containers_is_asked_of_the_main_one_and_a_bound_for_pods_of_all_together() -> None:
    added = Vector.of({"cpu": 1000})
    capped = replace(FOUR, limits=(("cpu", 2000),))
    three = replace(capped, per_replica=capped.per_replica + added, beside=added)
    assert faults(three, item(most={"cpu": 2000})) == [], "the sidecar's core is not the main container's"
    assert faults(three, item(default={"cpu": 2000})) == []
    assert faults(three, item(LimitType.POD, most={"cpu": 2000})) == [(Fault.ABOVE_MAX, "cpu")]
    both = replace(three, limits=(("cpu", 3000),), limits_beside=added)
    assert faults(both, item(most={"cpu": 2000})) == []
    assert faults(both, item(LimitType.POD, most={"cpu": 2999})) == [(Fault.ABOVE_MAX, "cpu")]
    assert faults(both, item(LimitType.POD, most={"cpu": 3000})) == []
