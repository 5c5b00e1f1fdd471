"""Quotas and LimitRanges of a namespace, read as the member's API server reads them."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from sampan.inventory.in_flight import Created, InFlight
from sampan.inventory.namespace_rules import NamespaceRules
from sampan.kube.objects import quotas as kube
from sampan.model.members.admission import ALL_PODS, CONFIG_MAPS, JOBS, Compulsory, LimitItem, LimitType, Quota
from sampan.model.values.vector import Vector
from sampan.scheduling.capacity.quota_usage import QuotaUse

GPU = "nvidia.com/gpu"
Texts = Mapping[str, str]


@pytest.fixture
def told() -> list[int]:
    return []


@pytest.fixture
def rules(told: list[int]) -> NamespaceRules:
    return NamespaceRules(lambda: told.append(1))


def quota(name: str, hard: Texts, used: Texts | None = None, *, spec: Texts | None = None, **scope: Any) -> kube.ResourceQuota:
    """`spec`: hard as wished for, where it is not what is in force; `scope`: `scopes` or `terms`."""
    wish = {"hard": hard if spec is None else spec, "scopes": scope.get("scopes", [])}
    wish |= {"scopeSelector": {"matchExpressions": scope["terms"]}} if "terms" in scope else {}
    status = {"hard": hard, "used": dict.fromkeys(hard, "0") if used is None else used} if hard else {}
    return msgspec.convert({"metadata": {"name": name, "namespace": "jobs"}, "spec": wish, "status": status}, kube.ResourceQuota)


def priority_class(name: str, value: int = 0, *, default: bool = True) -> kube.PriorityClass:
    return msgspec.convert({"metadata": {"name": name}, "value": value, "globalDefault": default}, kube.PriorityClass)


def term(name: str, operator: str, *values: str) -> dict[str, Any]:
    return {"scopeName": name, "operator": operator, "values": list(values)}


def flight(*, replicas: int = 1, best_effort: bool = False, made: Created | None = None, once: Mapping[str, int] | None = None) -> InFlight:
    use = QuotaUse(each={GPU: 1, "pods": 1, "cpu": 1000}, once={JOBS: 1, **(once or {})}, best_effort=best_effort)
    return InFlight(job_uid="j", nodes=(), per_replica=Vector(), replicas=replicas, namespace="jobs", use=use, created=made or Created())


def left(rules: NamespaceRules, *flights: InFlight) -> list[dict[str, int]]:
    return [dict(each.left) for each in rules.quotas(flights).get("jobs", ())]


@pytest.mark.parametrize(
    ("hard", "used", "want"),
    [
        ({"requests.nvidia.com/gpu": "0"}, {}, {GPU: 0}),
        ({"pods": "0", "cpu": "0", "memory": "0"}, {}, {"pods": 0, "cpu": 0, "memory": 0}),
        ({"requests.cpu": "4", "cpu": "2"}, {"requests.cpu": "1500m", "cpu": "1500m"}, {"cpu": 500}),
        ({"limits.cpu": "400", "limits.memory": "8Ti"}, {}, {"limits.cpu": 400_000, "limits.memory": 8 * 2**40}),
        ({"limits.ephemeral-storage": "1Gi"}, {}, {"limits.ephemeral-storage": 2**30}),
        ({"requests.ephemeral-storage": "2Gi"}, {"requests.ephemeral-storage": "1Gi"}, {"ephemeral-storage": 2**30}),
        ({"pods": "4"}, {"pods": "9"}, {"pods": -5}),
        ({"count/jobs.batch": "3", "count/pods": "2"}, {"count/jobs.batch": "3", "count/pods": "0"}, {JOBS: 0, ALL_PODS: 2}),
        ({"configmaps": "2", "count/configmaps": "1"}, {}, {CONFIG_MAPS: 1}),
        ({"hugepages-2Mi": "0"}, {}, {"hugepages-2Mi": 0}),
        ({"gpu.nvidia.com.deviceclass.resource.k8s.io/devices": "0"}, {}, {"gpu.nvidia.com.deviceclass.resource.k8s.io/devices": 0}),
        ({"count/resourceclaims.resource.k8s.io": "1"}, {}, {"count/resourceclaims.resource.k8s.io": 1}),
        ({"nvidia.com/gpu": "0"}, {}, {}),
        ({"persistentvolumeclaims": "0", "requests.storage": "0", "services.loadbalancers": "0", "count/deployments.apps": "0"}, {}, {}),
    ],
    ids=str,
)
def test_what_a_quota_leaves_zeros_included(rules: NamespaceRules, hard: Texts, used: Texts, want: Mapping[str, int]) -> None:
    rules.replace_quotas("jobs", [quota("q", hard, {**dict.fromkeys(hard, "0"), **used})])
    assert left(rules) == [want]


def test_every_quota_counts_by_itself(rules: NamespaceRules, told: list[int]) -> None:
    rules.put_quota(quota("b", {"pods": "2"}))
    rules.put_quota(quota("a", {"pods": "9", "cpu": "1"}))
    assert [each.name for each in rules.quotas(())["jobs"]] == ["a", "b"]
    assert left(rules) == [{"pods": 9, "cpu": 1000}, {"pods": 2}]
    rules.drop_quota(quota("b", {}))
    assert left(rules) == [{"pods": 9, "cpu": 1000}]
    assert len(told) == 3


@pytest.mark.parametrize(
    ("made", "want", "uncounted"),
    [
        (quota("q", {"pods": "5"}, {}), {"pods": 0}, ["pods"]),
        (quota("q", {}, spec={"pods": "5"}), {"pods": 5}, []),
        (quota("q", {"pods": "5"}, spec={"pods": "3"}), {"pods": 3}, []),
        (quota("q", {"pods": "3"}, spec={"pods": "5"}), {"pods": 3}, []),
        (quota("q", {"pods": "3", "cpu": "1"}, spec={"pods": "3"}), {"pods": 3, "cpu": 1000}, []),
        (quota("q", {"pods": "3"}, spec={"pods": "3", "cpu": "0"}), {"pods": 3, "cpu": 0}, []),
    ],
    ids=[
        "not counted yet: the server refuses",
        "not looked at yet: by what is wished for",
        "lowered, not in force yet",
        "raised, not in force yet",
        "an entry that is to go",
        "an entry that is to come",
    ],
)
def test_a_quota_that_its_controller_has_not_looked_at(
    rules: NamespaceRules, made: kube.ResourceQuota, want: Mapping[str, int], uncounted: list[str]
) -> None:
    rules.put_quota(made)
    (only,) = rules.quotas(())["jobs"]
    assert (only.left, sorted(only.uncounted)) == (want, uncounted)


HIGH = term("PriorityClass", "In", "high")


@pytest.mark.parametrize(
    ("scope", "default", "want"),
    [
        ({"scopes": ["Terminating"]}, "", None),
        ({"scopes": ["NotTerminating"]}, "", (None,)),
        ({"scopes": ["BestEffort"]}, "", (True,)),
        ({"scopes": ["NotBestEffort", "NotTerminating"]}, "", (False,)),
        ({"scopes": ["BestEffort", "Terminating"]}, "", None),
        ({"scopes": ["BestEffort", "NotBestEffort"]}, "", None),
        ({"scopes": ["CrossNamespacePodAffinity"]}, "", None),
        ({"scopes": ["PriorityClass"]}, "", None),
        ({"scopes": ["PriorityClass"]}, "high", (None,)),
        ({"scopes": ["SomethingNew"]}, "", None),
        ({"terms": [HIGH]}, "", None),
        ({"terms": [HIGH]}, "high", (None,)),
        ({"terms": [HIGH]}, "low", None),
        ({"terms": [term("PriorityClass", "NotIn", "high")]}, "", (None,)),
        ({"terms": [term("PriorityClass", "NotIn", "high")]}, "high", None),
        ({"terms": [term("PriorityClass", "Exists")]}, "", None),
        ({"terms": [term("PriorityClass", "DoesNotExist")]}, "", (None,)),
        ({"terms": [term("PriorityClass", "DoesNotExist")]}, "low", None),
        ({"terms": [term("BestEffort", "Exists"), HIGH]}, "high", (True,)),
        ({"terms": [term("VolumeAttributesClass", "Exists")]}, "", None),
    ],
    ids=str,
)
def test_scopes_are_held_against_our_pods(
    rules: NamespaceRules, scope: Mapping[str, Any], default: str, want: tuple[bool | None] | None
) -> None:
    """`want`: None: the quota counts none of ours; else which pods it counts."""
    rules.replace_classes([priority_class(default)] if default else [])
    rules.put_quota(quota("q", {"pods": "0"}, **scope))
    found = rules.quotas(()).get("jobs", ())
    assert [each.best_effort for each in found] == list(want or ())


def test_with_a_scope_only_pods_are_counted(rules: NamespaceRules) -> None:
    hard = {"pods": "1", "count/configmaps": "0", "count/jobs.batch": "0", "count/resourceclaims.resource.k8s.io": "0"}
    rules.put_quota(quota("q", hard, scopes=["NotTerminating"]))
    assert left(rules) == [{"pods": 1}]


def test_of_several_default_classes_the_lowest_is_given(rules: NamespaceRules) -> None:
    for each in (priority_class("high", 100), priority_class("low", 1), priority_class("none", -5, default=False)):
        rules.put_class(each)
    assert rules.default_class == "low"
    rules.drop_class(priority_class("low"))
    assert rules.default_class == "high"


def test_bound_jobs_are_taken_until_the_quota_counts_their_pods(rules: NamespaceRules) -> None:
    rules.put_quota(quota("q", {"pods": "10", "count/jobs.batch": "2"}, {"pods": "1", "count/jobs.batch": "0"}))
    assert left(rules, flight(replicas=4)) == [{"pods": 5, JOBS: 1}]
    assert left(rules, flight(replicas=4, made=Created(job=True, active=1))) == [{"pods": 6, JOBS: 1}]
    rules.put_quota(quota("q", {"pods": "10", "count/jobs.batch": "2"}, {"pods": "5", "count/jobs.batch": "1"}))
    assert left(rules, flight(replicas=4, made=Created(job=True, active=4))) == [{"pods": 5, JOBS: 1}], "counted once"
    assert left(rules) == [{"pods": 5, JOBS: 1}], "it ended, the quota does not say so yet"


def test_where_the_quota_says_nothing_what_we_see_of_ours_counts(rules: NamespaceRules) -> None:
    rules.put_quota(quota("q", {}, spec={"pods": "10"}))
    assert left(rules, flight(replicas=4, made=Created(job=True, active=3))) == [{"pods": 6}]


def test_pods_that_ended_count_where_all_do(rules: NamespaceRules) -> None:
    rules.put_quota(quota("q", {"count/pods": "20"}, {"count/pods": "7"}))
    sweep = flight(replicas=2, made=Created(job=True, active=2, ended=5), once={ALL_PODS: 10})
    assert left(rules, sweep) == [{ALL_PODS: 10}]


def test_dependents_are_taken_until_they_are_there(rules: NamespaceRules) -> None:
    rules.put_quota(quota("q", {"configmaps": "5"}, {"configmaps": "1"}))
    assert left(rules, flight(once={CONFIG_MAPS: 2})) == [{CONFIG_MAPS: 2}]
    assert left(rules, flight(made=Created(job=True), once={CONFIG_MAPS: 2})) == [{CONFIG_MAPS: 2}]
    rules.put_quota(quota("q", {"configmaps": "5"}, {"configmaps": "3"}))
    assert left(rules, flight(made=Created(job=True, dependents=True), once={CONFIG_MAPS: 2})) == [{CONFIG_MAPS: 2}]


def test_a_quota_of_other_pods_is_not_taken_from(rules: NamespaceRules) -> None:
    rules.put_quota(quota("q", {"pods": "3"}, scopes=["BestEffort"]))
    assert left(rules, flight(replicas=2), flight(best_effort=True)) == [{"pods": 2}]


def test_what_a_quota_makes_pods_name(rules: NamespaceRules) -> None:
    rules.put_quota(quota("a", {"limits.memory": "8Ti", "requests.nvidia.com/gpu": "8", "cpu": "4", "limits.ephemeral-storage": "1Gi"}))
    rules.put_quota(quota("b", {"pods": "1"}))
    rules.put_quota(quota("c", {"requests.memory": "1Gi"}, scopes=["NotBestEffort"]))
    rules.put_quota(quota("d", {"limits.cpu": "1"}, scopes=["Terminating"]))
    assert rules.admission["jobs"].compulsory == (
        Compulsory(quota="a", names=("cpu", "limits.memory")),
        Compulsory(quota="c", names=("requests.memory",), best_effort=False),
    )


def limit_range(name: str, *items: Mapping[str, Any]) -> kube.LimitRange:
    return msgspec.convert({"metadata": {"name": name, "namespace": "jobs"}, "spec": {"limits": list(items)}}, kube.LimitRange)


def test_limit_ranges_are_read_in_base_units_zeros_included(rules: NamespaceRules) -> None:
    container = {"type": "Container", "default": {"memory": "512Mi", "cpu": "0"}, "max": {GPU: 0}, "maxLimitRequestRatio": {"cpu": "1.5"}}
    pod = {"type": "Pod", "min": {"cpu": "250m"}, "default": {"cpu": "1"}}
    rules.put_range(limit_range("bounds", container, pod, {"type": "PersistentVolumeClaim", "max": {"storage": "1Gi"}}))
    assert rules.admission["jobs"].limits == (
        LimitItem(
            range="bounds",
            type=LimitType.CONTAINER,
            most=((GPU, 0),),
            default=(("cpu", 0), ("memory", 512 * 2**20)),
            ratios=(("cpu", 1500),),
        ),
        LimitItem(range="bounds", type=LimitType.POD, least=(("cpu", 250),)),
    )


def test_what_is_asked_is_the_same_value_while_nothing_changes(rules: NamespaceRules) -> None:
    rules.replace_ranges("jobs", [limit_range("bounds", {"type": "Pod", "max": {"cpu": "1"}})])
    rules.put_quota(quota("q", {"limits.cpu": "4"}))
    before = rules.admission
    rules.put_quota(quota("q", {"limits.cpu": "4"}, {"limits.cpu": "3"}))
    assert rules.admission is before
    rules.drop_range(limit_range("bounds"))
    rules.drop_quota(quota("q", {}))
    assert rules.admission == {}


def test_an_amount_that_is_none_is_passed_over(rules: NamespaceRules) -> None:
    rules.put_quota(quota("q", {"pods": "-1", "cpu": "much"}))
    rules.put_range(limit_range("r", {"type": "Pod", "max": {"cpu": "?"}, "maxLimitRequestRatio": {"cpu": "-"}}))
    assert rules.quotas(())["jobs"] == (Quota(name="q", left={}),)
    assert rules.admission["jobs"].limits == (LimitItem(range="r", type=LimitType.POD),)
