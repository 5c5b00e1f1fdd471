"""Every filter's objection has words with the values of both sides."""

from dataclasses import replace
from typing import Any

import pytest

from builders import ASCEND, GIB, H100, NOW, demand, offer, pool, requirement, selector
from sampan.model.job import Domestic, Placement, Share
from sampan.model.launch import Launch, PodSecurity
from sampan.model.members.accelerator import CountRule, Precision, Sharing
from sampan.model.members.admission import Admission, Compulsory, LimitItem, LimitType
from sampan.model.members.offer import Terms
from sampan.model.reason import Reason
from sampan.model.values.names import NAMESPACE_NAME
from sampan.model.values.quantity import MICRO
from sampan.scheduling.answers.cells import unmet_constraint
from sampan.scheduling.feasibility.constraints.context import FilterContext
from sampan.scheduling.feasibility.constraints.handout import next_count
from sampan.scheduling.feasibility.constraints.phrases import moment
from sampan.scheduling.feasibility.constraints.table import CONSTRAINTS, violated

PAIRS = pool().accelerator
assert PAIRS is not None
RINGS = replace(PAIRS, count_rule=CountRule(allowed=(1, 2, 4, 8)))
AT_MOST = LimitItem(range="bounds", type=LimitType.CONTAINER, most=(("nvidia.com/gpu", 0),))
BARE = replace(PAIRS, throughput=(), memory_bandwidth=None)


def context(**parts: Any) -> FilterContext:
    """Return a question about one H100 node in cn-east, usable unless parts say otherwise."""
    base = FilterContext(demand=demand(requirement()), placement=Placement(), offer=offer(), pool=pool(), now=NOW, currency="CNY")
    return replace(base, **parts)


CASES = [
    ("wrong region", context(placement=Placement(regions=("cn-north", "cn-west"))), "region cn-north or cn-west", "region cn-east"),
    ("wrong provider", context(placement=Placement(providers=("acme",))), "provider acme", "provider prov"),
    ("wrong law", context(placement=Placement(jurisdictions=("EU",))), "jurisdiction EU", "jurisdiction CN"),
    ("wrong terms", context(placement=Placement(terms=(Terms.TRIAL,))), "terms Trial", "terms OnDemand"),
    (
        "label missing",
        context(placement=Placement(offer_selector=selector(tier="gold"))),
        "offer labels: tier In gold",
        "no label tier",
    ),
    ("not domestic", context(placement=Placement(domestic=Domestic.REQUIRED)), "domestic devices", "devices from US"),
    (
        "no namespace on the member",
        context(offer=replace(offer(), tenant_namespaces={"team-b": "jobs-b"}), tenant=((NAMESPACE_NAME, "team-a"),)),
        "a namespace on the member for jobs of namespace team-a",
        "the provider made none: it adds the namespace to tenants of the member chart",
    ),
    (
        "not domestic, no devices",
        context(placement=Placement(domestic=Domestic.REQUIRED), pool=replace(pool(), accelerator=None, resource="")),
        "domestic devices",
        "no devices",
    ),
    (
        "not domestic, unknown devices",
        context(placement=Placement(domestic=Domestic.REQUIRED), pool=replace(pool(), accelerator=None)),
        "domestic devices",
        "devices whose origin is not known",
    ),
    (
        "too dear",
        context(placement=Placement(max_price=10 * MICRO)),
        "at most 10.00 CNY per device-hour",
        "12.00 CNY",
    ),
    (
        "no price",
        context(placement=Placement(max_price=10 * MICRO), offer=offer(prices=())),
        "at most 10.00 CNY per device-hour",
        "no price in this currency",
    ),
    ("other class", context(demand=demand(requirement(ASCEND))), f"class {ASCEND}", f"class {H100}"),
    (
        "little memory",
        context(demand=demand(requirement(memory_per_device=96 * GIB))),
        "memory of at least 96Gi per device",
        "memory 80Gi",
    ),
    (
        "figure not known",
        context(demand=demand(requirement(fp16_tflops=250 * MICRO, memory_bandwidth=10**12)), pool=pool(accelerator=BARE)),
        "FP16 TFLOPS of at least 250.00 and memory bandwidth of at least 1000 GB/s per device",
        "FP16 TFLOPS not known and memory bandwidth not known",
    ),
    (
        "precision not known",
        context(demand=demand(replace(requirement(), precisions=(Precision.FP8,))), pool=pool(accelerator=BARE)),
        "a known figure for FP8 per device",
        "FP8 not known",
    ),
    ("old driver", context(demand=demand(requirement(min_driver="550"))), "driver 550 or newer", "driver not known"),
    (
        "three of pairs",
        context(demand=demand(requirement(count=3)), pool=pool(accelerator=RINGS)),
        "3 devices per replica",
        "handed out by 1, 2, 4, 8 devices at once; the next is 4",
    ),
    ("a partition", context(demand=demand(requirement(count=1, partition="1g.10gb"))), "partitions 1g.10gb", "whole devices"),
    (
        "another partition",
        context(
            demand=demand(requirement(count=1, partition="1g.10gb")), pool=replace(pool(), sharing=Sharing.PARTITION, profile="2g.20gb")
        ),
        "partitions 1g.10gb",
        "partitions 2g.20gb",
    ),
    ("arm image", context(demand=demand(requirement(), architectures=("arm64",))), "CPU architecture arm64", "amd64"),
    ("nodes with devices", context(demand=demand()), "nodes without accelerators", "kept for jobs that use them"),
    (
        "run too long",
        context(offer=replace(offer(), max_run_seconds=3600), demand=replace(demand(requirement()), limit_seconds=7200)),
        "a run of up to 7200 s",
        "at most 3600 s",
    ),
    ("no run limit", context(offer=replace(offer(), max_run_seconds=3600)), "declares no activeDeadlineSeconds", "at most 3600 s"),
    ("too many devices", context(offer=replace(offer(), max_devices_per_job=4)), "8 devices for one job", "at most 4"),
    (
        "forbidden pods",
        context(
            offer=replace(offer(), pod_security=PodSecurity.RESTRICTED),
            pool=replace(pool(), launch=Launch(pod_security=PodSecurity.PRIVILEGED)),
        ),
        "pods of level privileged",
        "enforces restricted",
    ),
    (
        "another user",
        context(demand=replace(demand(requirement()), user=33), pool=replace(pool(), launch=Launch(users=(1000, 2000)))),
        "securityContext.runAsUser 33",
        "users 1000 to 2000",
    ),
    (
        "root",
        context(
            offer=replace(offer(), pod_security=PodSecurity.RESTRICTED),
            demand=replace(demand(requirement()), user=0),
            pool=replace(pool(), launch=Launch(users=(0, 2000))),
        ),
        "level baseline, for securityContext.runAsUser 0",
        "enforces restricted",
    ),
    ("over", context(offer=offer(valid_until=NOW - 1)), "valid at 2027-01-15T08:00:00Z", "until 2027-01-15T07:59:59Z"),
    ("shut", context(offer=offer(accepting=False)), "takes new jobs", "takes none"),
    ("away", context(offer=offer(connected=False)), "answers", "does not answer"),
    ("unapproved", context(offer=offer(approved=False)), "approved", "has not approved"),
    ("no rights", context(offer=offer(permitted=False)), "right to run jobs", "not granted"),
    ("not for us", context(offer=replace(offer(), tenants=selector(team="x"))), "for jobs of this namespace", "for others"),
    ("no such policy", context(policy_known=False), "PlacementPolicy", "no"),
    (
        "a quota's word",
        context(pool=replace(pool(), admission=Admission(compulsory=(Compulsory(quota="compute", names=("limits.memory",)),)))),
        "names limits.memory",
        "set resources.limits.memory",
    ),
    (
        "out of a range",
        context(pool=replace(pool(), admission=Admission(limits=(AT_MOST,)))),
        "limit of 8 nvidia.com/gpu",
        "at most 0 nvidia.com/gpu",
    ),
    ("member queue shut", context(pool=replace(pool(), queue_inactive=True)), "member queue that is open", "missing or stopped"),
    (
        "member queue of others",
        context(pool=replace(pool(), member_queue="q", covers=frozenset({"cpu", "memory"}))),
        "hands out nvidia.com/gpu",
        "covers cpu, memory",
    ),
    ("no runtime class", context(pool=replace(pool(), runtime_missing=True)), "RuntimeClass", "does not exist"),
]
"""By name: a question that a filter objects to first of all, what is needed, what is present."""


@pytest.mark.parametrize("reason", [each.reason for each in CONSTRAINTS])
def test_every_filter_has_a_case_that_it_refuses(reason: Reason) -> None:
    """A filter that never speaks would be a lie."""
    assert any(violated(case[1])[0] is reason for case in CASES), f"add a case to CASES in which {reason} comes first"


@pytest.mark.parametrize(("asked", "needed", "present"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_an_objection_has_both_values(asked: FilterContext, needed: str, present: str) -> None:
    reason = violated(asked)[0]
    told = unmet_constraint(reason, asked)
    assert told.reason is reason
    assert needed in told.needed
    assert present in told.present


def test_devices_that_cannot_be_told_are_named_by_their_resource() -> None:
    asked = context(pool=replace(pool(), accelerator=None))
    assert "nvidia.com/gpu whose class cannot be told" in unmet_constraint(Reason.ACCELERATOR_MISMATCH, asked).present


def test_shares_in_unknown_units_are_named() -> None:
    shared = replace(pool(), resource="cambricon.com/vmlu", sharing=Sharing.VIRTUAL)
    asked = context(demand=demand(replace(requirement(count=1), share=Share(memory=GIB))), pool=shared)
    assert violated(asked) == (Reason.SHARING_MISMATCH,)
    found = unmet_constraint(Reason.SHARING_MISMATCH, asked)
    assert (found.needed, found.present) == (
        "shares of devices",
        "cambricon.com/vmlu, in whose units nobody knows how to ask for such a share",
    )


def test_the_hint_follows_what_is_needed() -> None:
    asked = context(demand=demand(requirement("h1000")))
    assert unmet_constraint(Reason.ACCELERATOR_MISMATCH, asked, hint=" (unknown)").needed == "class h1000 (unknown)"


@pytest.mark.parametrize(("rule", "count", "want"), [(CountRule(multiple_of=4), 6, 8), (CountRule(allowed=(1, 2)), 3, None)])
def test_the_next_allowed_count(rule: CountRule, count: int, want: int | None) -> None:
    assert PAIRS is not None
    assert next_count(context(demand=demand(requirement(count=count)), pool=pool(accelerator=replace(PAIRS, count_rule=rule)))) == want


def test_moments_are_written_as_kubernetes_does() -> None:
    assert moment(NOW) == "2027-01-15T08:00:00Z"


ANY_USER = Launch(users=(0, 65535))


@pytest.mark.parametrize(
    ("asked", "launch", "level", "want"),
    [
        (None, Launch(), PodSecurity.RESTRICTED, ()),
        (1000, Launch(), PodSecurity.RESTRICTED, ()),
        (1001, Launch(), PodSecurity.RESTRICTED, (Reason.USER_NOT_ALLOWED,)),
        (0, Launch(), PodSecurity.RESTRICTED, (Reason.USER_NOT_ALLOWED, Reason.POD_SECURITY_VIOLATED)),
        (1001, ANY_USER, PodSecurity.RESTRICTED, ()),
        (0, ANY_USER, PodSecurity.RESTRICTED, (Reason.POD_SECURITY_VIOLATED,)),
        (0, ANY_USER, PodSecurity.BASELINE, ()),
        (0, ANY_USER, None, ()),
        (None, Launch(users=(0, 0)), PodSecurity.RESTRICTED, (Reason.POD_SECURITY_VIOLATED,)),
        (0, Launch(pod_security=PodSecurity.BASELINE), PodSecurity.RESTRICTED, (Reason.LAUNCH_NOT_PERMITTED,)),
    ],
)
def test_offer_and_namespace_must_admit_the_user_that_a_job_runs_as(
    asked: int | None, launch: Launch, level: PodSecurity | None, want: tuple[Reason, ...]
) -> None:
    wanted, of = replace(demand(requirement()), user=asked), replace(offer(), pod_security=level)
    assert violated(context(demand=wanted, offer=of, pool=replace(pool(), launch=launch))) == want
