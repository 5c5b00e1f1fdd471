"""The status an offer shows: accepted by the schema's model, written only where something changed."""

from dataclasses import replace
from typing import Any

from member_objects import HUB, MEMBER, offer_body, provider_body
from sampan.api.convert.offers import declared_offer, provider_grant
from sampan.api.kinds.clusteroffer_status import ClusterOfferStatus, ExcludedNodesStatus
from sampan.controller.members.facts import CredentialFacts, LinkFacts
from sampan.controller.offers.assessment import HubFacts, assess
from sampan.controller.offers.status import OfferView, difference, is_urgent, status_of
from sampan.inventory.pools.summary import ExcludedNodes, PoolSummary
from sampan.inventory.pools.taints import advice
from sampan.model.members.accelerator import Sharing
from sampan.model.members.offer_reasons import OfferReason
from sampan.model.members.taint import Taint

NOW = 1_767_225_600_000
FACTS = LinkFacts(
    connected=True,
    reason=OfferReason.CONNECTED,
    cluster_uid=MEMBER,
    version="v1.36.3",
    missing=(),
    credential=CredentialFacts(fingerprint="abc123"),
)
POOL = PoolSummary(
    name="h100-x8",
    accelerator_class="nvidia-h100-sxm-80gb",
    vendor="nvidia",
    domestic=False,
    sharing=Sharing.WHOLE,
    resource_name="nvidia.com/gpu",
    architecture="amd64",
    nodes=4,
    devices=32,
    free=24,
    reserved=0,
    largest_gang=(8, 3),
    memory_per_device=80 * 2**30,
)
CPU = replace(
    POOL, name="cpu", accelerator_class=None, vendor="", resource_name="", devices=0, free=0, largest_gang=None, memory_per_device=None
)


def view(facts: LinkFacts = FACTS, **spec: Any) -> OfferView:
    joined = assess(
        declared_offer(offer_body(**spec)), [provider_grant(provider_body())], facts, holder=None, hub=HubFacts(cluster_uid=HUB)
    )
    return OfferView(generation=3, assessed=joined, facts=facts, conditions=joined.conditions, pools=(POOL, CPU))


def test_the_schemas_model_takes_absurd_amounts() -> None:
    most = 2**63 - 1
    absurd = replace(
        POOL,
        nodes=most,
        devices=most,
        free=most,
        largest_gang=(most, most),
        resource_name=f"{'a' * 200}/gpu",
        architecture="\x1b[2J" + "x" * 500,
    )
    status = ClusterOfferStatus.model_validate(status_of(replace(view(), pools=(absurd,)), {}, now=NOW))
    assert (status.pools[0].devices, status.pools[0].free) == (1_000_000, 1_000_000)


def test_the_schemas_model_takes_it() -> None:
    status = ClusterOfferStatus.model_validate(status_of(view(), {}, now=NOW))
    assert (status.cluster_uid, status.kubernetes_version, status.workloads) == (MEMBER, "v1.36.3", ("batch/v1",))
    assert [pool.largest_gang is None for pool in status.pools] == [False, True]
    assert (status.pools[0].memory_per_device, status.pools[1].accelerator_class) == ("80Gi", None)
    assert [c.type for c in status.conditions] == ["Approved", "Connected", "PermissionsSufficient"]
    assert {c.observed_generation for c in status.conditions} == {3}


def test_nothing_is_written_where_only_time_passed() -> None:
    known = status_of(view(), {}, now=NOW)
    assert difference(known, status_of(view(), known, now=NOW + 60_000)) == {}


def test_a_transition_time_moves_only_with_the_status() -> None:
    known = status_of(view(), {}, now=NOW)
    same = status_of(view(replace(FACTS, message="other words")), known, now=NOW + 60_000)
    assert same["conditions"][1]["lastTransitionTime"] == "2026-01-01T00:00:00Z"
    lost = status_of(view(replace(FACTS, connected=False, reason=OfferReason.UNREACHABLE)), known, now=NOW + 60_000)
    assert lost["conditions"][1]["lastTransitionTime"] == "2026-01-01T00:01:00Z"


def test_counts_can_wait_and_conditions_cannot() -> None:
    known = status_of(view(), {}, now=NOW)
    counts = difference(known, status_of(replace(view(), pools=(replace(POOL, free=8),)), known, now=NOW))
    assert counts.keys() == {"pools"}
    assert not is_urgent(counts)
    assert is_urgent(difference(known, status_of(view(replace(FACTS, missing=("x",))), known, now=NOW)))


def test_a_field_that_no_longer_holds_is_taken_out() -> None:
    known = status_of(view(replace(FACTS, missing=("list nodes",))), {}, now=NOW)
    assert known["missingPermissions"] == ["list nodes"]
    assert difference(known, status_of(view(), known, now=NOW))["missingPermissions"] is None


def test_the_clusters_identity_is_shown_once_approved_and_never_changes() -> None:
    assert "clusterUID" not in status_of(view(region="mars"), {}, now=NOW)
    assert status_of(view(), {"clusterUID": "old"}, now=NOW)["clusterUID"] == "old"


def test_what_lets_nodes_with_several_taints_in_is_told_whole() -> None:
    taints = [Taint(f"example.com/team-{number}", "reserved-for-them", "NoSchedule") for number in range(4)]
    told = advice(taints)
    shown = status_of(replace(view(), excluded_nodes=(ExcludedNodes("Tainted", "", 1, 8, "n1", told),)), {}, now=NOW)["excludedNodes"][0]
    assert shown["detail"] == told
    ExcludedNodesStatus.model_validate(shown)
