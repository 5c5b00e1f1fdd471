"""Questions asked through the hub's API server: who is let in, what is told and what is not, and what happens when nobody answers."""

import http.client
import json
import ssl
from typing import Any

import pytest
import yaml
from kubernetes.client.exceptions import ApiException

from e2e.life import H100, TEAM, World, job
from e2e.test_commands import start
from e2e.test_offers import free
from integration.support import PATIENCE, wait_for
from sampan.local.up import wait_answering

Json = dict[str, Any]
OTHER = "team-query-other"
API = "/apis/query.sampan.dev/v1alpha1"
QUOTES = f"{API}/namespaces/{TEAM}/quotes"
WIDE: Json = {"replicas": 4, "device": (H100, 8)}
"""All the H100s that there are."""


def explained(world: World, name: str) -> Json:
    """The status of an Explanation, asked as the tenant by kubectl."""
    found: Json = json.loads(world.fed.tenant.kubectl("get", "--raw", f"{API}/namespaces/{TEAM}/explanations/{name}"))
    return dict(found["status"])


def quoted(world: World, body: Json) -> Json:
    """The status of a Quote, asked as the tenant by kubectl."""
    found: Json = json.loads(world.fed.tenant.kubectl("create", "--raw", QUOTES, "-f", "-", input=json.dumps(body)))
    return dict(found["status"])


def takes(told: Json) -> Json:
    """The best pool of an answer that can take the job now."""
    return next(pool for pool in told["now"]["pools"] if "score" in pool)


def said(world: World, *arguments: str, text: str | None = None) -> str:
    """What `sampan …` prints, which must succeed."""
    process = start(world, *arguments, text=text)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    return out


def offers_of(pools: list[Json]) -> set[str]:
    """Names of the offers in an answer."""
    return {pool["offer"]["name"] for pool in pools}


@pytest.fixture(scope="module", autouse=True)
def answering(world: World) -> None:
    """The hub proxies to the operator."""
    wait_answering(world.fed.federation, world.fed.binaries)


@pytest.fixture
def crowded(world: World) -> Any:
    """Another tenant holds every H100, and has another job that waits with a higher priority."""
    hub = world.fed.hub
    jobs = [job("secret-runner", "sleep 600", **WIDE), job("secret-queued", "sleep 600", priority=500, **WIDE)]
    for body in jobs:
        body["metadata"]["namespace"] = OTHER
    hub.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OTHER}})
    hub.apply(jobs[0])
    wait_for(lambda: "binding" in hub.get("computejob", "-n", OTHER, "secret-runner").get("status", {}), "the H100s are taken")
    hub.apply(jobs[1])
    wait_for(lambda: hub.get("computejob", "-n", OTHER, "secret-queued").get("status", {}).get("conditions"), "the other job waits")
    yield
    hub.kubectl("delete", "computejobs", "-n", OTHER, "--all", "--wait=true", f"--timeout={PATIENCE}s")
    hub.kubectl("delete", "namespace", OTHER, "--wait=false")
    wait_for(lambda: free(world, "lingang-ondemand") == 32, "all the H100s are free again")


@pytest.mark.usefixtures("crowded")
def test_a_waiting_job_is_told_its_place_and_the_smallest_change_and_others_only_as_counts(world: World) -> None:
    world.submit(job("query-waits", "sleep 1", **WIDE))
    world.waits_because("query-waits", "InsufficientCapacity")
    told = explained(world, "query-waits")
    assert (told["phase"], told["place"]["aheadOthers"], told["place"]["position"]) == ("Pending", 1, 2)
    assert told["start"]["unknown"]
    h100 = next(pool for pool in told["pools"] if pool.get("acceleratorClass") == H100)
    assert h100["objections"][0]["reason"] == "InsufficientCapacity"
    assert h100["objections"][0]["needed"]
    assert h100["objections"][0]["present"]
    text = json.dumps(told)
    assert OTHER not in text
    assert "secret" not in text
    shown = said(world, "explain", "query-waits")
    assert "place 2" in shown
    assert "InsufficientCapacity" in shown
    world.delete_gone("query-waits")


def test_a_quote_creates_nothing_and_is_what_then_comes(world: World) -> None:
    body = job("query-quoted", "sleep 2", device=(H100, 2), expectedSeconds=3600)
    before = world.fed.hub.items("computejobs", "--all-namespaces")
    told = quoted(world, body)
    assert world.fed.hub.items("computejobs", "--all-namespaces") == before
    best = takes(told)
    assert best == told["now"]["pools"][0]
    assert best["score"] == sum(best["parts"].values())
    assert best["priceExpected"] == best["pricePerHour"]
    world.submit(body)
    binding = world.reaches("query-quoted", "Bound", "Running", "Succeeded")["binding"]
    assert (binding["offer"]["name"], binding["pool"]) == (best["offer"]["name"], best["pool"])
    bound = explained(world, "query-quoted")
    assert bound["observedAt"] == binding["boundAt"]
    assert (bound["pools"][0]["pool"], bound["pools"][0]["score"]) == (best["pool"], best["score"])


def test_a_bound_job_that_does_not_start_is_told_in_its_member_s_words(world: World) -> None:
    world.submit(job("query-stuck", template={"image": "registry.example/does-not-exist:1"}))
    world.until("query-stuck", lambda s: (s.get("remote") or {}).get("reason") == "ImagePullBackOff", "image pull fails")
    (told,) = explained(world, "query-stuck")["member"]
    assert (told["pods"], told["reason"]) == (1, "ImagePullBackOff")
    assert "does-not-exist" in told["message"]
    world.delete_gone("query-stuck")


def test_what_if_answers_for_more_nodes_and_without_an_offer(world: World) -> None:
    body = yaml.safe_dump(job("query-wider", "sleep 1", replicas=5, device=(H100, 8)))
    pool = takes(quoted(world, job("q", device=(H100, 1))))
    where = f"{pool['offer']['namespace']}/{pool['offer']['name']}"
    wider = f"{where}/{pool['pool']}"

    def asked() -> str:
        return said(world, "what-if", "-f", "-", "--add-nodes", f"{wider}=1", text=body)

    told = asked()
    assert "As it is: no pool can take it now" in told
    answer = f"With 1 more node in {wider}: pool {pool['pool']} of {where}"
    wait_for(lambda: answer in asked(), "the devices of jobs before it came back, and one node more is enough")
    assert where not in said(world, "what-if", "-f", "-", "--without", where, text=body).partition("\nWithout")[2].partition("\n")[2]


def test_a_private_offer_is_not_there_for_others(world: World) -> None:
    hub = world.fed.hub
    body = job("q", device=(H100, 1))
    pool = takes(quoted(world, body))
    name, namespace = pool["offer"]["name"], pool["offer"]["namespace"]
    patch = json.dumps({"spec": {"tenants": {"matchLabels": {"kubernetes.io/metadata.name": OTHER}}}})
    hub.kubectl("patch", "clusteroffer", name, "-n", namespace, "--type=merge", "-p", patch)
    try:
        wait_for(lambda: name not in offers_of(quoted(world, body)["now"]["pools"]), "the offer is hidden")
        change = {"withoutOffer": {"namespace": namespace, "name": name}}
        asked = {"apiVersion": "query.sampan.dev/v1alpha1", "kind": "Quote", "spec": {"job": body, "whatIf": change}}
        refused = world.fed.tenant.try_kubectl("create", "--raw", QUOTES, "-f", "-", input=json.dumps(asked))
        assert "there is no ClusterOffer" in refused.stderr
        assert name not in world.fed.tenant.kubectl("get", "--raw", f"{API}/namespaces/{TEAM}/pools")
    finally:
        hub.kubectl("patch", "clusteroffer", name, "-n", namespace, "--type=merge", "-p", '{"spec": {"tenants": null}}')
    wait_for(lambda: name in offers_of(quoted(world, body)["now"]["pools"]), "the offer is shown again")


def test_a_stranger_is_forbidden_by_the_hub_and_so_is_another_namespace(world: World) -> None:
    for who in ("pools", "explanations/query-quoted"):
        refused = world.fed.hub.try_kubectl("get", "--raw", f"{API}/namespaces/{TEAM}/{who}", "--as=mallory")
        assert "Forbidden" in refused.stderr
    elsewhere = world.fed.tenant.try_kubectl("get", "--raw", f"{API}/namespaces/default/pools")
    assert "Forbidden" in elsewhere.stderr


@pytest.mark.parametrize("as_whom", ["system:masters", "admin"])
def test_past_the_hub_nobody_is_believed(world: World, as_whom: str) -> None:
    port, folder = world.fed.federation.query_port, world.fed.federation.query_folder
    assert port is not None
    trusted = ssl.create_default_context(cafile=str(folder / "tls.crt"))
    trusted.check_hostname = False
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=trusted, timeout=60)
    try:
        connection.request("GET", f"{API}/namespaces/{TEAM}/pools", headers={"X-Remote-User": as_whom, "X-Remote-Group": as_whom})
        assert connection.getresponse().status == 401
    finally:
        connection.close()


def test_bad_questions_get_a_status_that_names_the_field(world: World) -> None:
    wrong = job("q")
    wrong["spec"]["template"]["imagee"] = "x"
    refused = world.fed.tenant.try_kubectl("create", "--raw", QUOTES, "-f", "-", input=json.dumps(wrong))
    assert "spec.template.imagee" in refused.stderr
    gone = world.fed.tenant.try_kubectl("get", "--raw", f"{API}/namespaces/{TEAM}/explanations/nothing-of-this-name")
    assert "NotFound" in gone.stderr


def test_without_the_operator_only_questions_fail(world: World) -> None:
    world.submit(job("query-alone", "sleep 2"))
    world.reaches("query-alone", "Succeeded")
    world.fed.operator.stop()
    try:
        process = start(world, "explain", "query-alone")
        _, words = process.communicate(timeout=PATIENCE)
        assert process.returncode == 1
        assert "the operator does not answer questions (503" in words
        listed = world.fed.tenant.try_kubectl("get", "cpj", "-n", TEAM)
        assert listed.returncode == 0, listed.stderr
        assert "query-alone" in listed.stdout
    finally:
        world.fed.operator.start()
        world.fed.operator.wait_ready()
        wait_answering(world.fed.federation, world.fed.binaries)
    wait_for(lambda: _answers(world), "questions are answered again")


def _answers(world: World) -> bool:
    try:
        return bool(explained(world, "query-alone"))
    except (AssertionError, ApiException):
        return False
