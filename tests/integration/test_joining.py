"""Joining members, end to end on real API servers: what a provider does, and what the offer says."""

import asyncio
import os
from collections.abc import AsyncIterator

import pytest

from integration.offers_harness import Harness, comes, harness
from integration.support import PATIENCE, FederationUnderTest
from sampan.model.members.cluster import Cluster
from sampan.model.members.offer import OfferKey

A = "prov-lingang"
B = "prov-pengcheng"
JOINED = OfferKey(A, "lingang-ondemand")
OTHER = OfferKey(B, "pengcheng-ondemand")


@pytest.fixture
async def joined(unmanaged: FederationUnderTest) -> AsyncIterator[Harness]:
    """An OfferManager with both offers of the scenario joined."""
    async with harness(unmanaged) as made:
        for key in (JOINED, OTHER):
            await made.until(key, "Schedulable", "True", "Schedulable")
        yield made


async def test_an_offer_is_joined_with_its_pools_and_the_clusters_identity(joined: Harness) -> None:
    """From Secret and offer to Schedulable, with what the member has."""
    status = await joined.status(JOINED)
    member = joined.fed.members["lingang"]
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


async def test_an_idle_operator_writes_nothing(joined: Harness) -> None:
    """Once everything has settled no offer changes for as long as one looks: what a loaded machine delays for seconds is a change."""

    async def rests() -> bool:
        before = [body["metadata"]["resourceVersion"] for body in await joined.hub.list_objects("clusteroffers")]
        await asyncio.sleep(12)
        return [body["metadata"]["resourceVersion"] for body in await joined.hub.list_objects("clusteroffers")] == before

    await comes(rests, "twelve seconds without a write")


async def test_two_offers_of_one_namespace_share_one_link(joined: Harness) -> None:
    """One kubeconfig, one inventory, two offers."""
    key = await joined.offer(A, "second", kubeconfigSecretRef={"name": "lingang-ondemand-kubeconfig"}, terms="OnDemand")
    await joined.until(key, "Schedulable", "True", "Schedulable")
    assert len([link for link in joined.manager.joined.links() if link.key.namespace == A]) == 1
    assert {offer.cluster_uid for k, offer in joined.manager.joined.offers().items() if k.namespace == A} == {
        (await joined.status(JOINED))["clusterUID"]
    }


async def test_a_cluster_offered_from_another_namespace_is_refused(joined: Harness) -> None:
    """The first one keeps it, and nothing of the second is used."""
    await joined.secret(B, "stolen", kubeconfig=await joined.kubeconfig("lingang"))
    key = await joined.offer(B, "stolen")
    await joined.until(key, "Connected", "False", "DuplicateCluster")
    assert (await joined.condition(JOINED, "Schedulable"))["status"] == "True"
    assert "clusterUID" not in await joined.status(key)
    link = joined.manager.joined.link_of((await joined.status(JOINED))["clusterUID"])
    assert link is not None
    assert link.key.namespace == A


async def test_the_hub_itself_is_no_member(joined: Harness) -> None:
    """A kubeconfig that leads to the hub is refused."""
    path = joined.fed.federation.existing_kubeconfig("operator")
    await joined.secret(A, "hub", kubeconfig=path.read_text())
    key = await joined.offer(A, "hub")
    await joined.until(key, "Connected", "False", "HubAsMember")


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
async def test_a_bad_kubeconfig_is_named_and_the_last_good_one_stays_in_use(joined: Harness, spoil: object, code: str) -> None:
    """Refused at first with its code; after a good one a bad one changes nothing but the condition."""
    assert callable(spoil)
    good = await joined.kubeconfig("lingang")
    await joined.secret(A, "spoilt", kubeconfig=spoil(good))
    key = await joined.offer(A, "spoilt")
    seen = await joined.until(key, "Connected", "False", f"InvalidKubeconfig/{code}")
    token = next(line.split("token: ", 1)[1].strip() for line in good.splitlines() if "token: " in line)
    assert token not in str(seen)
    await joined.secret(A, "spoilt", kubeconfig=good)
    await joined.until(key, "Schedulable", "True", "Schedulable")
    await joined.secret(A, "spoilt", kubeconfig=spoil(good))
    seen = await joined.until(key, "Connected", "True", f"InvalidKubeconfig/{code}")
    assert "last good" in seen["message"]
    assert (await joined.condition(key, "Schedulable"))["status"] == "True"


async def test_a_missing_secret_or_key_is_named(joined: Harness) -> None:
    """What is missing is in the reason; it heals by itself."""
    key = await joined.offer(A, "later")
    await joined.until(key, "Connected", "False", "SecretNotFound")
    await joined.secret(A, "later", other="text")
    await joined.until(key, "Connected", "False", "KeyMissing")
    await joined.secret(A, "later", kubeconfig=await joined.kubeconfig("lingang"))
    await joined.until(key, "Schedulable", "True", "Schedulable")


async def test_a_rotated_credential_is_used_without_a_new_connection(joined: Harness) -> None:
    """The client stays, its pictures stay, the token changes."""
    await joined.secret(A, "rotating", kubeconfig=await joined.kubeconfig("lingang"))
    key = await joined.offer(A, "rotating")
    await joined.until(key, "Schedulable", "True", "Schedulable")
    link = next(link for link in joined.manager.joined.links() if link.key.name == "rotating")
    client, before = link.client, link.client.credentials.fingerprint
    shown = (await joined.status(key))["kubeconfigFingerprint"]
    await asyncio.sleep(1)  # tokens of one second are equal
    await joined.secret(A, "rotating", kubeconfig=await joined.kubeconfig("lingang"))
    await comes(lambda: link.client.credentials.fingerprint != before, "the new token is taken")
    assert link.client is client
    assert link.connected
    await joined.until(key, "Schedulable", "True", "Schedulable")

    async def rotated() -> bool:
        return bool((await joined.status(key))["kubeconfigFingerprint"] != shown)

    await comes(rotated, "the status shows the rotation")


async def test_a_secret_that_leads_to_another_cluster_is_not_used(joined: Harness) -> None:
    """Identity is pinned: nothing is done there, the last good kubeconfig stays in use, and the condition says why."""
    good = await joined.kubeconfig("lingang")
    await joined.secret(A, "moved", kubeconfig=good)
    key = await joined.offer(A, "moved")
    await joined.until(key, "Schedulable", "True", "Schedulable")
    link = next(link for link in joined.manager.joined.links() if link.key.name == "moved")
    await joined.secret(A, "moved", kubeconfig=await joined.kubeconfig("pengcheng"))
    seen = await joined.until(key, "Connected", "True", "IdentityChanged")
    assert "last good" in seen["message"]
    assert link.connected
    assert (await joined.condition(key, "Schedulable"))["status"] == "True"
    await joined.secret(A, "moved", kubeconfig=good)
    await joined.until(key, "Connected", "True", "Connected")


@pytest.mark.parametrize("resource", ["nvidia.com/gpu", "huawei.com/Ascend910"])
async def test_a_node_of_absurd_size_freezes_nothing(joined: Harness, resource: str) -> None:
    """Its devices are not believed; the offer goes on, and its status is still written."""
    member = joined.fed.members["lingang"]
    before = {pool["name"]: pool["devices"] for pool in (await joined.status(JOINED))["pools"]}
    told = {
        "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3",
        "node.kubernetes.io/npu.chip.name": "910A",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/os": "linux",
    }
    amounts = {"cpu": "9223372036854775807m", "memory": "9223372036854775807", "pods": "110", resource: "9223372036854775807"}
    body = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "absurd", "labels": told}, "status": {"capacity": amounts}}
    await joined.admin(lambda: member.apply(body))
    try:
        await joined.admin(lambda: member.kubectl("wait", "--for=condition=Ready", "node/absurd", f"--timeout={PATIENCE}s"))
        assert (await joined.admin(lambda: member.get("node", "absurd")))["status"]["allocatable"][resource] == "9223372036854775807"

        async def doubted() -> bool:
            return any(each["cause"] == "NotBelieved" for each in (await joined.status(JOINED)).get("excludedNodes", ()))

        await comes(doubted, "what is not believed is told")
        after = {pool["name"]: pool["devices"] for pool in (await joined.status(JOINED))["pools"]}
        assert after == before
        assert (await joined.condition(JOINED, "Schedulable"))["reason"] == "Schedulable"
    finally:
        await joined.admin(lambda: member.kubectl("delete", "node", "absurd"))


async def test_a_right_that_is_taken_away_is_named_and_heals(joined: Harness) -> None:
    """MissingPermissions lists exactly what is missing."""
    member = joined.fed.members["pengcheng"]
    role = member.get("role", "sampan-hub", "-n", "sampan-jobs")
    less = {**role, "rules": [rule for rule in role["rules"] if rule["resources"] != ["jobs"]]}
    try:
        await joined.admin(lambda: member.apply(less))
        seen = await joined.until(OTHER, "PermissionsSufficient", "False", "MissingPermissions")
        assert "create jobs.batch in sampan-jobs" in seen["message"]
        assert (await joined.condition(JOINED, "Schedulable"))["status"] == "True"
    finally:
        await joined.admin(lambda: member.apply({**role, "metadata": {"name": "sampan-hub", "namespace": "sampan-jobs"}}))
    await joined.until(OTHER, "Schedulable", "True", "Schedulable")


async def test_an_added_node_is_capacity_until_it_goes(joined: Harness) -> None:
    """Nodes that somebody adds are found like any other, and go like any other."""
    member, uid = joined.fed.members["lingang"], (await joined.status(JOINED))["clusterUID"]
    node = next(n for n in member.items("nodes") if n["metadata"]["name"].startswith("h100-"))
    labels = {**node["metadata"]["labels"], "kubernetes.io/hostname": "late"}
    body = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "late", "labels": labels}, "status": node["status"]}

    def free() -> int:
        cluster: Cluster = joined.manager.joined.clusters(lambda _: ())[uid]
        cells = [cell for cell in joined.manager.joined.cells() if cell.offer == JOINED and cell.pool.name == "h100-sxm-80gb-x8"]
        return sum(cluster.free(name)["nvidia.com/gpu"] for cell in cells for name in cell.pool.nodes)

    async def reaches(devices: int) -> None:
        await comes(lambda: free() == devices, f"{devices} devices are free")

    await reaches(32)
    try:
        await joined.admin(lambda: member.apply(body, validate="warn"))
        await reaches(40)
    finally:
        await joined.admin(lambda: member.kubectl("delete", "node", "late"))
    await reaches(32)


async def test_an_offer_in_use_drains_and_goes_with_its_last_copy(joined: Harness) -> None:
    """Deleting an offer waits for the jobs; the finalizer leaves last."""
    key = await joined.offer(A, "leaving", kubeconfigSecretRef={"name": "lingang-ondemand-kubeconfig"})
    await joined.until(key, "Schedulable", "True", "Schedulable")
    joined.used.add(key)
    await joined.admin(lambda: joined.fed.hub.kubectl("delete", "clusteroffer", "-n", A, "leaving", "--wait=false"))
    await joined.until(key, "Draining", "True", "JobsBound")
    await joined.until(key, "Schedulable", "False", "Draining")
    assert not joined.manager.joined.offers()[key].accepting
    joined.used.clear()
    await joined.admin(lambda: joined.fed.hub.kubectl("wait", "--for=delete", "clusteroffer/leaving", "-n", A, f"--timeout={PATIENCE}s"))


async def test_what_a_provider_was_not_granted_is_not_believed(joined: Harness) -> None:
    """Region and jurisdiction beyond the grant: not approved, with object and field in the message."""
    reference = {"name": "lingang-ondemand-kubeconfig"}
    key = await joined.offer(A, "abroad", kubeconfigSecretRef=reference, region="mars")
    seen = await joined.until(key, "Approved", "False", "RegionNotGranted")
    assert "spec.region" in seen["message"]
    assert "Provider lingang" in seen["message"]
    offer = joined.manager.joined.offers()[key]
    assert (offer.approved, offer.region, dict(offer.labels)) == (False, "", {})


async def test_a_mute_member_is_noticed_and_the_other_is_not_disturbed(joined: Harness) -> None:
    """SIGSTOP accepts connections and never answers: noticed by silence; back after it goes on."""
    import signal

    pid = joined.fed.cluster("pengcheng").pids()["kube-apiserver"]
    os.kill(pid, signal.SIGSTOP)
    try:
        await joined.until(OTHER, "Connected", "False", "Unreachable")
        assert (await joined.condition(JOINED, "Connected"))["status"] == "True"
    finally:
        os.kill(pid, signal.SIGCONT)
    await joined.until(OTHER, "Schedulable", "True", "Schedulable")
