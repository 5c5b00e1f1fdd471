"""What a quota or a queue of a member leaves is given out once: from the assignment until the member's own books say so."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
import pytest

import builders as b
from jobs import CLUSTER, NOW, OFFER, body
from member_objects import HUB, as_node, node_body
from sampan.catalog import load
from sampan.controller.offers.pools import OfferPools
from sampan.controller.state.store import State
from sampan.inventory.cluster import InFlightSource
from sampan.inventory.member import Inventory
from sampan.kube.objects import quotas as kube
from sampan.model.members.cluster import Cell, Cluster, Node
from sampan.model.members.offer import Offer, OfferKey
from sampan.model.reason import Reason
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import schedule
from unit.controller.fakes import FakeMemberSource

GPU = "nvidia.com/gpu"
ONE: dict[str, Any] = {"alternatives": [{"accelerator": {"class": b.H100, "count": 1}}]}


class Member(FakeMemberSource):
    """One member of 16 H100 whose pools and limits are made by the real parts; `queue`: jobs enter Kueue's queue `gpu`."""

    def __init__(self, *, queue: bool) -> None:
        super().__init__()
        self.offer = replace(b.offer(OFFER.name, namespace=OFFER.namespace, cluster_uid=CLUSTER), member_queue="gpu" if queue else "")
        self.state = State(self, currency="CNY", cooldown=0)
        self.parts = OfferPools(load(), frozenset())
        self.state.allocations.on_change.append(self.parts.in_flight_changed)
        self.inventory = Inventory(HUB, self._changed)
        self.parts.set_offer(self.offer, trust_overrides=False)
        self.parts.attach_member(CLUSTER, self.inventory)
        for name in ("n1", "n2"):
            self.inventory.put_node(as_node(node_body(name)))
        self.inventory.quotas.found([], kueue="kueue.x-k8s.io/v1beta2")

    def _changed(self, nodes: frozenset[str]) -> None:
        self.parts.mark_changed(CLUSTER, self.inventory, nodes)

    def offers(self) -> Mapping[OfferKey, Offer]:
        return {OFFER: self.offer}

    def cells(self) -> tuple[Cell, ...]:
        return self.parts.cells()

    def clusters(self, in_flight: InFlightSource) -> Mapping[str, Cluster]:
        return self.parts.clusters(in_flight)

    def nodes(self, cluster_uid: str) -> Mapping[str, Node]:
        return self.inventory.nodes

    def cycle(self) -> list[str]:
        """Run one cycle and assume what it assigns."""
        plan, _ = schedule(self.state.snapshot(NOW), Memo())
        for done in plan.assignments:
            self.state.assume(done)
        return [done.job.uid for done in plan.assignments]

    def comes(self, uid: str) -> list[str]:
        """A job is submitted, and a cycle runs."""
        self.state.apply_job(body(uid, spec=ONE, name=uid))
        return self.cycle()

    def kueue(self, nominal: str, reserved: str) -> None:
        """Kueue's books say so."""
        used = [{"name": "f", "resources": [{"name": GPU, "total": reserved}]}]
        rest = [{"name": name, "nominalQuota": "1000Gi"} for name in ("cpu", "memory")]
        groups = [{"flavors": [{"name": "f", "resources": [{"name": GPU, "nominalQuota": nominal}, *rest]}]}]
        queue = {"metadata": {"name": "all"}, "spec": {"resourceGroups": groups}, "status": {"flavorsReservation": used}}
        local = {"metadata": {"name": "gpu", "namespace": self.offer.namespace}, "spec": {"clusterQueue": "all"}}
        self.inventory.quotas.kueue.put_cluster(msgspec.convert(queue, kube.ClusterQueue))
        self.inventory.quotas.kueue.put_local(msgspec.convert({**local, "status": {"flavorsReservation": used}}, kube.LocalQueue))

    def quota(self, hard: str, used: str) -> None:
        """The quota controller's books say so."""
        amounts = {"hard": {f"requests.{GPU}": hard}, "used": {f"requests.{GPU}": used}}
        quota = {"metadata": {"name": "q", "namespace": self.offer.namespace}, "status": amounts}
        self.inventory.quotas.rules.put_quota(msgspec.convert(quota, kube.ResourceQuota))

    def left(self) -> int:
        """Return what the quota leaves."""
        return self.clusters(self.state.allocations.in_flight)[CLUSTER].quotas[self.offer.namespace][0].left[GPU]

    def ends(self, uid: str) -> None:
        """The job is gone from the hub."""
        self.state.remove_job(uid)


@pytest.mark.parametrize("at_once", [True, False], ids=["in one cycle", "in a cycle each"])
@pytest.mark.parametrize("queue", [True, False], ids=["Kueue", "ResourceQuota"])
def test_of_four_jobs_in_a_second_on_two_devices_two_are_bound(queue: bool, at_once: bool) -> None:
    member = Member(queue=queue)
    says = member.kueue if queue else member.quota
    says("2", "0")
    bound: list[str] = []
    for number in range(4):
        if at_once:
            member.state.apply_job(body(f"u{number}", spec=ONE, name=f"u{number}"))
        else:
            bound += member.comes(f"u{number}")
    bound += member.cycle()
    assert bound == ["u0", "u1"]
    assert member.cycle() == [], "nor later"
    says("2", "2")
    if queue:
        assert member.cycle() == [], "counted once by the member"
        member.ends("u0")
        assert member.cycle() == [], "the queue has not given it back yet"
        says("2", "1")
        assert member.cycle() == ["u2"]
    else:
        assert member.cycle() == []


def test_what_a_quota_counts_is_not_taken_twice() -> None:
    """Six devices, two jobs of one: whatever the order in which the quota and the jobs' ends are heard of, never too much is left."""
    member = Member(queue=False)
    member.quota("6", "0")
    for uid in ("u0", "u1"):
        member.comes(uid)
    assert member.left() == 4
    member.quota("6", "1")
    assert member.left() == 3, "for a moment one counts twice: too little is never too much"
    member.ends("u0")
    assert member.left() == 4
    member.quota("6", "0")
    assert member.left() == 5


def test_no_job_enters_a_queue_that_is_missing_or_stopped() -> None:
    """It would wait there, suspended, until its start deadline, while other offers could run it."""
    member = Member(queue=True)
    member.inventory.quotas.kueue.replace_local(member.offer.namespace, [])
    assert member.comes("first") == [], "no such LocalQueue"
    member.kueue("2", "0")
    assert member.cycle() == ["first"]
    stopped = {"metadata": {"name": "gpu", "namespace": member.offer.namespace}, "spec": {"clusterQueue": "all", "stopPolicy": "Hold"}}
    member.inventory.quotas.kueue.put_local(msgspec.convert(stopped, kube.LocalQueue))
    assert member.comes("second") == []
    plan, _ = schedule(member.state.snapshot(NOW), Memo())
    assert [each.dominant for each in plan.refusals] == [Reason.MEMBER_QUEUE_NOT_READY]
