"""Namespaces with rules of all kinds, and jobs for them: a table and as many random ones as wished. No test lives here."""

import json
from dataclasses import dataclass
from random import Random
from typing import Any

from remote_specs import remote_spec
from sampan.api.kinds.computejob import ComputeJobSpec
from sampan.api.launch.manifest import job_manifest

GPU = "nvidia.com/gpu"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One namespace with rules, and a job for it."""

    name: str
    quotas: tuple[Json, ...] = ()
    """Specs."""
    ranges: tuple[Json, ...] = ()
    """Items, one LimitRange each."""
    resources: Json | None = None
    devices: int = 0
    before: bool = False
    """A pod of somebody else is there: 1 cpu, 1Gi, one device."""


def hard(scope: Json | None = None, **amounts: str) -> Json:
    names = {name.replace("__", "/").replace("_", "."): amount for name, amount in amounts.items()}
    return {"hard": names, **(scope or {})}


def scoped(*terms: tuple[str, str, tuple[str, ...]]) -> Json:
    return {"scopeSelector": {"matchExpressions": [{"scopeName": n, "operator": o, "values": list(v)} for n, o, v in terms]}}


def amounts(requests: Json | None = None, limits: Json | None = None) -> Json:
    return {**({"requests": requests} if requests else {}), **({"limits": limits} if limits else {})}


NEED = amounts({"cpu": "2", "memory": "4Gi"})
BOTH = amounts({"cpu": "2", "memory": "4Gi"}, {"cpu": "2", "memory": "8Gi"})
HIGH = scoped(("PriorityClass", "In", ("high",)))
TABLE = (
    World(name="free", resources=NEED, devices=1),
    World(name="limits-only", quotas=(hard(limits_cpu="400", limits_memory="8Ti"),), resources=NEED, devices=1),
    World(name="limits-named", quotas=(hard(limits_cpu="400", limits_memory="8Ti"),), resources=BOTH, devices=1),
    World(name="limits-short", quotas=(hard(limits_memory="7Gi"),), resources=BOTH),
    World(name="other-class", quotas=({**hard(pods="0"), **HIGH},), resources=NEED),
    World(name="not-other-class", quotas=(hard(scoped(("PriorityClass", "NotIn", ("high",))), pods="0"),), resources=NEED),
    World(name="no-class", quotas=(hard(scoped(("PriorityClass", "DoesNotExist", ())), pods="0"),), resources=NEED),
    World(name="any-class", quotas=(hard(scoped(("PriorityClass", "Exists", ())), pods="0"),), resources=NEED),
    World(name="no-pods", quotas=(hard(pods="0"),), resources=NEED),
    World(name="no-pods-counted", quotas=({"hard": {"count/pods": "0"}},), resources=NEED),
    World(name="no-devices", quotas=(hard(requests_nvidia_com__gpu="0"),), devices=1),
    World(name="no-devices-needed", quotas=({"hard": {"requests.nvidia.com/gpu": "0"}},), resources=NEED),
    World(name="devices-zero", quotas=({"hard": {"requests.nvidia.com/gpu": "0"}},), devices=1),
    World(name="best-effort", quotas=(hard({"scopes": ["BestEffort"]}, pods="0"),), devices=1),
    World(name="not-best-effort", quotas=(hard({"scopes": ["NotBestEffort"]}, pods="0"),), resources=NEED),
    World(name="terminating", quotas=(hard({"scopes": ["Terminating"]}, pods="0"),), resources=NEED),
    World(name="not-terminating", quotas=(hard({"scopes": ["NotTerminating"]}, pods="0"),), resources=NEED),
    World(name="cross", quotas=(hard({"scopes": ["CrossNamespacePodAffinity"]}, pods="0"),), resources=NEED),
    World(name="requests-missing", quotas=(hard(requests_cpu="9", memory="9Gi"),), devices=1),
    World(name="zero-named", quotas=(hard(requests_cpu="9"),), resources=amounts({"cpu": "0"})),
    World(name="zero-cpu", quotas=(hard(cpu="0"),), resources=amounts({"cpu": "0"})),
    World(name="full", quotas=(hard(pods="1"),), resources=NEED, before=True),
    World(name="default-low", ranges=({"default": {"memory": "512Mi"}, "defaultRequest": {"memory": "256Mi"}},), resources=NEED),
    World(name="default-helps", quotas=(hard(limits_memory="8Gi"),), ranges=({"default": {"memory": "5Gi"}},), resources=NEED),
    World(name="default-counts", quotas=(hard(limits_memory="4Gi"),), ranges=({"default": {"memory": "5Gi"}},), resources=NEED),
    World(name="default-best-effort", quotas=(hard({"scopes": ["BestEffort"]}, pods="0"),), ranges=({"default": {"cpu": "1"}},), devices=1),
    World(name="pod-max", ranges=({"type": "Pod", "max": {"memory": "16Gi"}},), resources=NEED),
    World(name="pod-max-limits", ranges=({"type": "Pod", "max": {"memory": "16Gi"}},), resources=BOTH),
    World(name="max-devices", ranges=({"max": {GPU: "1"}},), devices=2),
    World(name="max-devices-fits", ranges=({"max": {GPU: "2"}},), devices=2),
    World(name="max-devices-zero", ranges=({"max": {GPU: "0"}},), devices=1),
    World(name="ratio", ranges=({"maxLimitRequestRatio": {"memory": "1500m"}},), resources=BOTH),
    World(name="ratio-exact", ranges=({"maxLimitRequestRatio": {"memory": "2"}},), resources=BOTH),
    World(name="min", ranges=({"min": {"cpu": "3"}},), resources=NEED),
)


def random_world(chance: Random, number: int) -> World:
    """Return rules and a job whose amounts meet often."""
    pick = chance.choice
    names = ("cpu", "requests.cpu", "limits.cpu", "memory", "requests.memory", "limits.memory", "pods", "count/pods", f"requests.{GPU}")
    sized = {"cpu": ("0", "1", "2", "4"), "memory": ("0", "1Gi", "4Gi", "8Gi"), "pods": ("0", "1", "2"), GPU: ("0", "1", "2")}
    scopes: tuple[Json, ...] = (
        {},
        {},
        {"scopes": ["NotTerminating"]},
        {"scopes": [pick(("BestEffort", "NotBestEffort"))]},
        scoped(("PriorityClass", pick(("Exists", "DoesNotExist")), ())),
        scoped(("PriorityClass", pick(("In", "NotIn")), ("high", "low"))),
    )

    def amount(name: str) -> str:
        return pick(sized[next(key for key in sized if name.endswith(key))])

    def quota() -> Json:
        return {"hard": {name: amount(name) for name in chance.sample(names, chance.randint(1, 3))}, **pick(scopes)}

    def some(of: tuple[str, ...]) -> Json:
        return {name: amount(name) for name in chance.sample(of, chance.randint(1, 2)) if chance.random() < 0.8}

    def item() -> Json:
        kind = pick(("Container", "Container", "Pod"))
        parts = chance.sample(("max", "min", "default", "defaultRequest"), chance.randint(1, 2))
        made = {part: some(("cpu", "memory", GPU) if part == "max" else ("cpu", "memory")) for part in parts}
        ratio = {"maxLimitRequestRatio": {"memory": pick(("1", "2"))}} if chance.random() < 0.2 else {}
        return {"type": kind, **made, **ratio}

    requests = some(("cpu", "memory"))
    limits = {name: pick([each for each in sized[name] if each != "0"]) for name in ("cpu", "memory") if chance.random() < 0.4}
    return World(
        name=f"random-{number}",
        quotas=tuple(quota() for _ in range(chance.randint(0, 2))),
        ranges=tuple(item() for _ in range(chance.randint(0, 2))),
        resources=amounts(requests, limits),
        devices=pick((0, 1, 2)),
        before=chance.random() < 0.3,
    )


def spec_of(world: World) -> ComputeJobSpec | None:
    """Return the ComputeJob of a world, None for one that is none (requests above limits)."""
    body: Json = {"template": {"image": "registry.example/t:1", **({"resources": world.resources} if world.resources else {})}}
    if world.devices:
        body["alternatives"] = [{"accelerator": {"vendor": "nvidia", "count": world.devices}}]
    try:
        return ComputeJobSpec.model_validate(body)
    except ValueError:
        return None


def pod_of(world: World, spec: ComputeJobSpec) -> Json:
    """Return the pod that the Job controller would make of our Job."""
    device = (GPU, world.devices) if world.devices else None
    sent = spec.model_dump(by_alias=True, exclude_unset=True)
    job = job_manifest(remote_spec(sent, device=device, alternative=0 if device else None))
    template = json.loads(json.dumps(job["spec"]["template"]))
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {**template["metadata"], "name": "ours"}, "spec": template["spec"]}
