"""What is known of a copy: only what the link's caches show, and never more than they prove."""

from dataclasses import replace
from typing import cast

import msgspec

from jobs import CLUSTER, HUB, NOW, binding, bound_status, copy, record
from sampan.controller.observation.attempt import AttemptState
from sampan.controller.reconcile.view.member_view import MemberView
from sampan.controller.reconcile.view.remote_state import RemoteState, StrayCopy
from sampan.controller.state.entry import AttemptMemory, JobEntry
from sampan.controller.state.record import JobRecord
from sampan.kube.objects.meta import ObjectMeta
from sampan.kube.objects.workloads import Condition, ContainerState, ContainerStatus, Pod, PodStatus, StateTerminated
from sampan.kube.transport.client import Client
from sampan.model.values.names import remote_labels
from unit.controller.fakes import FakeLink, FakeMembers

FAILED = (Condition(type="Failed", status="True", reason="BackoffLimitExceeded", last_transition_time="2027-01-15T08:00:00Z"),)


class Scene:
    """A sight over one member."""

    def __init__(self) -> None:
        self.now = NOW
        self.link = FakeLink(cast(Client, None))
        self.members = FakeMembers(self.link)
        self.view = MemberView(self.members, lambda: self.now)
        self.record = record(status=bound_status())
        self.entry = JobEntry(record=self.record)

    def of(self, job: JobRecord) -> RemoteState:
        """What is known of the copy of the job as it is in this record."""
        self.entry.record = job
        return self.view.of(self.entry)


def pod(*, attempt: int = 1, name: str = "p", exit_code: int = 3, namespace: str = "sampan-jobs") -> Pod:
    """A pod that failed."""
    end = StateTerminated(exit_code=exit_code, reason="Error", message="boom", finished_at="2027-01-15T07:59:00Z")
    status = PodStatus(phase="Failed", container_statuses=[ContainerStatus(name="main", state=ContainerState(terminated=end))])
    labels = remote_labels(hub_id=HUB, job_uid="u1", attempt=attempt)
    return Pod(metadata=ObjectMeta(name=name, uid=name, namespace=namespace, labels=labels), status=status)


def test_a_job_without_binding_has_no_copy() -> None:
    seen = Scene().of(record())
    assert (seen.reachable, seen.job, seen.absent) == (False, None, False)


def test_nothing_is_read_from_a_link_that_is_not_up_to_date() -> None:
    sc = Scene()
    sc.link.show(copy())
    sc.link.connected = False
    seen = sc.of(sc.record)
    assert (seen.reachable, seen.job, seen.offer_exists) == (False, None, True)


def test_nothing_is_read_of_a_namespace_that_is_not_followed_and_all_of_the_others() -> None:
    sc = Scene()
    sc.link.show(copy())
    sc.link.behind = {"elsewhere"}
    assert sc.of(sc.record).reachable
    sc.link.behind = {"sampan-jobs"}
    seen = sc.of(sc.record)
    assert (seen.reachable, seen.job, seen.offer_exists) == (False, None, True)


def test_an_empty_list_is_no_proof_of_absence() -> None:
    sc = Scene()
    seen = sc.of(sc.record)
    assert (seen.reachable, seen.job, seen.absent) == (True, None, False)


def test_absence_is_proved_for_one_attempt_and_void_when_something_is_seen_after_all() -> None:
    sc = Scene()
    sc.entry.memory.of(1).gone = True
    assert sc.of(sc.record).absent
    assert not sc.of(record(status=bound_status(binding(attempt=2)))).absent
    sc.link.show_pods({"p": pod()})
    assert not sc.of(sc.record).absent
    sc.link.show_pods({})
    sc.link.show(copy())
    assert not sc.of(sc.record).absent


def test_a_copy_that_was_seen_is_known_to_have_been_there() -> None:
    sc = Scene()
    assert not sc.of(sc.record).seen_before
    sc.link.show(copy())
    assert sc.of(sc.record).seen_before
    sc.link.copies.jobs.clear()
    assert sc.of(sc.record).seen_before
    assert not sc.of(record(status=bound_status(binding(attempt=2)))).seen_before
    sc.entry.memory.attempt = AttemptMemory(number=1)
    assert not sc.of(sc.record).seen_before


def test_nothing_was_sent_from_the_intent_of_this_process_until_the_first_create() -> None:
    sc = Scene()
    assert not sc.of(sc.record).unsent, "another process may have"
    sc.entry.memory.of(1).bound_here = True
    sc.link.connected = False
    assert sc.of(sc.record).unsent
    assert not sc.of(record(status=bound_status(binding(attempt=2)))).unsent
    sc.link.connected = True
    sc.link.show(copy())
    assert not sc.of(sc.record).unsent, "somebody did"
    sc.link.copies.jobs.clear()
    sc.entry.memory.of(1).create_unanswered = True
    assert not sc.of(sc.record).unsent


def test_an_offer_is_there_as_long_as_a_link_or_a_copy_shows_it() -> None:
    sc = Scene()
    sc.members.exists = False
    assert not sc.of(sc.record).offer_exists
    sc.link.show(copy())
    assert sc.of(sc.record).offer_exists
    sc.link.connected = False
    assert sc.of(sc.record).offer_exists, "a member that is away may hold the copy still"
    sc.members.link = None
    assert not sc.of(sc.record).offer_exists


def test_only_pods_of_the_copys_attempt_explain_it() -> None:
    sc = Scene()
    sc.link.show(copy(attempt=2, conditions=FAILED))
    sc.link.show_pods({"old": pod(attempt=1, name="old", exit_code=9)})
    seen = sc.of(record(status=bound_status(binding(attempt=2))))
    assert seen.pods == 1
    assert seen.observation is not None
    assert (seen.observation.state, seen.observation.exit_code) == (AttemptState.APP_FAILED, None)


def test_what_a_pod_told_is_remembered_after_the_member_forgot_it_but_not_over_attempts() -> None:
    sc = Scene()
    sc.link.show(copy())
    sc.link.show_pods({"p": pod()})
    sc.of(sc.record)
    sc.link.show_pods({})
    sc.link.show(copy(conditions=FAILED))
    first = sc.of(sc.record).observation
    assert first is not None
    assert first.exit_code == 3
    sc.link.show(copy(attempt=2, conditions=FAILED))
    second = sc.of(record(status=bound_status(binding(attempt=2)))).observation
    assert second is not None
    assert second.exit_code is None


def test_how_long_a_result_has_been_there_counts_from_when_it_was_first_seen() -> None:
    sc = Scene()
    sc.link.show(copy())
    assert sc.of(sc.record).final_for == 0
    sc.now += 50_000
    sc.link.show(copy(conditions=FAILED))
    assert sc.of(sc.record).final_for == 0
    sc.now += 4_000
    assert sc.of(sc.record).final_for == 4_000
    sc.link.show(copy(attempt=2, conditions=FAILED))
    assert sc.of(record(status=bound_status(binding(attempt=2)))).final_for == 0


def test_another_cluster_is_not_this_one() -> None:
    sc = Scene()
    assert binding().cluster_uid == CLUSTER
    status = bound_status(replace(binding(), cluster_uid="other"))
    sc.link.show(copy())
    assert not sc.of(record(status=status)).reachable


def test_how_long_counts_have_been_the_same_is_counted_from_their_last_change() -> None:
    sc = Scene()
    sc.link.show(copy())
    assert sc.of(sc.record).still_for == 0
    sc.now += 3_000
    assert sc.of(sc.record).still_for == 3_000
    sc.link.show_pods({"p": pod()})
    assert sc.of(sc.record).still_for == 0


OTHER = "c-2"


def test_copies_of_two_attempts_on_one_member_are_both_seen_and_neither_for_the_other() -> None:
    sc = Scene()
    second = record(status=bound_status(binding(attempt=2)))
    sc.entry.memory.members.add(CLUSTER)
    old, new = copy(attempt=1, conditions=FAILED), copy(attempt=2)
    sc.link.copies.jobs["u1"] = {(1, "sampan-jobs"): old, (2, "sampan-jobs"): new}
    sc.link.show_pods({"old": pod(attempt=1, name="old", exit_code=9)})
    seen = sc.of(second)
    assert (seen.job, seen.strays) == (new, (StrayCopy(member=CLUSTER, attempt=1, job=old, current=True),))
    assert seen.observation is not None
    assert (seen.observation.state, seen.observation.exit_code, seen.seen_before) == (AttemptState.WAITING, None, True)
    sc.link.copies.jobs["u1"][1, "sampan-jobs"] = copy(attempt=1, deleting=True)  # late news of the old one
    again = sc.of(second)
    assert (again.job, again.observation, again.still_for) == (new, seen.observation, 0)
    first = sc.of(sc.record)
    assert first.job is sc.link.copies.of("u1")[1, "sampan-jobs"], "of the first attempt, the same picture shows the first copy"
    assert [stray.attempt for stray in first.strays] == [2]


def test_copies_on_two_members_are_both_seen_and_neither_for_the_other() -> None:
    sc = Scene()
    sc.members.others[OTHER] = there = FakeLink(cast(Client, None))
    sc.entry.memory.members |= {CLUSTER, OTHER}
    stray, mine = copy(attempt=1), copy(attempt=2)
    there.show(stray)
    sc.link.show(mine)
    there.show_pods({"p": pod(attempt=1)})
    second = record(status=bound_status(binding(attempt=2)))
    seen = sc.of(second)
    assert (seen.job, seen.pods) == (mine, 0)
    assert seen.strays == (StrayCopy(member=OTHER, attempt=1, job=stray, current=True),)
    there.connected = False
    assert [each.current for each in sc.of(second).strays] == [False], "as it was seen last"
    assert [each.member for each in sc.of(record()).strays] == [CLUSTER, OTHER], "a job that waits has none of its own"
    there.copies.jobs.clear()
    there.show_pods({})
    assert sc.of(second).strays == ()
    assert sc.entry.memory.members == {CLUSTER}, "where nothing is left nobody looks again"


def test_a_copy_in_another_namespace_is_not_in_the_way_of_the_bound_attempt() -> None:
    sc = Scene()
    sc.entry.memory.members.add(CLUSTER)
    elsewhere = copy(attempt=1)
    sc.link.show(msgspec.structs.replace(elsewhere, metadata=msgspec.structs.replace(elsewhere.metadata, namespace="other-jobs")))
    seen = sc.of(record(status=bound_status(binding(attempt=2))))
    assert (seen.job, [stray.attempt for stray in seen.strays]) == (None, [1])
    sc.link.show(elsewhere)
    assert sc.of(record(status=bound_status(binding(attempt=2)))).job is elsewhere, "it has the name that the next copy is to have"


def test_a_pod_of_another_namespace_says_nothing_of_the_attempt() -> None:
    """Whoever may make pods elsewhere on the member can give them any labels: none of them explains an attempt, or keeps its binding."""
    sc = Scene()
    sc.link.copies.pods.apply(pod(name="elsewhere", namespace="prov-b"))
    seen = sc.of(sc.record)
    assert (seen.pods, seen.never_sent) == (0, sc.of(sc.record).unsent)
    sc.entry.memory.of(1).gone = True
    assert sc.of(sc.record).absent, "it is not in the way of the proof that nothing is left"
    sc.link.show(copy(conditions=FAILED))
    ended = sc.of(sc.record).observation
    assert ended is not None
    assert (ended.reason, ended.proved, ended.failed) == ("BackoffLimitExceeded", False, 0)
