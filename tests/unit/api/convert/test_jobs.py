"""ComputeJobs become shapes: every field that a filter or a score reads arrives in base units."""

from typing import Any

import pytest

from sampan.api.convert.jobs import parse_spec, shape_of
from sampan.api.kinds.computejob import ComputeJobSpec
from sampan.model.job import Domestic, Requirement
from sampan.model.members.offer import Terms
from sampan.model.values.quantity import MICRO
from sampan.model.values.vector import CPU, MEMORY, PODS

GIB = 2**30
GPU = {"alternatives": [{"accelerator": {"stack": "cuda", "count": 1}}]}


def spec(**fields: Any) -> ComputeJobSpec:
    """Return a spec that parses."""
    parsed, problem = parse_spec({"template": {"image": "registry.example/a:1"}, **fields})
    assert parsed is not None, problem
    return parsed


def test_a_job_without_alternatives_is_one_cpu_demand() -> None:
    resources = {"requests": {"cpu": "500m"}, "limits": {"cpu": "2", "memory": "4Gi"}}
    shape = shape_of(spec(template={"image": "registry.example/a:1", "resources": resources}))
    (demand,) = shape.demands
    assert (demand.alternative, demand.requirement, demand.replicas, demand.least_replicas) == (None, None, 1, 1)
    assert dict(demand.per_replica) == {CPU: 500, MEMORY: 4 * GIB, PODS: 1}


def test_a_pod_is_counted_with_all_its_containers_as_kube_scheduler_counts_it() -> None:
    def of(name: str, cpu: str, *, sidecar: bool = False) -> dict[str, Any]:
        amounts = {"requests": {"cpu": cpu}, "limits": {"cpu": cpu}}
        return {"name": name, "image": "a:1", "resources": amounts, **({"restartPolicy": "Always"} if sidecar else {})}

    def asked(*init: dict[str, Any]) -> tuple[int, int]:
        resources = {"requests": {"cpu": "2", "memory": "1Gi"}, "limits": {"cpu": "2"}}
        template = {"image": "registry.example/a:1", "resources": resources, "initContainers": init}
        (demand,) = shape_of(spec(template=template)).demands
        assert demand.per_replica[MEMORY] == GIB
        assert demand.per_replica[PODS] == 1
        return demand.per_replica[CPU], dict(demand.limits)[CPU]

    assert asked({"name": "a", "image": "a:1"}) == (2000, 2000), "an init container that names no amounts has the main one's"
    assert asked({"name": "a", "image": "a:1", "restartPolicy": "Always"}) == (2000, 2000), "a sidecar that names none asks for none"
    assert asked(of("a", "1")) == (2000, 2000), "an init container is done before the main one begins"
    assert asked(of("a", "3")) == (3000, 3000)
    assert asked(of("a", "1", sidecar=True)) == (3000, 3000), "a sidecar runs beside it"
    assert asked(of("a", "1", sidecar=True), of("b", "4")) == (5000, 5000), "an init container runs beside the sidecars before it"


def test_what_sidecars_add_is_told_apart_from_what_the_main_container_names() -> None:
    side = {"name": "a", "image": "a:1", "restartPolicy": "Always", "resources": {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}}}
    resources = {"requests": {"cpu": "2"}, "limits": {"cpu": "2"}}
    (demand,) = shape_of(spec(template={"image": "a:1", "resources": resources, "initContainers": [side]})).demands
    assert (dict(demand.per_replica), dict(demand.limits)) == ({CPU: 3000, MEMORY: GIB, PODS: 1}, {CPU: 2000, MEMORY: GIB})
    assert (dict(demand.beside), dict(demand.limits_beside)) == ({CPU: 1000, MEMORY: GIB}, {MEMORY: GIB})
    (alone,) = shape_of(spec(template={"image": "a:1", "resources": resources})).demands
    assert demand.main == alone
    assert alone.main is alone


def test_more_objects_than_may_travel_are_refused_before_anything_is_read() -> None:
    env = [{"name": f"V{i}", "valueFrom": {"secretKeyRef": {"name": f"s{i}", "key": "a"}}} for i in range(65)]
    parsed, problem = parse_spec({"template": {"image": "a:1", "env": env}})
    assert parsed is None
    assert problem == "spec: 65 ConfigMaps and Secrets are named; at most 64 travel with a job"


def test_an_alternative_overrides_replicas_and_resources() -> None:
    shape = shape_of(
        spec(
            replicas=4,
            alternatives=[
                {"accelerator": {"class": "nvidia-h100-sxm-80gb", "count": 8}},
                {
                    "accelerator": {"stack": "cuda", "capability": {"memoryPerDevice": "64Gi", "fp16TFLOPS": "250"}, "count": 4},
                    "replicas": 8,
                    "waitSeconds": 60,
                    "resources": {"requests": {"cpu": "8"}},
                },
            ],
        )
    )
    first, second = shape.demands
    assert (first.replicas, first.least_replicas) == (4, 4)
    assert (second.replicas, second.wait_seconds, second.per_replica[CPU]) == (8, 60, 8000)
    assert second.requirement == Requirement(count=4, stack="cuda", memory_per_device=64 * GIB, fp16_tflops=250 * MICRO)


def test_a_sweep_starts_with_one_member_and_is_as_wide_as_allowed() -> None:
    (demand,) = shape_of(spec(gang=False, completions=100, parallelism=20)).demands
    assert (demand.replicas, demand.least_replicas) == (20, 1)


@pytest.mark.parametrize("placement", [None, {}, {"terms": []}, {"regions": ["a"]}], ids=["none", "empty", "no terms", "other limits"])
def test_who_names_no_terms_accepts_on_demand_alone(placement: dict[str, Any] | None) -> None:
    given = {} if placement is None else {"placement": placement}
    assert shape_of(spec(**given)).placement.terms == (Terms.ON_DEMAND,)
    assert shape_of(spec(placement={"terms": ["Interruptible"]})).placement.terms == (Terms.INTERRUPTIBLE,)


def test_placement_is_canonical() -> None:
    one = shape_of(spec(**GPU, placement={"regions": ["b", "a"], "terms": ["Trial", "OnDemand"], "maxPricePerDeviceHour": "15.00"}))
    two = shape_of(spec(**GPU, placement={"regions": ["a", "b"], "terms": ["OnDemand", "Trial"], "maxPricePerDeviceHour": "15"}))
    assert one == two
    assert one.placement.max_price == 15 * MICRO
    assert one.placement.terms == (Terms.ON_DEMAND, Terms.TRIAL)
    assert shape_of(spec(**GPU, placement={"domestic": "Required"})).placement.domestic is Domestic.REQUIRED


def test_a_bad_spec_names_its_fields_and_never_its_values() -> None:
    parsed, problem = parse_spec({"template": {"image": "registry.example/a:1"}, "replicas": 0, "canary-secret": "s3cr3t"})
    assert parsed is None
    assert "spec.replicas" in problem
    assert "s3cr3t" not in problem
