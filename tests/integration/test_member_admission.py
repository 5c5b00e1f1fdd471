"""What we foretell of quotas and LimitRanges against what an API server does: pods of our own Jobs in namespaces with rules of all kinds.

Each world is a namespace; its rules are read back from the server, as a member link reads them, and the pod is the one that the
Job controller would make of our manifest.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import msgspec
import numpy as np
import pytest

from integration.admission_worlds import GPU, NEED, TABLE, Json, World, amounts, hard, pod_of, random_world, spec_of
from integration.crd_server import Server
from integration.support import PATIENCE, wait_for
from remote_specs import remote_spec
from sampan.api.convert.jobs import shape_of
from sampan.api.kinds.computejob import ComputeJobSpec
from sampan.api.launch.manifest import job_manifest
from sampan.inventory.namespace_rules import NamespaceRules
from sampan.kube.objects import quotas as kube
from sampan.model.members.admission import NO_ADMISSION, Quota
from sampan.model.members.cluster import Pool
from sampan.model.reason import Reason
from sampan.model.values.quantity import parse_quantity
from sampan.scheduling.capacity.limits import Limit
from sampan.scheduling.capacity.pod_amounts import PodAmounts, admitted
from sampan.scheduling.capacity.quota_usage import QuotaUse, use_of
from sampan.scheduling.feasibility.admission import Fault, unnamed, violations

pytestmark = pytest.mark.integration

CORE = "/api/v1/namespaces"
CLASSES = "/apis/scheduling.k8s.io/v1/priorityclasses"
WORLDS = 160
"""Random ones, beside those of the table."""


@pytest.fixture(scope="module")
def server(bare_api: Any) -> Server:
    return Server(bare_api.client())


def build(server: Server, world: World) -> None:
    """Make the namespace with its rules; a rule that the server does not take is none."""
    assert server.send("POST", CORE, {"metadata": {"name": world.name}}).status == 201
    server.send("POST", f"{CORE}/{world.name}/serviceaccounts", {"metadata": {"name": "default"}})
    if world.before:
        container = {"name": "c", "image": "x", "resources": {"limits": {"cpu": "1", "memory": "1Gi", GPU: "1"}}}
        pod = {"metadata": {"name": "before"}, "spec": {"containers": [container]}}
        assert server.send("POST", f"{CORE}/{world.name}/pods", pod).status == 201
    for number, quota in enumerate(world.quotas):
        server.send("POST", f"{CORE}/{world.name}/resourcequotas", {"metadata": {"name": f"quota-{number}"}, "spec": quota})
    for number, item in enumerate(world.ranges):
        body = {"metadata": {"name": f"range-{number}"}, "spec": {"limits": [{"type": "Container", **item}]}}
        server.send("POST", f"{CORE}/{world.name}/limitranges", body)


def settle(server: Server, worlds: list[World]) -> None:
    """Wait until all rules are in force: admission sees them in the order in which they were made, the last one last."""
    last = World(name="sentinel", quotas=(hard(pods="0"),), ranges=({"max": {"cpu": "1"}},), resources=amounts({}, {"cpu": "2"}))
    build(server, last)
    spec = spec_of(last)
    assert spec is not None

    def refused_by_both() -> bool:
        message = create(server, last, spec).message
        server.send("DELETE", f"{CORE}/sentinel/limitranges/range-0") if "maximum cpu" in message else None
        return "exceeded quota" in message

    wait_for(refused_by_both, "the last namespace's rules are in force")
    for world in worlds:
        for quota in server.send("GET", f"{CORE}/{world.name}/resourcequotas").body["items"]:
            path = f"{CORE}/{world.name}/resourcequotas/{quota['metadata']['name']}"
            counted = lambda path=path: "used" in server.send("GET", path).body.get("status", {})  # noqa: E731
            wait_for(counted, f"{path} is counted")


def create(server: Server, world: World, spec: ComputeJobSpec) -> Any:
    return server.send("POST", f"{CORE}/{world.name}/pods?dryRun=All", pod_of(world, spec))


def rules_in(server: Server, world: World) -> NamespaceRules:
    """Return the rules of a namespace as a member link has them."""
    rules = NamespaceRules(lambda: None)
    quotas = server.send("GET", f"{CORE}/{world.name}/resourcequotas").body["items"]
    ranges = server.send("GET", f"{CORE}/{world.name}/limitranges").body["items"]
    rules.replace_quotas(world.name, [msgspec.convert(each, kube.ResourceQuota) for each in quotas])
    rules.replace_ranges(world.name, [msgspec.convert(each, kube.LimitRange) for each in ranges])
    rules.replace_classes([msgspec.convert(each, kube.PriorityClass) for each in server.send("GET", CLASSES).body["items"]])
    return rules


def foretold(server: Server, world: World, spec: ComputeJobSpec) -> tuple[str, ...]:
    """Return why we say that the pod is refused; empty: it is admitted."""
    rules = rules_in(server, world)
    asked = rules.admission.get(world.name, NO_ADMISSION)
    pool = Pool(name="p", cluster_uid="c", nodes=(), resource=GPU, namespace=world.name, admission=asked)
    demand = shape_of(spec).demands[0]
    against: list[Fault] = [each.fault for each in violations(demand, pool) if each.fault is not Fault.FILLED_IN_DEVICES]
    against += [each.fault for each in unnamed(demand, pool)]
    whole = use_of(demand, pool)
    pod = QuotaUse(each=whole.each, best_effort=whole.best_effort)
    limits = [_limit(each) for each in rules.quotas(()).get(world.name, ())]
    return (*map(str, against), *("quota" for limit in limits if limit.fits(pod) < 1))


def _limit(made: Quota) -> Limit:
    key = ("c", "quota", "", made.name)
    return Limit(key=key, reason=Reason.QUOTA_EXHAUSTED, columns=np.zeros(0, dtype=np.int64), left=dict(made.left), quota=made)


@pytest.fixture(scope="module")
def worlds(server: Server) -> Iterator[list[World]]:
    chance = Random(8)
    made = [*TABLE, *(random_world(chance, number) for number in range(WORLDS))]
    made = [world for world in made if spec_of(world) is not None]
    for world in made:
        build(server, world)
    settle(server, made)
    yield made
    for world in (*made, World(name="sentinel")):
        server.send("DELETE", f"{CORE}/{world.name}")


@pytest.mark.parametrize("default", [None, "high", "low"])
def test_the_server_admits_what_we_say_it_admits(server: Server, worlds: list[World], default: str | None) -> None:
    """Every world, without and with a priority class that pods are given which name none."""
    if default is not None:
        server.send("POST", CLASSES, {"metadata": {"name": default}, "value": 7, "globalDefault": True})
    free, spec = worlds[0], spec_of(worlds[0])
    assert spec is not None
    wait_for(lambda: create(server, free, spec).body["spec"].get("priorityClassName") == default, "the class is given")
    answers = [agreed(server, world) for world in worlds]
    if default is not None:
        server.send("DELETE", f"{CLASSES}/{default}")
    assert answers.count(201) > 40
    assert sum(status in (403, 422) for status in answers) > 40


def agreed(server: Server, world: World) -> int:
    """Return the server's answer once ours is the same: a count that just changes is soon the same for both."""
    spec, deadline = spec_of(world), time.monotonic() + PATIENCE
    assert spec is not None
    while True:
        why, answer = foretold(server, world, spec), create(server, world, spec)
        if (answer.status == 201) is not bool(why):
            return int(answer.status)
        assert time.monotonic() < deadline, (world, why, answer.status, answer.message)
        time.sleep(0.2)


def test_a_pod_has_what_we_say_that_limit_ranges_fill_in(server: Server, worlds: list[World]) -> None:
    checked = 0
    for world in worlds:
        spec, rules = spec_of(world), rules_in(server, world)
        assert spec is not None
        answer = create(server, world, spec)
        asked = rules.admission.get(world.name, NO_ADMISSION)
        if answer.status == 201 and asked.limits:
            pool = Pool(name="p", cluster_uid="c", nodes=(), resource=GPU, admission=asked)
            there = answer.body["spec"]["containers"][0]["resources"]
            assert PodAmounts(requests=plain(there, "requests"), limits=plain(there, "limits")) in admitted(
                shape_of(spec).demands[0], pool
            ), world
            checked += 1
    assert checked > 15


def plain(resources: Json, part: str) -> dict[str, int]:
    return {name: parse_quantity(amount, milli=name == "cpu") for name, amount in resources.get(part, {}).items()}


def test_a_quota_that_is_not_counted_yet_lets_nothing_through(server: Server) -> None:
    world = World(name="uncounted", quotas=(hard(pods="9"),), resources=NEED)
    build(server, world)
    spec, path = spec_of(world), f"{CORE}/uncounted/resourcequotas/quota-0"
    assert spec is not None
    wait_for(lambda: "used" in server.send("GET", path).body.get("status", {}), "it is counted")
    patch = {"status": {"hard": {"pods": "9", "cpu": "4"}}}
    server.send("PATCH", f"{path}/status", patch, content_type="application/merge-patch+json")
    wait_for(lambda: "status unknown" in create(server, world, spec).message, "the API server sees it")
    (quota,) = rules_in(server, world).quotas(())["uncounted"]
    assert (quota.left["cpu"], quota.uncounted) == (0, frozenset({"cpu"}))
    assert foretold(server, world, spec) == ("quota",)
    server.send("DELETE", f"{CORE}/uncounted")


OBJECTS = {
    "count/jobs.batch": ("/apis/batch/v1", "jobs"),
    "count/configmaps": ("/api/v1", "configmaps"),
    "configmaps": ("/api/v1", "configmaps"),
    "count/secrets": ("/api/v1", "secrets"),
    "secrets": ("/api/v1", "secrets"),
    "count/services": ("/api/v1", "services"),
    "services": ("/api/v1", "services"),
    "count/resourceclaimtemplates.resource.k8s.io": ("/apis/resource.k8s.io/v1", "resourceclaimtemplates"),
}


def test_objects_that_a_job_brings_are_counted_by_name(server: Server) -> None:
    """Each of the entries, with 0, refuses the object of ours that we say it counts, and with a scope none but pods."""
    bodies: dict[str, Json] = {
        "jobs": job_manifest(remote_spec({"template": {"image": "x"}}, remote_namespace="objects")),
        "configmaps": {"metadata": {"name": "o"}},
        "secrets": {"metadata": {"name": "o"}},
        "services": {"metadata": {"name": "o"}, "spec": {"clusterIP": "None"}},
        "resourceclaimtemplates": {
            "metadata": {"name": "o"},
            "spec": {"spec": {"devices": {"requests": [{"name": "d", "exactly": {"deviceClassName": "gpu.nvidia.com"}}]}}},
        },
    }
    build(server, World(name="objects", resources=NEED))
    for entry, (root, plural) in OBJECTS.items():
        path = f"{CORE}/objects/resourcequotas"
        server.send("POST", path, {"metadata": {"name": "q"}, "spec": {"hard": {entry: "0"}}})
        post = lambda root=root, plural=plural: server.send(  # noqa: E731
            "POST", f"{root}/namespaces/objects/{plural}?dryRun=All", bodies[plural]
        )
        wait_for(lambda post=post: post().status == 403, f"{entry} is in force")  # type: ignore[misc]
        (quota,) = rules_in(server, replace(TABLE[0], name="objects")).quotas(())["objects"]
        assert [amount <= 0 for amount in quota.left.values()] == [True], entry
        server.send("DELETE", f"{path}/q")
        wait_for(lambda post=post: post().status == 201, f"{entry} is gone")  # type: ignore[misc]
    server.send("DELETE", f"{CORE}/objects")
