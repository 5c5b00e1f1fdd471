"""Joining members, end to end on real API servers: what a provider does, and what the offer says."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator

import pytest

from integration.desk_harness import Harness, comes, harness
from integration.support import PATIENCE, FederationUnderTest, handles
from sampan.local.binaries import Binaries
from sampan.local.down import down
from sampan.local.federation import load_federation
from sampan.local.scenario import load
from sampan.local.up import Wish, up
from sampan.model.members.cluster import Cluster
from sampan.model.members.offer import OfferKey

A = "prov-lingang"
B = "prov-pengcheng"
JOINED = OfferKey(A, "lingang-ondemand")
OTHER = OfferKey(B, "pengcheng-ondemand")


@pytest.fixture(scope="module")
def quiet(binaries: Binaries) -> Iterator[FederationUnderTest]:
    """A hub and two members without an operator. SAMPAN_TEST_JOINING=NAME uses, and keeps, one of that name."""
    kept = os.environ.get("SAMPAN_TEST_JOINING")
    name = kept or f"sampan-test-joining-{os.getpid()}"  # never the session's own: its operator would serve the same offers
    demo = load("demo")
    members = demo.members[:2]
    offers = [offer for offer in demo.offers if offer.member in {member.name for member in members}]
    try:
        up(Wish(name=name, scenario=demo.model_copy(update={"members": members, "offers": offers}), operator=False), print)
        under_test = handles(load_federation(name), binaries)
        assert under_test.operator.pid is None, f"{name} runs an operator, which serves the offers beside the tests' desk"
        yield under_test
        under_test.close()
    finally:
        if not kept:
            down(name, print)


@pytest.fixture
async def desk(quiet: FederationUnderTest) -> AsyncIterator[Harness]:
    """A desk with both offers of the scenario joined."""
    async with harness(quiet) as made:
        for key in (JOINED, OTHER):
            await made.until(key, "Schedulable", "True", "Schedulable")
        yield made


async def test_an_offer_is_joined_with_its_pools_and_the_clusters_identity(desk: Harness) -> None:
    """From Secret and offer to Schedulable, with what the member has."""
    status = await desk.status(JOINED)
    member = desk.fed.members["lingang"]
    assert status["clusterUID"] == member.get("namespace", "kube-system")["metadata"]["uid"]
    assert status["kubernetesVersion"] == "v1.36.3"
    assert {c["type"]: c["status"] for c in status["conditions"]} == {
        "Approved": "True",
        "Connected": "True",
        "PermissionsSufficient": "True",
        "Schedulable": "True",
    }
    assert {(p["acceleratorClass"], p["sharing"], p["devices"], p["free"]) for p in status["pools"]} == {
        ("nvidia-h100-sxm-80gb", "Whole", 32, 32),
        ("nvidia-a100-sxm-80gb", "Partition", 16, 16),
        ("nvidia-l40s-48gb", "Virtual", 2, 2),
        ("nvidia-h200-sxm-141gb", "Whole", 4, 4),
    }


async def test_an_idle_desk_writes_nothing(desk: Harness) -> None:
    """After everything settled no offer changes for as long as one looks."""
    await asyncio.sleep(1)
    before = [body["metadata"]["resourceVersion"] for body in await desk.hub.list_objects("clusteroffers")]
    await asyncio.sleep(6)
    assert [body["metadata"]["resourceVersion"] for body in await desk.hub.list_objects("clusteroffers")] == before


async def test_two_offers_of_one_namespace_share_one_link(desk: Harness) -> None:
    """One kubeconfig, one inventory, two offers."""
    key = await desk.offer(A, "second", kubeconfigSecretRef={"name": "lingang-ondemand-kubeconfig"}, terms="OnDemand")
    await desk.until(key, "Schedulable", "True", "Schedulable")
    assert len([link for link in desk.desk.links() if link.key.namespace == A]) == 1
    assert {offer.cluster_uid for k, offer in desk.desk.offers().items() if k.namespace == A} == {(await desk.status(JOINED))["clusterUID"]}


async def test_a_cluster_offered_from_another_namespace_is_refused(desk: Harness) -> None:
    """The first one keeps it, and nothing of the second is used."""
    await desk.secret(B, "stolen", kubeconfig=await desk.kubeconfig("lingang"))
    key = await desk.offer(B, "stolen")
    await desk.until(key, "Connected", "False", "DuplicateCluster")
    assert (await desk.condition(JOINED, "Schedulable"))["status"] == "True"
    assert "clusterUID" not in await desk.status(key)
    link = desk.desk.link_of((await desk.status(JOINED))["clusterUID"])
    assert link is not None
    assert link.key.namespace == A


async def test_the_hub_itself_is_no_member(desk: Harness) -> None:
    """A kubeconfig that leads to the hub is refused."""
    path = desk.fed.federation.existing_kubeconfig("operator")
    await desk.secret(A, "hub", kubeconfig=path.read_text())
    key = await desk.offer(A, "hub")
    await desk.until(key, "Connected", "False", "HubAsMember")


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda good: good.replace("token:", "exec: {command: /bin/true} #"), "ExecNotAllowed"),
        (lambda good: good.replace("server:", "insecure-skip-tls-verify: true\n    server:"), "InsecureSkipTLSVerify"),
        (lambda good: good.replace("https://", "http://"), "NotHTTPS"),
        (lambda good: good.replace("token:", "tokenFile:"), "TokenFileNotAllowed"),
        (lambda good: good.replace("https://127.0.0.1", "https://169.254.169.254"), "AddressNotAllowed"),
        (lambda good: "- a list", "NotAMapping"),
    ],
)
async def test_a_bad_kubeconfig_is_named_and_the_last_good_one_stays_in_use(desk: Harness, spoil: object, code: str) -> None:
    """Refused at first with its code; after a good one a bad one changes nothing but the condition."""
    assert callable(spoil)
    good = await desk.kubeconfig("lingang")
    await desk.secret(A, "spoilt", kubeconfig=spoil(good))
    key = await desk.offer(A, "spoilt")
    seen = await desk.until(key, "Connected", "False", f"InvalidKubeconfig/{code}")
    token = next(line.split("token: ", 1)[1].strip() for line in good.splitlines() if "token: " in line)
    assert token not in str(seen)
    await desk.secret(A, "spoilt", kubeconfig=good)
    await desk.until(key, "Schedulable", "True", "Schedulable")
    await desk.secret(A, "spoilt", kubeconfig=spoil(good))
    seen = await desk.until(key, "Connected", "True", f"InvalidKubeconfig/{code}")
    assert "last good" in seen["message"]
    assert (await desk.condition(key, "Schedulable"))["status"] == "True"


async def test_a_missing_secret_or_key_is_named(desk: Harness) -> None:
    """What is missing is in the reason; it heals by itself."""
    key = await desk.offer(A, "later")
    await desk.until(key, "Connected", "False", "SecretNotFound")
    await desk.secret(A, "later", other="text")
    await desk.until(key, "Connected", "False", "KeyMissing")
    await desk.secret(A, "later", kubeconfig=await desk.kubeconfig("lingang"))
    await desk.until(key, "Schedulable", "True", "Schedulable")


async def test_a_rotated_credential_is_used_without_a_new_connection(desk: Harness) -> None:
    """The client stays, its pictures stay, the token changes."""
    await desk.secret(A, "rotating", kubeconfig=await desk.kubeconfig("lingang"))
    key = await desk.offer(A, "rotating")
    await desk.until(key, "Schedulable", "True", "Schedulable")
    link = next(link for link in desk.desk.links() if link.key.name == "rotating")
    client, before = link.client, link.client.credentials.fingerprint
    shown = (await desk.status(key))["kubeconfigFingerprint"]
    await asyncio.sleep(1)  # tokens of one second are equal
    await desk.secret(A, "rotating", kubeconfig=await desk.kubeconfig("lingang"))
    await comes(lambda: link.client.credentials.fingerprint != before, "the new token is taken")
    assert link.client is client
    assert link.connected
    await desk.until(key, "Schedulable", "True", "Schedulable")

    async def rotated() -> bool:
        return bool((await desk.status(key))["kubeconfigFingerprint"] != shown)

    await comes(rotated, "the status shows the rotation")


async def test_a_secret_that_leads_to_another_cluster_is_not_used(desk: Harness) -> None:
    """Identity is pinned: nothing is done there, the last good kubeconfig stays in use, and the condition says why."""
    good = await desk.kubeconfig("lingang")
    await desk.secret(A, "moved", kubeconfig=good)
    key = await desk.offer(A, "moved")
    await desk.until(key, "Schedulable", "True", "Schedulable")
    link = next(link for link in desk.desk.links() if link.key.name == "moved")
    await desk.secret(A, "moved", kubeconfig=await desk.kubeconfig("pengcheng"))
    seen = await desk.until(key, "Connected", "True", "IdentityChanged")
    assert "last good" in seen["message"]
    assert link.connected
    assert (await desk.condition(key, "Schedulable"))["status"] == "True"
    await desk.secret(A, "moved", kubeconfig=good)
    await desk.until(key, "Connected", "True", "Connected")


@pytest.mark.parametrize("resource", ["nvidia.com/gpu", "huawei.com/Ascend910"])
async def test_a_node_of_absurd_size_freezes_nothing(desk: Harness, resource: str) -> None:
    """Its devices are not believed; the offer goes on, and its status is still written."""
    member = desk.fed.members["lingang"]
    before = {pool["name"]: pool["devices"] for pool in (await desk.status(JOINED))["pools"]}
    told = {
        "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3",
        "node.kubernetes.io/npu.chip.name": "910A",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/os": "linux",
    }
    amounts = {"cpu": "9223372036854775807m", "memory": "9223372036854775807", "pods": "110", resource: "9223372036854775807"}
    body = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "absurd", "labels": told}, "status": {"capacity": amounts}}
    await desk.admin(lambda: member.apply(body))
    try:
        await desk.admin(lambda: member.kubectl("wait", "--for=condition=Ready", "node/absurd", f"--timeout={PATIENCE}s"))
        assert (await desk.admin(lambda: member.get("node", "absurd")))["status"]["allocatable"][resource] == "9223372036854775807"

        async def doubted() -> bool:
            return any(each["cause"] == "NotBelieved" for each in (await desk.status(JOINED)).get("leftOut", ()))

        await comes(doubted, "what is not believed is told")
        after = {pool["name"]: pool["devices"] for pool in (await desk.status(JOINED))["pools"]}
        assert after == before
        assert (await desk.condition(JOINED, "Schedulable"))["reason"] == "Schedulable"
    finally:
        await desk.admin(lambda: member.kubectl("delete", "node", "absurd"))


async def test_a_right_that_is_taken_away_is_named_and_heals(desk: Harness) -> None:
    """MissingPermissions lists exactly what is missing."""
    member = desk.fed.members["pengcheng"]
    role = member.get("role", "sampan-hub", "-n", "sampan-jobs")
    less = {**role, "rules": [rule for rule in role["rules"] if rule["resources"] != ["jobs"]]}
    try:
        await desk.admin(lambda: member.apply(less))
        seen = await desk.until(OTHER, "PermissionsSufficient", "False", "MissingPermissions")
        assert "create jobs.batch in sampan-jobs" in seen["message"]
        assert (await desk.condition(JOINED, "Schedulable"))["status"] == "True"
    finally:
        await desk.admin(lambda: member.apply({**role, "metadata": {"name": "sampan-hub", "namespace": "sampan-jobs"}}))
    await desk.until(OTHER, "Schedulable", "True", "Schedulable")


async def test_an_added_node_is_capacity_until_it_goes(desk: Harness) -> None:
    """Nodes that somebody adds are found like any other, and go like any other."""
    member, uid = desk.fed.members["lingang"], (await desk.status(JOINED))["clusterUID"]
    node = next(n for n in member.items("nodes") if n["metadata"]["name"].startswith("h100-"))
    labels = {**node["metadata"]["labels"], "kubernetes.io/hostname": "late"}
    body = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "late", "labels": labels}, "status": node["status"]}

    def free() -> int:
        cluster: Cluster = desk.desk.clusters()[uid]
        cells = [cell for cell in desk.desk.cells() if cell.offer == JOINED and cell.pool.name == "h100-sxm-80gb-x8"]
        return sum(cluster.free(name)["nvidia.com/gpu"] for cell in cells for name in cell.pool.nodes)

    async def reaches(devices: int) -> None:
        await comes(lambda: free() == devices, f"{devices} devices are free")

    await reaches(32)
    try:
        await desk.admin(lambda: member.apply(body, validate="warn"))
        await reaches(40)
    finally:
        await desk.admin(lambda: member.kubectl("delete", "node", "late"))
    await reaches(32)


async def test_an_offer_in_use_drains_and_goes_with_its_last_copy(desk: Harness) -> None:
    """Deleting an offer waits for the jobs; the finalizer leaves last."""
    key = await desk.offer(A, "leaving", kubeconfigSecretRef={"name": "lingang-ondemand-kubeconfig"})
    await desk.until(key, "Schedulable", "True", "Schedulable")
    desk.used.add(key)
    await desk.admin(lambda: desk.fed.hub.kubectl("delete", "clusteroffer", "-n", A, "leaving", "--wait=false"))
    await desk.until(key, "Draining", "True", "JobsBound")
    await desk.until(key, "Schedulable", "False", "Draining")
    assert not desk.desk.offers()[key].accepting
    desk.used.clear()
    await desk.admin(lambda: desk.fed.hub.kubectl("wait", "--for=delete", "clusteroffer/leaving", "-n", A, f"--timeout={PATIENCE}s"))


async def test_what_a_provider_was_not_granted_is_not_believed(desk: Harness) -> None:
    """Region and jurisdiction beyond the grant: not approved, with object and field in the message."""
    reference = {"name": "lingang-ondemand-kubeconfig"}
    key = await desk.offer(A, "abroad", kubeconfigSecretRef=reference, region="mars")
    seen = await desk.until(key, "Approved", "False", "RegionNotGranted")
    assert "spec.region" in seen["message"]
    assert "Provider lingang" in seen["message"]
    offer = desk.desk.offers()[key]
    assert (offer.approved, offer.region, dict(offer.labels)) == (False, "", {})


async def test_a_mute_member_is_noticed_and_the_other_is_not_disturbed(desk: Harness) -> None:
    """SIGSTOP accepts connections and never answers: noticed by silence; back after it goes on."""
    import signal

    pid = desk.fed.cluster("pengcheng").pids()["kube-apiserver"]
    os.kill(pid, signal.SIGSTOP)
    try:
        await desk.until(OTHER, "Connected", "False", "Unreachable")
        assert (await desk.condition(JOINED, "Connected"))["status"] == "True"
    finally:
        os.kill(pid, signal.SIGCONT)
    await desk.until(OTHER, "Schedulable", "True", "Schedulable")
