"""What is found to stall a job, from a link's caches and over time."""

from dataclasses import replace
from typing import Any, cast

import msgspec
import pytest

from builders import node
from jobs import HUB, NOW, binding, bound_status, copy, record
from sampan.controller.members.outage import Outage
from sampan.controller.reconcile.view.member_view import MemberView
from sampan.controller.reconcile.view.remote_state import RemoteState
from sampan.controller.reconcile.view.stall_watch import StallTracker
from sampan.controller.reconcile.view.stalls import StallState
from sampan.controller.state.entry import JobEntry
from sampan.controller.state.record import JobRecord
from sampan.kube.objects.workloads import Condition, Pod
from sampan.kube.transport.client import Client
from sampan.model.lifecycle import Event, Outcome
from sampan.model.members.offer_reasons import OfferReason
from sampan.model.status.attempt import Ending
from sampan.model.status.reasons import AttemptReason, MemberWord
from sampan.model.values.names import remote_labels
from sampan.model.values.timestamp import to_rfc3339
from unit.controller.fakes import FakeLink, FakeMembers

DELETED = {"deletionTimestamp": "2027-01-15T08:00:00Z"}


def pod(name: str = "p", *, on: str = "n1", ready: bool = True, attempt: int = 1, **meta: Any) -> Pod:
    """A pod that runs on a node; not ready: as a node controller marks it."""
    conditions = [{"type": "Ready", "status": str(ready), "lastTransitionTime": "2027-01-15T07:58:00Z"}]
    labels = remote_labels(hub_id=HUB, job_uid="u1", attempt=attempt)
    body = {
        "metadata": {"name": name, "uid": name, "namespace": "sampan-jobs", "labels": labels, **meta},
        "spec": {"nodeName": on},
        "status": {"phase": "Running", "conditions": [*conditions, {"type": "ContainersReady", "status": "True"}]},
    }
    return msgspec.convert(body, Pod)


class Scene:
    """One job on one member, and what is found."""

    def __init__(self, job: JobRecord | None = None) -> None:
        self.now = NOW
        self.link = FakeLink(cast(Client, None))
        self.link.nodes = {name: node(name) for name in ("n1", "n2")}
        self.members = FakeMembers(self.link)
        self.view = MemberView(self.members, lambda: self.now)
        self.outlooks = StallTracker(self.members, lambda: self.now)
        known = job or record(status=bound_status(binding(remote_uid="remote-1", replicas=2), running=True), spec={"replicas": 2})
        self.entry = JobEntry(record=known)
        self.link.show(copy())
        self.pods(pod("a"), pod("b", on="n2"))

    @property
    def job(self) -> JobRecord:
        """The job as it is now."""
        return self.entry.record

    @job.setter
    def job(self, record: JobRecord) -> None:
        self.entry.record = record

    def pods(self, *pods: Pod) -> None:
        """What the pods are now."""
        self.link.show_pods({each.metadata.uid: each for each in pods})

    def look(self, *, after: int = 0) -> StallState:
        """What is found after so many milliseconds."""
        self.now += after
        return self.outlooks.of(self.entry, self.view.of(self.entry))

    def reason(self, *, after: int = 0) -> str | None:
        """Its reason; None: nothing stalls it."""
        found = self.look(after=after)
        assert found.known
        return None if found.stall is None else str(found.stall.reason)


def ended(outcome: Outcome = Outcome.DISRUPTED, **meta: Any) -> JobRecord:
    """A job whose attempt is over and whose binding is not free yet."""
    status = bound_status(binding(remote_uid="remote-1")).attempt_ended(Ending(outcome=outcome, reason=MemberWord("X"), ended_at=NOW))
    return record(status=status, **meta)


def finished(**meta: Any) -> JobRecord:
    """A job that succeeded."""
    status = bound_status(binding(remote_uid="remote-1"), running=True)
    return record(status=status.finished(Event.SUCCEEDED, reason=AttemptReason.COMPLETED, message="", at=NOW), **meta)


def test_a_gang_in_order_and_a_job_without_a_place_are_held_up_by_nothing() -> None:
    assert Scene().reason() is None
    assert Scene(record()).reason() is None


def test_a_lost_node_is_found_by_itself_and_told_after_a_while() -> None:
    sc = Scene()
    sc.link.nodes["n1"] = replace(node("n1"), ready=False)
    first = sc.look().stall
    assert first is not None
    assert first.report_at == NOW + 10_000
    assert first == sc.look(after=5_000).stall, "since when and from when on do not move"
    sc.link.nodes["n1"] = node("n1")
    assert sc.reason() is None
    sc.link.nodes["n1"] = replace(node("n1"), ready=False)
    again = sc.look().stall
    assert again is not None
    assert again.report_at == sc.now + 10_000, "a second time is counted anew"


def test_since_when_is_the_members_word_but_never_later_than_we_saw_it() -> None:
    sc = Scene()
    sc.link.nodes = {}
    sc.pods(pod("a", ready=False), pod("b"))
    found = sc.look().stall
    assert found is not None
    assert "since 2027-01-15T07:58:00Z" in found.message
    sc = Scene()
    sc.now = NOW - 600_000
    sc.link.nodes = {}
    sc.pods(pod("a", ready=False), pod("b"))
    found = sc.look().stall
    assert found is not None
    assert f"since {to_rfc3339(NOW - 600_000)}" in found.message


def test_several_nodes_and_a_node_object_that_is_gone() -> None:
    sc = Scene()
    for name in ("n1", "n2"):
        sc.link.nodes[name] = replace(node(name), ready=False)
    found = sc.look().stall
    assert found is not None
    assert "Nodes n1, n2 are not ready" in found.message
    del sc.link.nodes["n2"]
    assert sc.reason() == "NodeGone"


def test_a_node_that_is_too_new_to_be_known_is_not_taken_for_gone() -> None:
    sc = Scene()
    placed = pod("b", on="just added")
    scheduled = Condition(type="PodScheduled", status="True", last_transition_time=to_rfc3339(NOW - 20_000))
    ahead = msgspec.structs.replace(scheduled, last_transition_time="2099-01-01T00:00:00Z")
    for clock, want in ((scheduled, NOW + 100_000), (ahead, NOW + 120_000)):
        status = msgspec.structs.replace(placed.status, conditions=[*placed.status.conditions, clock])
        sc.pods(pod("a"), msgspec.structs.replace(placed, status=status))
        found = sc.look().stall
        assert found is not None
        assert (str(found.reason), found.report_at) == ("NodeGone", want)


def test_a_gang_that_is_whole_no_longer_says_so_even_if_nothing_tells_why() -> None:
    sc = Scene()
    sc.pods(pod("a"))
    first = sc.look().stall
    assert first is not None
    assert str(first.reason) == "PodsNotReady"
    assert sc.look(after=5_000).stall == first, "since when does not move"
    sweep = {"gang": False, "completions": 8, "parallelism": 2}
    sc.job = record(status=bound_status(binding(remote_uid="remote-1", replicas=2), running=True), spec=sweep)
    assert sc.reason() is None, "a sweep's members come and go"
    sc.job = record(status=bound_status(binding(remote_uid="remote-1", replicas=2)), spec={"replicas": 2})
    assert sc.reason() is None, "one that has not started yet has its start deadline"


def test_a_sweep_says_which_node_of_its_members_is_lost() -> None:
    sc = Scene(
        record(status=bound_status(binding(remote_uid="remote-1", replicas=2), running=True), spec={"gang": False, "completions": 8})
    )
    sc.link.nodes["n2"] = replace(node("n2"), ready=False)
    found = sc.look().stall
    assert found is not None
    assert "Node n2 is not ready" in found.message


def test_pods_of_other_attempts_do_not_degrade_this_one_but_hold_a_removal_up() -> None:
    sc = Scene()
    sc.pods(pod("a"), pod("b", on="n2"), pod("old", on="gone", attempt=0))
    assert sc.reason() is None
    sc.job = ended()
    assert sc.reason() == "WaitingForPods"


def test_a_removal_waits_for_a_dead_node_a_finalizer_or_just_long() -> None:
    sc = Scene(ended())
    sc.link.show(copy(deleting=True))
    sc.link.nodes["n1"] = replace(node("n1"), ready=False)
    assert sc.reason() == "WaitingForPods"
    sc.link.show_pods({})
    held = msgspec.structs.replace(copy(deleting=True).metadata, finalizers=["foregroundDeletion", "example.com/keep"])
    sc.link.show(msgspec.structs.replace(copy(deleting=True), metadata=held))
    assert sc.reason() == "WaitingForFinalizers"
    sc.link.show(copy(deleting=True))
    found = sc.look().stall
    assert found is not None
    assert found.report_at == sc.now + 60_000
    assert sc.look(after=5_000).stall == found


def test_a_pod_that_ends_within_its_grace_is_no_news() -> None:
    sc = Scene(ended())
    sc.pods(pod("a", deletionTimestamp="2027-01-15T09:00:00Z", deletionGracePeriodSeconds=3600))
    found = sc.look().stall
    assert found is not None
    assert found.report_at == NOW + 3_610_000
    sc.job = Scene().job
    found = sc.look().stall
    assert found is not None
    assert found.report_at == NOW + 10_000, "but that its gang is not whole meanwhile is"


def test_a_deletion_by_the_user_is_a_removal() -> None:
    sc = Scene(record(status=Scene().job.status, **DELETED))
    sc.link.nodes["n1"] = replace(node("n1"), ready=False)
    found = sc.look().stall
    assert found is not None
    assert (found.kind, str(found.reason)) == ("Deleting", "WaitingForPods")


@pytest.mark.parametrize(
    ("job", "want"), [(None, "MemberUnreachable"), (ended(), "WaitingForMember"), (finished(**DELETED), "WaitingForMember")]
)
def test_a_member_that_is_away(job: JobRecord | None, want: str) -> None:
    sc = Scene(job)
    sc.link.connected = False
    assert not sc.look().known, "it may be a matter of a second"
    sc.members.lost = Outage(since=NOW - 60_000, reason=OfferReason.UNREACHABLE)
    assert sc.reason() == want


def test_a_finished_job_whose_member_is_away_waits_for_nothing() -> None:
    sc = Scene(finished())
    assert sc.reason() is None, "its copy may stay for a while"
    sc.link.connected = False
    sc.members.lost = Outage(since=NOW - 60_000, reason=OfferReason.UNREACHABLE)
    assert sc.reason() is None
    sc = Scene(finished())
    sc.link.show(copy(deleting=True))
    assert sc.reason() == "WaitingForPods", "once its removal began, it is one"


def test_an_offer_that_is_gone_under_an_attempt() -> None:
    sc = Scene()
    sc.members.exists, sc.members.link = False, None
    assert sc.reason() == "OfferGone"
    assert sc.outlooks.of(JobEntry(record=ended()), RemoteState(offer_exists=False)).stall is None, "then nothing is waited for"


def test_a_copy_from_the_future() -> None:
    sc = Scene(record(status=bound_status()))
    sc.link.show(copy(attempt=3))
    assert sc.reason() == "NewerCopy"
    sc.job = ended()
    sc.job = record(status=bound_status().attempt_ended(Ending(outcome=Outcome.DISRUPTED, reason=MemberWord("X"), ended_at=NOW)))
    found = sc.look().stall
    assert found is not None
    assert (found.kind, str(found.reason)) == ("Deleting", "NewerCopy")


def test_what_was_remembered_of_a_job_can_be_dropped() -> None:
    sc = Scene()
    sc.pods(pod("a"))
    sc.look()
    sc.entry.memory.stalled_since = {}
    found = sc.look(after=5_000).stall
    assert found is not None
    assert found.report_at == sc.now + 10_000
