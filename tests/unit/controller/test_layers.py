"""Quotas, Kueue and claims of a member: what is left, borrowing included, and only real changes told."""

import msgspec
import pytest

from sampan.controller.layers import Layers
from sampan.kube import layers as kube


@pytest.fixture
def told() -> list[int]:
    return []


@pytest.fixture
def layers(told: list[int]) -> Layers:
    return Layers(lambda: told.append(1))


def quota(name: str, hard: dict[str, str], used: dict[str, str], *, scopes: list[str] | None = None) -> kube.ResourceQuota:
    body = {"metadata": {"name": name, "namespace": "jobs"}, "spec": {"scopes": scopes or []}, "status": {"hard": hard, "used": used}}
    return msgspec.convert(body, kube.ResourceQuota)


def cluster_queue(
    name: str, nominal: str, used: str, *, cohort: str = "", limit: str | None = None, stop: str = "None"
) -> kube.ClusterQueue:
    resource = {"name": "nvidia.com/gpu", "nominalQuota": nominal, **({"borrowingLimit": limit} if limit else {})}
    body = {
        "metadata": {"name": name},
        "spec": {"cohort": cohort, "stopPolicy": stop, "resourceGroups": [{"flavors": [{"name": "h100", "resources": [resource]}]}]},
        "status": {"flavorsReservation": [{"name": "h100", "resources": [{"name": "nvidia.com/gpu", "total": used}]}]},
    }
    return msgspec.convert(body, kube.ClusterQueue)


def local(name: str, serving: str) -> kube.LocalQueue:
    return msgspec.convert({"metadata": {"name": name, "namespace": "jobs"}, "spec": {"clusterQueue": serving}}, kube.LocalQueue)


def test_api_groups_tell_the_layers(layers: Layers, told: list[int]) -> None:
    layers.found(["apps", "kueue.x-k8s.io", "batch.volcano.sh", "scheduling.volcano.sh"])
    layers.found(["kueue.x-k8s.io", "batch.volcano.sh"])
    assert layers.queueing == ("Kueue", "Volcano")
    assert len(told) == 1


def test_the_least_of_all_quotas_counts_and_requests_are_what_they_limit(layers: Layers) -> None:
    layers.replace_quotas("jobs", [quota("a", {"requests.nvidia.com/gpu": "16", "cpu": "64"}, {"requests.nvidia.com/gpu": "4"})])
    layers.put_quota(quota("b", {"requests.nvidia.com/gpu": "8", "limits.cpu": "1"}, {"requests.nvidia.com/gpu": "9"}))
    assert layers.quotas == {"jobs": {"nvidia.com/gpu": 0, "cpu": 64_000}}
    layers.drop_quota(quota("b", {}, {}))
    assert layers.quotas["jobs"]["nvidia.com/gpu"] == 12


def test_a_quota_of_some_pods_tells_nothing_of_ours(layers: Layers) -> None:
    layers.put_quota(quota("terminating", {"pods": "0"}, {}, scopes=["Terminating"]))
    assert layers.quotas == {}


@pytest.mark.parametrize(
    ("own", "lender", "limit", "want"),
    [
        (("16", "4"), None, None, 12),
        (("16", "16"), ("16", "4"), None, 12),
        (("16", "10"), ("16", "4"), None, 18),
        (("16", "10"), ("16", "4"), "5", 11),
        (("16", "20"), ("16", "8"), "8", 4),
        (("16", "20"), ("16", "16"), "8", 0),
    ],
    ids=["alone", "all borrowed", "both", "limited", "borrows already", "nothing left anywhere"],
)
def test_kueue_admits_what_is_left_and_what_may_be_borrowed(
    layers: Layers, own: tuple[str, str], lender: tuple[str, str] | None, limit: str | None, want: int
) -> None:
    queues = [cluster_queue("own", *own, cohort="city" if lender else "", limit=limit)]
    queues += [cluster_queue("lender", *lender, cohort="city")] if lender else []
    layers.replace_cluster(queues)
    layers.replace_local([local("gpu", "own")])
    assert layers.queues["jobs/gpu"].free == {"nvidia.com/gpu": want}
    assert layers.queues["jobs/gpu"].active


def test_a_stopped_or_missing_cluster_queue_makes_its_local_queues_inactive(layers: Layers) -> None:
    layers.put_local(local("gpu", "own"))
    assert not layers.queues["jobs/gpu"].active
    layers.put_cluster(cluster_queue("own", "8", "0", stop="HoldAndDrain"))
    assert not layers.queues["jobs/gpu"].active
    layers.put_cluster(cluster_queue("own", "8", "0"))
    assert layers.queues["jobs/gpu"].active
    layers.drop_cluster(cluster_queue("own", "8", "0"))
    layers.drop_local(local("gpu", "own"))
    assert layers.queues == {}


def claim(uid: str, *devices: str) -> kube.ResourceClaim:
    results = [{"driver": "gpu.nvidia.com", "pool": "n1", "device": device} for device in devices]
    status = {"allocation": {"devices": {"results": results}}} if devices else {}
    return msgspec.convert({"metadata": {"name": uid, "namespace": "x", "uid": uid}, "status": status}, kube.ResourceClaim)


def test_claims_count_the_devices_that_they_hold(layers: Layers, told: list[int]) -> None:
    layers.replace_claims([claim("a", "gpu-0"), claim("b", "gpu-0", "gpu-1"), claim("waiting")])
    assert layers.claimed == {("gpu.nvidia.com", "n1", "gpu-0"): 2, ("gpu.nvidia.com", "n1", "gpu-1"): 1}
    before = len(told)
    layers.put_claim(claim("b", "gpu-0", "gpu-1"))
    layers.drop_claim(claim("waiting"))
    assert len(told) == before, "nothing changed"
    layers.drop_claim(claim("b"))
    assert layers.claimed == {("gpu.nvidia.com", "n1", "gpu-0"): 1}


def test_a_claim_that_only_watches_holds_nothing(layers: Layers) -> None:
    results = [{"driver": "gpu.nvidia.com", "pool": "n1", "device": name, "adminAccess": name == "gpu-0"} for name in ("gpu-0", "gpu-1")]
    body = {"metadata": {"uid": "a"}, "status": {"allocation": {"devices": {"results": results}}}}
    layers.replace_claims([msgspec.convert(body, kube.ResourceClaim)])
    assert layers.claimed == {("gpu.nvidia.com", "n1", "gpu-1"): 1}
