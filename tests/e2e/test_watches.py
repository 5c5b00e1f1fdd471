"""Forced deaths of the operator's watches on the hub: afterwards there is one watch per kind and one handler call per change."""

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from e2e.gauges import KINDS, Samples, hub_watches, metric, operator_metrics
from e2e.load import Tenant, small_job
from e2e.proxy import Proxy
from integration.support import FederationUnderTest, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.faults]

DEATHS = 5
OPERATOR = "system:serviceaccount:sampan-system:sampan-operator"


@dataclasses.dataclass
class Scene:
    """A federation whose operator reaches the hub through a proxy, with one quiet object of each kind."""

    federation: FederationUnderTest
    proxy: Proxy
    namespace: str
    objects: dict[str, list[str]]
    """By kind: the arguments by which kubectl finds the quiet object."""
    alone: dict[str, int]
    """Watches per kind on the hub without the operator."""

    def metrics(self) -> Samples:
        """What the operator shows now."""
        return operator_metrics(self.federation.operator.metrics_address)

    def events(self, kind: str) -> int:
        """Events of one kind that the handlers were called with since the operator's start."""
        return int(metric(self.metrics(), "sampan_hub_events_total", kind=kind))

    def surplus(self) -> dict[str, int]:
        """Watches per kind on the hub that are the operator's."""
        return {kind: count - self.alone[kind] for kind, count in hub_watches(self.federation.hub).now.items()}

    def versions(self, kind: str) -> dict[str, str]:
        """The resourceVersions of all objects of a kind, by UID, but that of the quiet one."""
        found = self.federation.hub.items(f"{kind}.sampan.dev", "--all-namespaces")
        told = {each["metadata"]["uid"]: each["metadata"]["resourceVersion"] for each in found}
        told.pop(self.federation.hub.get(*self.objects[kind])["metadata"]["uid"])
        return told

    def annotate(self, kind: str, value: str) -> str:
        """Change the quiet object of a kind once; returns its new resourceVersion."""
        patch = json.dumps({"metadata": {"annotations": {"test.example/turn": value}}})
        hub = self.federation.hub
        return hub.kubectl("patch", *self.objects[kind], "--type=merge", "-p", patch, "-o", "jsonpath={.metadata.resourceVersion}")

    def version(self, kind: str) -> str:
        """The resourceVersion of the quiet object of a kind."""
        return self.federation.hub.kubectl("get", *self.objects[kind], "-o", "jsonpath={.metadata.resourceVersion}")


def platform_object(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    """An object of the platform team."""
    return {"apiVersion": "sampan.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}


POLICY = {"weights": {"cost": 50, "packing": 30, "domestic": 20}}
PROVIDER = {"namespaces": ["prov-quiet"], "jurisdictions": ["CN"], "regions": ["cn-east"], "terms": ["OnDemand"]}
CLASS = {"vendor": "acme", "family": "acme-1", "stack": "acme", "origin": "CN", "resourceNames": ["acme.example/npu"]}


@pytest.fixture(scope="module")
def scene(federation: FederationUnderTest) -> Iterator[Scene]:
    """The operator behind a proxy; the usual operator runs again afterwards."""
    hub, plan = federation.hub, federation.federation.scenario
    tenant = Tenant(federation.tenant.client(), plan.tenants[0].namespace)
    for kind, spec in (("PlacementPolicy", POLICY), ("Provider", PROVIDER), ("AcceleratorClass", CLASS)):
        hub.apply(platform_object(kind, "quiet", spec))
    tenant.submit(small_job("quiet", seconds=1, suspend=True))
    offer = plan.offers[0]
    objects = {
        "computejobs": ["computejob", "quiet", "-n", tenant.namespace],
        "clusteroffers": ["clusteroffer", offer.name, "-n", plan.provider_of(offer).namespace],
        "providers": ["provider.sampan.dev", "quiet"],
        "acceleratorclasses": ["acceleratorclass", "quiet"],
        "placementpolicies": ["placementpolicy", "quiet"],
    }
    alone = _watches_without_operator(federation)
    kubeconfig = federation.federation.folder / "proxied.yaml"
    try:
        with Proxy(federation.cluster("hub").ports[2]) as proxy:
            config = yaml.safe_load(federation.operator.kubeconfig.read_text())
            config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{proxy.port}"
            kubeconfig.touch(mode=0o600)
            kubeconfig.write_text(yaml.safe_dump(config))
            scene = Scene(federation, proxy, tenant.namespace, objects, alone)
            operator = dataclasses.replace(federation.operator, kubeconfig=kubeconfig)
            operator.start()
            operator.wait_ready()
            wait_for(lambda: set(scene.surplus().values()) == {1}, "the operator watches each kind once")
            yield scene
            operator.stop()
    finally:
        federation.operator.stop()
        federation.operator.start()
        federation.operator.wait_ready()
        kubeconfig.unlink(missing_ok=True)
        for kind in ("providers", "acceleratorclasses", "placementpolicies"):
            hub.kubectl("delete", *objects[kind], "--ignore-not-found")
        tenant.delete_all()
        wait_for(lambda: not tenant.jobs(), "the quiet job is gone")


def _watches_without_operator(federation: FederationUnderTest) -> dict[str, int]:
    """Stop the operator, which watches each kind once, and return the watches that stay: those of the hub's own controllers."""
    address = federation.operator.metrics_address
    wait_for(
        lambda: all(metric(operator_metrics(address), "sampan_hub_events_total", kind=kind) for kind in KINDS),
        "the operator watches all kinds",
    )
    fewer = {kind: count - 1 for kind, count in hub_watches(federation.hub).now.items()}
    federation.operator.stop()
    return wait_for(lambda: now if (now := hub_watches(federation.hub).now) == fewer else None, f"only {fewer} are left")


def die(scene: Scene) -> None:
    """Cut every connection of the operator and wait until each of its watches has ended and another stands."""
    hub = scene.federation.hub
    before = hub_watches(hub).ended
    assert scene.proxy.cut() > 0, "there was nothing to cut"
    wait_for(lambda: all(n > before[kind] for kind, n in hub_watches(hub).ended.items()), "every watch has ended")
    wait_for(lambda: min(scene.surplus().values()) >= 1, "every kind is watched again")


def calls_for_one_change(scene: Scene, kind: str, turn: str) -> int:
    """Change one object of a kind once, while nobody changes another; returns how many calls of the handler that made."""
    for lap in range(20):
        others = scene.versions(kind)
        calls = _calls_for_change(scene, kind, f"{turn}-{lap}")
        if scene.versions(kind) == others:
            return calls  # else again: an offer tells of its link, which may be slow on a loaded machine
    raise AssertionError(f"somebody changes {kind} all the time")


def _calls_for_change(scene: Scene, kind: str, turn: str) -> int:
    before = scene.events(kind)
    version = scene.annotate(kind, turn)
    wait_for(lambda: scene.events(kind) > before, f"the change of {kind} was heard")
    # A change of another kind, made and heard after this one: whatever a second watch had to tell has come by then.
    other = "providers" if kind != "providers" else "placementpolicies"
    for lap in ("a", "b"):
        heard = scene.events(other)
        scene.annotate(other, turn + lap)
        wait_for(lambda: scene.events(other) > heard, f"the change of {other} was heard")  # noqa: B023
    assert scene.version(kind) == version, f"somebody else changed {kind} meanwhile: the count says nothing"
    return scene.events(kind) - before


def test_five_watch_deaths_leave_one_watch_and_one_call(scene: Scene) -> None:
    """No watcher leaks, none is missing, whatever became of the connections."""
    pid = scene.federation.operator.pid
    for _ in range(DEATHS):
        die(scene)
    wait_for(lambda: set(scene.surplus().values()) == {1}, "one watch per kind")
    calls = {kind: calls_for_one_change(scene, kind, "after-deaths") for kind in KINDS}
    assert calls == dict.fromkeys(KINDS, 1)
    assert scene.surplus() == dict.fromkeys(KINDS, 1)
    assert scene.federation.operator.pid == pid, "the operator must not need a restart"


def test_deletions_in_a_gap_are_found(scene: Scene) -> None:
    """What is deleted while no watch stands is gone for the operator as well: a job, a policy, a class, an offer."""
    hub, tenant = scene.federation.hub, Tenant(scene.federation.tenant.client(), scene.namespace)
    plan = scene.federation.federation.scenario
    offer, namespace = plan.offers[0], plan.provider_of(plan.offers[0]).namespace
    hub.apply(platform_object("PlacementPolicy", "gap", POLICY), platform_object("AcceleratorClass", "gap", CLASS))
    body = hub.get("clusteroffer", offer.name, "-n", namespace)
    twin = {"metadata": {"name": "gap", "namespace": namespace}, "spec": body["spec"]}
    hub.apply({"apiVersion": body["apiVersion"], "kind": body["kind"], **twin})
    tenant.submit(small_job("gap", seconds=1, suspend=True))

    def jobs_known() -> float:
        return metric(scene.metrics(), "sampan_jobs", phase="Suspended")

    wait_for(lambda: jobs_known() == 2, "both suspended jobs are known")
    offers = len(plan.offers)
    wait_for(lambda: metric(scene.metrics(), "sampan_offers") == offers + 1, "the twin offer is known")
    gaps = metric(scene.metrics(), "sampan_resync_gaps_total")
    scene.proxy.block()
    hub.kubectl("delete", "placementpolicy/gap", "acceleratorclass/gap")
    hub.kubectl("delete", "clusteroffer", "gap", "-n", namespace, "--wait=false")
    hub.kubectl("delete", "computejob", "gap", "-n", scene.namespace, "--wait=false")
    for kind, place in (("computejob", scene.namespace), ("clusteroffer", namespace)):
        # The finalizer would hold them until the operator is back, so that it would see them once more: take it off in its name.
        hub.kubectl("patch", kind, "gap", "-n", place, "--type=merge", "-p", '{"metadata":{"finalizers":null}}', f"--as={OPERATOR}")
    # An API server that has just started knows no changes before its start: the old watches cannot go on, everything is listed anew.
    scene.federation.cluster("hub").stop(scene.federation.binaries)
    scene.federation.cluster("hub").start(scene.federation.binaries)
    scene.proxy.unblock()
    wait_for(lambda: jobs_known() == 1, "the job that went in the gap is forgotten")
    wait_for(lambda: metric(scene.metrics(), "sampan_offers") == offers, "the offer that went in the gap is forgotten")
    wait_for(lambda: metric(scene.metrics(), "sampan_resync_gaps_total") >= gaps + 4, "all four deletions were found")
    assert metric(scene.metrics(), "sampan_resync_gaps_total") == gaps + 4
