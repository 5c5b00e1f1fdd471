"""API groups and claims of a member, and only real changes told."""

import msgspec
import pytest

from sampan.inventory.quotas import MemberQuotas
from sampan.kube.objects import quotas as kube


@pytest.fixture
def told() -> list[int]:
    return []


@pytest.fixture
def layers(told: list[int]) -> MemberQuotas:
    return MemberQuotas(lambda: told.append(1))


def test_api_groups_tell_the_layers(layers: MemberQuotas, told: list[int]) -> None:
    layers.found(["apps", "kueue.x-k8s.io", "batch.volcano.sh", "scheduling.volcano.sh"])
    layers.found(["kueue.x-k8s.io", "batch.volcano.sh"])
    assert layers.queueing == ("Kueue", "Volcano")
    assert len(told) == 1


def claim(uid: str, *devices: str) -> kube.ResourceClaim:
    results = [{"driver": "gpu.nvidia.com", "pool": "n1", "device": device} for device in devices]
    status = {"allocation": {"devices": {"results": results}}} if devices else {}
    return msgspec.convert({"metadata": {"name": uid, "namespace": "x", "uid": uid}, "status": status}, kube.ResourceClaim)


def test_claims_count_the_devices_that_they_hold(layers: MemberQuotas, told: list[int]) -> None:
    layers.replace_claims([claim("a", "gpu-0"), claim("b", "gpu-0", "gpu-1"), claim("waiting")])
    assert layers.claimed == {("gpu.nvidia.com", "n1", "gpu-0"): 2, ("gpu.nvidia.com", "n1", "gpu-1"): 1}
    before = len(told)
    layers.put_claim(claim("b", "gpu-0", "gpu-1"))
    layers.drop_claim(claim("waiting"))
    assert len(told) == before, "nothing changed"
    layers.drop_claim(claim("b"))
    assert layers.claimed == {("gpu.nvidia.com", "n1", "gpu-0"): 1}


def test_a_claim_that_only_watches_holds_nothing(layers: MemberQuotas) -> None:
    results = [{"driver": "gpu.nvidia.com", "pool": "n1", "device": name, "adminAccess": name == "gpu-0"} for name in ("gpu-0", "gpu-1")]
    body = {"metadata": {"uid": "a"}, "status": {"allocation": {"devices": {"results": results}}}}
    layers.replace_claims([msgspec.convert(body, kube.ResourceClaim)])
    assert layers.claimed == {("gpu.nvidia.com", "n1", "gpu-1"): 1}
