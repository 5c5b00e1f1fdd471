"""ClusterOffer.status: what a member says is bounded but never stops the operator from writing."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.crd_objects import DOCS
from sampan.api.crd.structural import structural_schema
from sampan.api.kinds.clusteroffer_status import ClusterOfferStatus, ExcludedNodesStatus, PoolStatus
from sampan.model.members.accelerator import Sharing
from unit.api.rule_check import accepts, refuses
from unit.api.schema_check import fits

POOL = {
    "name": "h100-x8",
    "acceleratorClass": "nvidia-h100-sxm-80gb",
    "vendor": "nvidia",
    "domestic": False,
    "sharing": "Whole",
    "resourceName": "nvidia.com/gpu",
    "architecture": "amd64",
    "nodes": 4,
    "devices": 32,
    "cards": 32,
    "free": 24,
    "schedulable": 16,
    "reserved": 0,
    "largestGang": {"perReplica": 8, "replicas": 3},
    "memoryPerDevice": "80Gi",
    "profile": "1g.10gb",
    "publisher": "nvidia-device-plugin",
    "fabric": "NVLink",
    "domains": 1,
    "variantUnknown": True,
    "contended": 2,
    "taints": ["nvidia.com/gpu=present:NoSchedule"],
    "evidence": ["no class is known for x.example/npu"],
}


def test_a_pool_with_devices_and_one_without() -> None:
    accepts(PoolStatus, POOL)
    accepts(PoolStatus, {"name": "cpu", "architecture": "arm64", "nodes": 2})
    assert set(POOL) == set(structural_schema(PoolStatus)["properties"])


@pytest.mark.parametrize("sharing", Sharing)
def test_every_sharing_mode_of_the_model_can_be_written(sharing: Sharing) -> None:
    accepts(PoolStatus, {"name": "p", "sharing": str(sharing)})


def test_pools_are_told_apart_by_name() -> None:
    refuses(ClusterOfferStatus, {"pools": [POOL, POOL]}, "pools must not hold the same entry twice")


@given(st.text(min_size=1, max_size=128))
def test_any_short_text_of_a_member_can_be_written(text: str) -> None:
    status = ClusterOfferStatus.model_validate(
        {"kubernetesVersion": text, "pools": [{"name": "p", "resourceName": text, "architecture": text}]}
    )
    assert fits(structural_schema(ClusterOfferStatus), status.as_json())


def test_the_schema_keeps_the_cluster_uid() -> None:
    (rule,) = structural_schema(ClusterOfferStatus)["x-kubernetes-validations"]
    assert "self.clusterUID == oldSelf.clusterUID" in rule["rule"]


def test_the_page_on_nodes_has_every_cause_of_what_is_left_out() -> None:
    told = ExcludedNodesStatus.model_fields["cause"].description or ""
    page = (DOCS / "nodes.md").read_text(encoding="utf-8")
    listed = {word for line in page.splitlines() if line.startswith("| `") for word in re.findall("`([A-Z][A-Za-z]+)`", line.split("|")[1])}
    assert set(re.findall("[A-Z][A-Za-z]+", told)) == listed - {"Spot", "Arm64", "GPUNodes"}
    assert {"NotAllocatable", "Contradictory", "RuntimeClassElsewhere"} <= listed
