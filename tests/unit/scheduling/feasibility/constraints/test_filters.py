"""Filters: each reason alone, and all of them together."""

from dataclasses import replace
from typing import Any

import pytest

from builders import (
    GIB,
    H100,
    NOW,
    accelerator_class,
    cluster,
    demand,
    job,
    node,
    offer,
    pool,
    price,
    requirement,
    selector,
    shape,
    snapshot,
)
from sampan.model.job import Demand, Domestic, Placement, Requirement, Share
from sampan.model.launch import Launch, PodSecurity
from sampan.model.members.accelerator import CountRule, Precision, Sharing
from sampan.model.members.cluster import Pool
from sampan.model.members.offer import Offer, Terms
from sampan.model.reason import Reason
from sampan.model.values.quantity import MICRO
from sampan.scheduling.answers.wording import headline
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import schedule
from sampan.scheduling.feasibility.constraints.context import FilterContext
from sampan.scheduling.feasibility.constraints.table import violated


def ask(
    wanted: Demand | None = None, *, placement: Placement | None = None, of: Offer | None = None, in_pool: Pool | None = None
) -> tuple[Reason, ...]:
    return violated(
        FilterContext(
            demand=wanted or demand(requirement()),
            placement=placement or Placement(),
            offer=of or offer(),
            pool=in_pool or pool(),
            now=NOW,
            currency="CNY",
        )
    )


def test_a_plain_job_on_a_plain_offer_is_not_refused() -> None:
    assert ask() == ()


@pytest.mark.parametrize(
    ("fields", "want"),
    [
        ({"approved": False}, Reason.OFFER_NOT_APPROVED),
        ({"accepting": False}, Reason.OFFER_NOT_ACCEPTING),
        ({"valid_from": NOW + 1}, Reason.OFFER_NOT_VALID),
        ({"valid_until": NOW}, Reason.OFFER_NOT_VALID),
        ({"connected": False}, Reason.OFFER_NOT_CONNECTED),
        ({"permitted": False}, Reason.PERMISSIONS_MISSING),
    ],
)
def test_offers_that_cannot_be_used_now(fields: dict[str, Any], want: Reason) -> None:
    assert ask(of=offer(**fields)) == (want,)


@pytest.mark.parametrize(
    ("placement", "want"),
    [
        (Placement(terms=(Terms.RESERVED,)), Reason.TERMS_EXCLUDED),
        (Placement(terms=(Terms.RESERVED, Terms.ON_DEMAND)), None),
        (Placement(providers=("other",)), Reason.PROVIDER_EXCLUDED),
        (Placement(providers=("prov",)), None),
        (Placement(regions=("cn-north",)), Reason.REGION_EXCLUDED),
        (Placement(regions=("cn-north", "cn-east")), None),
        (Placement(jurisdictions=("DE",)), Reason.JURISDICTION_EXCLUDED),
        (Placement(offer_selector=selector(tier="gold")), Reason.OFFER_SELECTOR_MISMATCH),
        (Placement(domestic=Domestic.REQUIRED), Reason.NOT_DOMESTIC),
        (Placement(domestic=Domestic.PREFERRED), None),
        (Placement(max_price=12 * MICRO), None),
        (Placement(max_price=12 * MICRO - 1), Reason.PRICE_ABOVE_CAP),
    ],
)
def test_limits_of_the_tenant(placement: Placement, want: Reason | None) -> None:
    assert ask(placement=placement) == (() if want is None else (want,))


@pytest.mark.parametrize("prices", [(), (price(currency="EUR"),), (price("nvidia-t4-16gb"),), (price(since=NOW + 1),)])
def test_a_cap_needs_a_price_in_force_in_the_hubs_currency(prices: tuple[Any, ...]) -> None:
    assert ask(placement=Placement(max_price=MICRO), of=offer(prices=prices)) == (Reason.PRICE_UNKNOWN,)
    assert ask(of=offer(prices=prices)) == ()


@pytest.mark.parametrize(
    ("need", "want"),
    [
        (requirement("nvidia-h200-sxm-141gb"), Reason.ACCELERATOR_MISMATCH),
        (Requirement(count=8, family="nvidia-hopper"), None),
        (Requirement(count=8, family="nvidia-ampere"), Reason.ACCELERATOR_MISMATCH),
        (Requirement(count=8, vendor="nvidia", stack="cuda"), None),
        (Requirement(count=8, vendor="nvidia", stack="cann"), Reason.ACCELERATOR_MISMATCH),
        (Requirement(count=8, stack="cuda", memory_per_device=80 * GIB), None),
        (Requirement(count=8, stack="cuda", memory_per_device=80 * GIB + 1), Reason.CAPABILITY_INSUFFICIENT),
        (Requirement(count=8, stack="cuda", fp16_tflops=990 * MICRO), Reason.CAPABILITY_INSUFFICIENT),
    ],
)
def test_devices_that_do_or_do_not_suit(need: Requirement, want: Reason | None) -> None:
    assert ask(demand(need)) == (() if want is None else (want,))


def test_an_unknown_figure_does_not_satisfy() -> None:
    unknown = pool(accelerator=accelerator_class(fp16=None))
    assert ask(demand(Requirement(count=1, vendor="nvidia", fp16_tflops=1)), in_pool=unknown) == (Reason.CAPABILITY_INSUFFICIENT,)


@pytest.mark.parametrize("sharing", [sharing for sharing in Sharing if sharing is not Sharing.WHOLE])
def test_only_whole_devices_match(sharing: Sharing) -> None:
    assert ask(in_pool=replace(pool(), sharing=sharing)) == (Reason.SHARING_MISMATCH,)


SHARE = Requirement(count=1, stack="cuda", share=Share(memory=GIB))
PART = replace(pool(), sharing=Sharing.PARTITION, profile="1g.10gb", memory=10 * GIB)


@pytest.mark.parametrize(
    ("need", "of", "want"),
    [
        (Requirement(count=1, vendor="nvidia", partition="1g.10gb"), PART, ()),
        (Requirement(count=1, vendor="nvidia", partition="3g.40gb"), PART, (Reason.PARTITION_MISMATCH,)),
        (Requirement(count=1, vendor="nvidia", partition="1g.10gb"), pool(), (Reason.SHARING_MISMATCH,)),
        (Requirement(count=1, vendor="nvidia", partition="1g.10gb", memory_per_device=20 * GIB), PART, (Reason.CAPABILITY_INSUFFICIENT,)),
        (SHARE, replace(pool(), sharing=Sharing.VIRTUAL), ()),
        (
            Requirement(count=1, stack="cuda", share=Share(memory=GIB)),
            replace(pool(), sharing=Sharing.TIME_SLICED),
            (Reason.SHARING_MISMATCH,),
        ),
    ],
    ids=["the partition", "another partition", "a whole device", "too little memory", "a share", "time slices are no shares"],
)
def test_parts_of_devices_are_never_mistaken(need: Requirement, of: Pool, want: tuple[Reason, ...]) -> None:
    assert ask(demand(need), in_pool=of) == want


FIGURES = ((Precision.FP64, 34 * MICRO), (Precision.FP16, MICRO), (Precision.FP8, MICRO))
RATED = replace(accelerator_class(), memory_bandwidth=3350 * 10**9, throughput=FIGURES)


@pytest.mark.parametrize(
    ("need", "enough"),
    [
        ({"memory_bandwidth": 3350 * 10**9}, True),
        ({"memory_bandwidth": 3351 * 10**9}, False),
        ({"fp64_tflops": 34 * MICRO}, True),
        ({"fp64_tflops": 35 * MICRO}, False),
        ({"precisions": (Precision.FP8, Precision.FP16)}, True),
        ({"precisions": (Precision.INT8,)}, False),
    ],
)
def test_every_figure_counts_and_an_unknown_one_is_not_enough(need: dict[str, Any], enough: bool) -> None:
    want = () if enough else (Reason.CAPABILITY_INSUFFICIENT,)
    assert ask(demand(Requirement(count=8, stack="cuda", **need)), in_pool=pool(accelerator=RATED)) == want
    bare = pool(accelerator=replace(accelerator_class(fp16=None), memory=None))
    assert ask(demand(Requirement(count=8, stack="cuda", **need)), in_pool=bare) == (Reason.CAPABILITY_INSUFFICIENT,)


@pytest.mark.parametrize(
    ("have", "need", "enough"),
    [
        ("570.172.08", "550.54", True),
        ("550.54", "550.54", True),
        ("550.9", "550.54", False),
        ("550", "550.0", True),
        ("25.0.rc1", "25.0", True),
        ("", "1", False),
        ("none", "1", False),
    ],
)
def test_versions_compare_number_by_number(have: str, need: str, enough: bool) -> None:
    of = replace(pool(), driver=have)
    want = () if enough else (Reason.DRIVER_TOO_OLD,)
    assert ask(demand(requirement(min_driver=need)), in_pool=of) == want
    of = replace(pool(), compute_capability=have)
    assert ask(demand(requirement(min_compute_capability=need)), in_pool=of) == want


@pytest.mark.parametrize(
    ("of", "wanted", "want"),
    [
        ({"max_run_seconds": 60}, {"limit_seconds": 60}, ()),
        ({"max_run_seconds": 60}, {"limit_seconds": 61}, (Reason.RUN_LIMIT_EXCEEDED,)),
        ({"max_run_seconds": 60}, {"limit_seconds": None}, (Reason.RUN_LIMIT_EXCEEDED,)),
        ({"max_devices_per_job": 16}, {"replicas": 2, "least_replicas": 2}, ()),
        ({"max_devices_per_job": 15}, {"replicas": 2, "least_replicas": 2}, (Reason.DEVICES_PER_JOB_EXCEEDED,)),
        ({"max_devices_per_job": 8}, {"replicas": 2, "least_replicas": 1}, ()),
        ({"tenants": selector(tier="gold")}, {}, (Reason.TENANT_EXCLUDED,)),
    ],
)
def test_what_an_offer_lets_a_job_be(of: dict[str, Any], wanted: dict[str, Any], want: tuple[Reason, ...]) -> None:
    assert ask(replace(demand(requirement()), **wanted), of=replace(offer(), **of)) == want


@pytest.mark.parametrize(
    ("level", "want"), [(None, ()), (PodSecurity.PRIVILEGED, ()), (PodSecurity.BASELINE, (Reason.LAUNCH_NOT_PERMITTED,))]
)
def test_the_namespace_must_admit_what_the_devices_need(level: PodSecurity | None, want: tuple[Reason, ...]) -> None:
    of = replace(pool(), launch=Launch(pod_security=PodSecurity.PRIVILEGED))
    assert ask(of=replace(offer(), pod_security=level), in_pool=of) == want


def test_the_member_must_have_the_runtime_class_and_its_queue_must_admit_jobs() -> None:
    assert ask(in_pool=replace(pool(), queue_inactive=True)) == (Reason.MEMBER_QUEUE_NOT_READY,)
    assert ask(in_pool=replace(pool(), runtime_missing=True)) == (Reason.RUNTIME_CLASS_MISSING,)


def test_a_policy_may_open_accelerator_nodes_to_jobs_without_devices() -> None:
    context = FilterContext(demand=demand(), placement=Placement(), offer=offer(), pool=pool(), now=NOW, currency="CNY")
    assert violated(context) == (Reason.ACCELERATOR_NODE_RESERVED,)
    assert violated(replace(context, cpu_on_accelerators=True)) == ()
    tainted = replace(pool(), for_devices_only=True)  # the member's own word: no policy of the hub lifts it
    assert violated(replace(context, cpu_on_accelerators=True, pool=tainted)) == (Reason.ACCELERATOR_NODE_RESERVED,)
    assert ask(in_pool=tainted) == ()


def test_tenants_are_told_by_their_namespaces_labels() -> None:
    of = replace(offer(), tenants=selector(tier="gold"))
    context = FilterContext(demand=demand(requirement()), placement=Placement(), offer=of, pool=pool(), now=NOW, currency="CNY")
    assert violated(replace(context, tenant=(("tier", "gold"),))) == ()
    assert violated(replace(context, tenant=(("tier", "silver"),))) == (Reason.TENANT_EXCLUDED,)


def test_devices_of_unknown_class_never_match() -> None:
    assert ask(in_pool=replace(pool(), accelerator=None)) == (Reason.ACCELERATOR_MISMATCH,)


def test_counts_are_never_rounded() -> None:
    pairs = pool(accelerator=replace(accelerator_class(), count_rule=CountRule(multiple_of=2)))
    assert ask(demand(requirement(H100, 3)), in_pool=pairs) == (Reason.COUNT_NOT_ALLOWED,)
    assert ask(demand(requirement(H100, 4)), in_pool=pairs) == ()


def test_the_image_must_run_on_the_nodes() -> None:
    assert ask(demand(requirement(), architectures=("arm64",))) == (Reason.ARCHITECTURE_MISMATCH,)
    assert ask(demand(requirement(), architectures=("amd64", "arm64"))) == ()


def test_jobs_without_devices_stay_off_accelerator_nodes() -> None:
    cpu = Pool(name="cpu", cluster_uid="c1", nodes=("n1",))
    strict = Placement(domestic=Domestic.REQUIRED, max_price=1)  # says nothing about a job without devices
    assert ask(demand()) == (Reason.ACCELERATOR_NODE_RESERVED,)
    assert ask(demand(), in_pool=cpu, placement=strict) == ()
    assert ask(in_pool=cpu) == (Reason.ACCELERATOR_MISMATCH,)


def test_every_reason_is_told_and_the_worst_comes_first() -> None:
    placement = Placement(regions=("cn-north",), max_price=MICRO, domestic=Domestic.REQUIRED)
    assert ask(demand(requirement("x")), placement=placement, of=offer(connected=False)) == (
        Reason.OFFER_NOT_CONNECTED,
        Reason.REGION_EXCLUDED,
        Reason.NOT_DOMESTIC,
        Reason.PRICE_ABOVE_CAP,
        Reason.ACCELERATOR_MISMATCH,
    )


def test_a_policy_that_is_not_there_is_not_replaced_by_another() -> None:
    wanted = shape(demand(requirement()), policy="nonexistent")
    (refused,) = schedule(snapshot([job(wanted=wanted)], [offer()], [cluster(node("h", H100))]), Memo())[0].refusals
    assert refused.dominant is Reason.POLICY_NOT_FOUND
    assert "there is no PlacementPolicy nonexistent" in headline(refused)


@pytest.mark.parametrize(
    ("resource", "percent", "want"),
    [
        ("nvidia.com/gpu", 30, ()),
        ("volcano.sh/vgpu-number", 0, ()),
        ("kunlunxin.com/vxpu", 0, ()),
        ("kunlunxin.com/vxpu", 30, (Reason.SHARING_MISMATCH,)),
        ("cambricon.com/vmlu", 0, (Reason.SHARING_MISMATCH,)),
        ("amd.com/gpu", 0, (Reason.SHARING_MISMATCH,)),
        ("enflame.com/vgcu", 0, (Reason.SHARING_MISMATCH,)),
        ("tke.cloud.tencent.com/qgpu", 0, (Reason.SHARING_MISMATCH,)),
        ("claim:hami-core-gpu.project-hami.io/nvidia-l4-24gb", 0, (Reason.SHARING_MISMATCH,)),
    ],
)
def test_a_share_is_asked_for_only_where_it_is_known_how(resource: str, percent: int, want: tuple[Reason, ...]) -> None:
    shared = replace(pool(), resource=resource, sharing=Sharing.VIRTUAL)
    wanted = demand(replace(requirement(count=1), share=Share(memory=8 * GIB, compute_percent=percent)))
    assert ask(wanted, in_pool=shared) == want
