"""Bad input that the API server accepts: the operator names what is wrong, survives it, and other jobs go on."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from e2e.life import H100, TEAM, World, condition, job
from integration.operator_rows import OPERATOR_ROWS, Expected
from integration.support import PATIENCE, wait_for

NAMESPACE = "prov-lingang"
SECRET = "lingang-ondemand-kubeconfig"
LABEL = {"grid": "rows"}
JOB_ROWS = [row for row in OPERATOR_ROWS if row.object["kind"] == "ComputeJob"]
OFFER_ROWS = {row.title: row for row in OPERATOR_ROWS if row.object["kind"] == "ClusterOffer"}


@pytest.fixture(scope="module", autouse=True)
def survives(world: World) -> Iterator[None]:
    """One process from the first row to the last, nothing in quarantine, and a job that runs on beside them."""
    world.fed.tenant.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cfg", "namespace": TEAM}, "data": {"a": "b"}})
    pid, quarantined = world.fed.operator.pid, world.metric("sampan_jobs_quarantined_total")
    world.submit(job("bystander", "sleep 3000"))
    world.reaches("bystander", "Running")
    uid = world.copy("bystander").uid
    world.submit(*(tenants(row) for row in JOB_ROWS))
    yield
    assert world.fed.operator.pid == pid, world.fed.operator.log_tail()
    assert world.metric("sampan_jobs_quarantined_total") == quarantined
    assert (world.status("bystander")["phase"], world.copy("bystander").uid) == ("Running", uid)
    world.fed.tenant.kubectl("delete", "configmap", "cfg", "-n", TEAM)


def tenants(row: Expected) -> dict[str, Any]:
    """The row's job in the tenant's namespace, at a price that the federation can meet, each twin with room of its own."""
    body = copy.deepcopy(row.object)
    body["metadata"]["namespace"] = TEAM
    body["spec"]["placement"]["maxPricePerDeviceHour"] = "20.00"
    template = body["spec"]["template"]
    for more in ("securityContext", "imagePullSecrets", "envFrom", "initContainers"):
        template.pop(more, None)  # a user that no offer here allows, Secrets that are not there: each would be the reason
    template["env"] = [each for each in template.get("env", ()) if "valueFrom" not in each]
    if row.status == "True":
        body["spec"]["alternatives"][0]["accelerator"]["count"] = 1
        body["spec"]["template"]["terminationGracePeriodSeconds"] = 1
    return body


def providers(row: Expected, **spec: Any) -> dict[str, Any]:
    """The row's offer in the provider's namespace with its own Secret, unless the row names another; for every tenant, without limits."""
    body = copy.deepcopy(row.object)
    body["metadata"] |= {"namespace": NAMESPACE, "labels": LABEL}
    if body["spec"]["kubeconfigSecretRef"]["name"] == "member":
        body["spec"]["kubeconfigSecretRef"]["name"] = SECRET
    for bound in ("tenants", "validity", "limits", "memberQueue", "launch"):
        body["spec"].pop(bound, None)
    body["spec"] |= spec
    return body


@pytest.mark.parametrize("row", JOB_ROWS, ids=lambda row: f"C{row.number}-{row.title}")
def test_a_job_says_what_is_wrong(world: World, row: Expected) -> None:
    name = row.object["metadata"]["name"]

    def right(status: dict[str, Any]) -> bool:
        found = condition(status, row.condition)
        return found.get("status") == row.status and str(found.get("reason")).partition("/")[0] in row.reasons

    status = world.until(name, right, f"{row.condition}={row.status} {row.reasons}")
    assert len(condition(status, row.condition)["message"]) <= 1024


@pytest.mark.parametrize("title", ["secret missing", "key missing"])
def test_an_offer_says_what_is_wrong(world: World, title: str) -> None:
    row = OFFER_ROWS[title]
    with there(world, providers(row)) as name:
        found = until(world, name, row)
        assert row.object["spec"]["kubeconfigSecretRef"]["name"] in found["message"] or found["message"]


def test_a_cluster_of_another_namespace_is_refused(world: World) -> None:
    """The Secret of the second provider leads to the first one's member."""
    row = OFFER_ROWS["cluster of another namespace"]
    secret = world.fed.hub.get("secret", SECRET, "-n", NAMESPACE)
    stolen = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "stolen", "namespace": "prov-kunshan"}, "data": secret["data"]}
    world.fed.hub.apply(stolen)
    body = providers(row, kubeconfigSecretRef={"name": "stolen"})
    body["metadata"] |= {"namespace": "prov-kunshan", "labels": {}}
    try:
        with there(world, body) as name:
            until(world, name, row, namespace="prov-kunshan")
            assert condition(world.offer(NAMESPACE, "lingang-ondemand")["status"], "Schedulable")["status"] == "True"
    finally:
        world.fed.hub.kubectl("delete", "secret", "stolen", "-n", "prov-kunshan")


def test_an_offer_whose_limit_falls_below_its_use_says_so_and_one_that_is_deleted_drains(world: World) -> None:
    """The jobs stay; no new one comes in by it until its use is below the limit."""
    over, drains = OFFER_ROWS["capacity below what is used"], OFFER_ROWS["offer deleted while jobs run"]
    prices = over.object["spec"]["prices"]
    with there(world, providers(over, pools=[{"maxDevices": 8}], prices=prices)) as name:
        wait_for(lambda: held(world, name, "Schedulable") == "True", "takes jobs")
        world.submit(job("uses-it", "sleep 3000", device=(H100, 4), placement={"offerSelector": {"matchLabels": LABEL}}))
        world.reaches("uses-it", "Running")
        world.fed.hub.apply(providers(over, pools=[{"maxDevices": 1}], prices=prices))
        wait_for(lambda: overcommitted(world, name), "is overcommitted")
        world.submit(job("one-more", device=(H100, 1), placement={"offerSelector": {"matchLabels": LABEL}}))
        world.waits_because("one-more", "InsufficientCapacity", "TooLarge")
        assert world.status("uses-it")["phase"] == "Running"
        world.fed.hub.kubectl("delete", "clusteroffer", name, "-n", NAMESPACE, "--wait=false")
        found = wait_for(lambda: draining(world, name), "drains")
        assert found["reason"] in drains.reasons
        world.delete_gone("uses-it")
        world.fed.hub.kubectl("wait", "--for=delete", f"clusteroffer/{name}", "-n", NAMESPACE, f"--timeout={PATIENCE}s")


def overcommitted(world: World, name: str) -> bool:
    """Whether the offer says that its limit is below its use, in a condition of its own or as what keeps it from taking jobs."""
    status = world.offer(NAMESPACE, name)["status"]
    own, summary = condition(status, "Overcommitted"), condition(status, "Schedulable")
    return own.get("status") == "True" or summary.get("reason") == "Overcommitted"


def draining(world: World, name: str) -> dict[str, Any] | None:
    """The condition Draining once it is True."""
    found = condition(world.offer(NAMESPACE, name)["status"], "Draining")
    return found if found.get("status") == "True" else None


def held(world: World, name: str, kind: str) -> str | None:
    """Status of an offer's condition."""
    return condition(world.offer(NAMESPACE, name).get("status") or {}, kind).get("status")


class there:  # noqa: N801  (reads as a statement)
    """An offer for a while."""

    def __init__(self, world: World, body: dict[str, Any]) -> None:
        self.world, self.body = world, body

    def __enter__(self) -> str:
        self.world.fed.hub.apply(self.body)
        return str(self.body["metadata"]["name"])

    def __exit__(self, *_: object) -> None:
        name, namespace = self.body["metadata"]["name"], self.body["metadata"]["namespace"]
        self.world.fed.hub.kubectl("delete", "clusteroffer", name, "-n", namespace, "--ignore-not-found", f"--timeout={PATIENCE}s")


def until(world: World, name: str, row: Expected, *, namespace: str = NAMESPACE) -> dict[str, Any]:
    """Wait for the row's condition; returns it."""

    def look() -> dict[str, Any] | None:
        found = condition(world.offer(namespace, name).get("status") or {}, row.condition)
        return found if found.get("status") == row.status and found.get("reason") in row.reasons else None

    return wait_for(look, f"{name}: {row.condition}={row.status} {row.reasons}")
