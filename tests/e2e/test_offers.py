"""What providers do while jobs run: several offers of one member, drain, pause, validity, new and broken credentials."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from e2e.life import H100, REMOTE, UNTIL_TOLD, World, condition, job, outcomes, settled
from integration.support import PATIENCE, wait_for
from sampan.local.up import member_kubeconfig

NAMESPACE = "prov-lingang"
MEMBER = "lingang"
SECRET = "lingang-ondemand-kubeconfig"


def offer(name: str, **spec: Any) -> dict[str, Any]:
    """One more offer of the first member, under the label grid=NAME."""
    price = {"id": "p1", "resource": {"acceleratorClass": H100}, "price": "9.00", "currency": "CNY", "validFrom": "2026-01-01T00:00:00Z"}
    terms = {"region": "cn-east", "jurisdiction": "CN", "terms": "OnDemand", "prices": [price]}
    return {
        "apiVersion": "sampan.dev/v1alpha1",
        "kind": "ClusterOffer",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"grid": name}},
        "spec": {"kubeconfigSecretRef": {"name": SECRET}, **terms, **spec},
    }


def through(name: str, offer_name: str, script: str = "sleep 2", **spec: Any) -> dict[str, Any]:
    """A job that may only go through one offer."""
    return job(name, script, device=(H100, 1), placement={"offerSelector": {"matchLabels": {"grid": offer_name}}}, **spec)


def until(world: World, name: str, kind: str, value: str, *, seconds: float = PATIENCE) -> dict[str, Any]:
    """Wait until an offer's condition has a value; returns the condition."""

    def look() -> dict[str, Any] | None:
        found = condition(world.offer(NAMESPACE, name).get("status") or {}, kind)
        return found if found.get("status") == value else None

    return wait_for(look, f"{name}: {kind}={value}", seconds=seconds)


@contextmanager
def offered(world: World, body: dict[str, Any]) -> Iterator[str]:
    """An offer for a while."""
    name = body["metadata"]["name"]
    world.fed.hub.apply(body)
    try:
        yield name
    finally:
        world.fed.hub.kubectl("delete", "clusteroffer", name, "-n", NAMESPACE, "--ignore-not-found", f"--timeout={PATIENCE}s")


def free(world: World, name: str) -> int:
    """Free H100s that an offer shows."""
    pools = world.offer(NAMESPACE, name)["status"].get("pools", [])
    return sum(pool.get("free", 0) for pool in pools if pool.get("acceleratorClass") == H100)


def test_two_offers_of_one_member_share_what_is_free(world: World) -> None:
    with offered(world, offer("second")) as name:
        until(world, name, "Schedulable", "True")
        wait_for(lambda: free(world, name) == free(world, "lingang-ondemand") == 32, "both show all devices")
        world.submit(through("by-second", name, "sleep 3000"))
        status = world.reaches("by-second", "Running")
        assert status["binding"]["offer"]["name"] == name
        wait_for(lambda: free(world, name) == free(world, "lingang-ondemand") == 31, "both show one fewer")
        world.delete_gone("by-second")


def test_a_tenant_runs_in_its_own_namespace_and_one_without_is_refused_before_it_is_bound(world: World) -> None:
    member, list_of = world.member(MEMBER), ("configmap", "sampan-tenants", "-n", REMOTE)
    with offered(world, offer("apart", remoteNamespacePolicy="PerTenant")) as name:
        until(world, name, "Schedulable", "True")
        world.submit(through("own-place", name, "sleep 20"))
        status = world.reaches("own-place", "Running")
        assert status["binding"]["remote"]["namespace"] == f"{REMOTE}-team-a"
        assert member.get("job", status["binding"]["remote"]["name"], "-n", f"{REMOTE}-team-a")["spec"]["suspend"] is False
        member.kubectl("patch", *list_of, "--type=json", "-p", '[{"op": "remove", "path": "/data/team-a"}]')
        try:
            wait_for(lambda: "lists no tenant" in until(world, name, "PermissionsSufficient", "True")["message"], "the list is heard")
            world.submit(through("no-place", name))
            assert "adds" in world.waits_because("no-place", "TenantNamespaceMissing")["message"]
            assert "binding" not in world.status("no-place")
            world.reaches("own-place", "Succeeded")
        finally:
            member.kubectl("patch", *list_of, "--type=merge", "-p", json.dumps({"data": {"team-a": f"{REMOTE}-team-a"}}))
        status = world.reaches("no-place", "Succeeded")
        assert status["binding"]["remote"]["namespace"] == f"{REMOTE}-team-a"
        for each in ("own-place", "no-place"):
            world.delete_gone(each)


def test_a_deleted_offer_drains_and_goes_with_its_last_job(world: World) -> None:
    with offered(world, offer("leaving")) as name:
        until(world, name, "Schedulable", "True")
        world.submit(through("last", name, UNTIL_TOLD))
        world.reaches("last", "Running")
        world.fed.hub.kubectl("delete", "clusteroffer", name, "-n", NAMESPACE, "--wait=false")
        assert until(world, name, "Draining", "True")["reason"] == "JobsBound"
        until(world, name, "Schedulable", "False")
        world.submit(through("too-late", name))
        world.waits_because("too-late", "OfferNotAccepting", "OfferSelectorMismatch")
        world.finish("last")
        assert outcomes(world.reaches("last", "Succeeded")) == [(1, "Succeeded")]
        world.fed.hub.kubectl("wait", "--for=delete", f"clusteroffer/{name}", "-n", NAMESPACE, f"--timeout={PATIENCE}s")
        assert world.status("last")["phase"] == "Succeeded"


def test_an_offer_that_does_not_accept_keeps_its_jobs_and_takes_none(world: World) -> None:
    with offered(world, offer("paused")) as name:
        until(world, name, "Schedulable", "True")
        world.submit(through("stays", name, UNTIL_TOLD))
        world.reaches("stays", "Running")
        world.fed.hub.apply(offer("paused", accepting=False))
        assert until(world, name, "Schedulable", "False")["reason"] == "NotAccepting"
        world.submit(through("held", name))
        world.waits_because("held", "OfferNotAccepting")
        assert world.status("stays")["phase"] == "Running"
        world.fed.hub.apply(offer("paused"))
        world.reaches("held", "Succeeded")
        world.finish("stays")
        world.reaches("stays", "Succeeded")


def test_an_offer_is_used_only_while_it_is_valid(world: World) -> None:
    with offered(world, offer("expired", validity={"until": "2026-01-01T00:00:00Z"})) as name:
        assert until(world, name, "Schedulable", "False")["reason"] in {"NotValid", "NotConnected"}
        world.submit(through("early", name))
        world.waits_because("early", "OfferNotValid")
        assert until(world, name, "Schedulable", "False")["reason"] == "NotValid"
        world.fed.hub.apply(offer("expired", validity={"until": "2200-01-01T00:00:00Z"}))
        world.reaches("early", "Succeeded")


@pytest.fixture
def own_secret(world: World) -> Iterator[str]:
    """A Secret of its own for an offer, with a fresh token of the member."""
    put(world, member_kubeconfig(world.fed.federation, "lingang", world.fed.binaries))
    yield "own"
    world.fed.hub.kubectl("delete", "secret", "own", "-n", NAMESPACE)


def put(world: World, text: str) -> None:
    """Write the Secret, as its provider would."""
    data = {"kubeconfig": base64.b64encode(text.encode()).decode()}
    world.fed.hub.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "own", "namespace": NAMESPACE}, "data": data})


def test_a_rotated_credential_is_used_soon_and_a_broken_one_not_at_all_and_no_job_moves(world: World, own_secret: str) -> None:
    with offered(world, offer("rotating", kubeconfigSecretRef={"name": own_secret})) as name:
        until(world, name, "Schedulable", "True")
        world.submit(through("carries-on", name, "sleep 3000"))
        world.reaches("carries-on", "Running")
        settled(world)
        copy, version = world.copy("carries-on"), world.must("carries-on")["metadata"]["resourceVersion"]
        shown = world.offer(NAMESPACE, name)["status"]["kubeconfigFingerprint"]
        put(world, fresh := member_kubeconfig(world.fed.federation, "lingang", world.fed.binaries))
        wait_for(lambda: world.offer(NAMESPACE, name)["status"]["kubeconfigFingerprint"] != shown, "the new one is used")
        put(world, fresh.replace("token:", "tokenFile:"))
        wait_for(lambda: "InvalidKubeconfig" in until(world, name, "Connected", "True")["reason"], "the broken one is named")
        world.submit(through("still-goes", name))
        world.reaches("still-goes", "Succeeded")
        assert world.copy("carries-on").uid == copy.uid
        assert world.must("carries-on")["metadata"]["resourceVersion"] == version
        put(world, fresh)
        wait_for(lambda: until(world, name, "Connected", "True")["reason"] == "Connected", "it is whole again")
        world.delete_gone("carries-on")
