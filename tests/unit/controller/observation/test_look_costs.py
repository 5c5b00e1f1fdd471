"""What a look at a job costs does not depend on how many pods it has, and news that change nothing lead to none.

Steps are counted as the interpreter's calls: they do not depend on the load of the machine.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import cast

import msgspec
import pytest

from jobs import HUB, NOW, binding, bound_status, copy, record
from remote_objects import condition
from sampan.controller.observation.failure import Failure
from sampan.controller.observation.pod_tally import PodTally
from sampan.controller.reconcile.view.member_view import MemberView, News
from sampan.controller.reconcile.view.stall_watch import StallTracker
from sampan.controller.state.entry import JobEntry
from sampan.kube.objects.workloads import Condition, Job, Pod
from sampan.kube.transport.client import Client
from sampan.model.values.names import remote_labels
from unit.controller.fakes import FakeLink, FakeMembers


def calls(work: Callable[[], object]) -> int:
    """Return how many functions were called, C's included."""
    counted = 0

    def count(_: object, event: str, __: object) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return counted


def pod(index: int, *, ready: bool = True, version: int = 1, **spec: object) -> Pod:
    """A running pod of the job."""
    labels = {**remote_labels(hub_id=HUB, job_uid="u1", attempt=1), "batch.kubernetes.io/job-completion-index": str(index)}
    meta = {"name": f"p-{index:05}", "namespace": "sampan-jobs", "uid": f"p-{index}", "resourceVersion": str(version), "labels": labels}
    conditions = [condition("Ready", status="True" if ready else "False")]
    return msgspec.convert(
        {"metadata": meta, "spec": {"nodeName": f"n{index % 10}", **spec}, "status": {"phase": "Running", "conditions": conditions}}, Pod
    )


class Scene:
    """A job on a member that has so many pods of it."""

    def __init__(self, pods: int = 0) -> None:
        self.link = FakeLink(cast(Client, None))
        self.copies = self.link.copies
        members = FakeMembers(self.link)
        self.view, self.stalls = MemberView(members, lambda: NOW), StallTracker(members, lambda: NOW)
        job = record(status=bound_status(replace(binding(), replicas=max(pods, 1)), running=True))
        self.entry = JobEntry(record=job)
        self.link.show(copy())
        self.copies.pods.replace("sampan-jobs", [pod(index) for index in range(pods)])

    def look(self) -> None:
        """Look at the job as the reconciler does."""
        self.stalls.of(self.entry, self.view.of(self.entry))

    def events(self, pods: int) -> None:
        """Have one pod after the other become unready and ready again, and look each time."""
        for number in range(50):
            for ready in (False, True):
                self.copies.pods.apply(pod(number % pods, ready=ready, version=number))
                if self.view.news(self.entry) is not News.NONE:
                    self.look()


def test_an_event_of_a_sweep_of_5000_pods_costs_what_one_of_50_costs() -> None:
    small, large = Scene(50), Scene(5_000)
    for scene in (small, large):
        scene.look()
    few, many = calls(lambda: small.events(50)), calls(lambda: large.events(50))
    assert many <= 1.02 * few


def changed(job: Job, **meta: str) -> Job:
    """The same Job with a newer version."""
    return msgspec.structs.replace(job, metadata=msgspec.structs.replace(job.metadata, **meta))


def test_news_that_no_decision_rests_on_lead_to_none() -> None:
    scene = Scene(4)
    assert scene.view.news(scene.entry) is not News.NONE, "it was not looked at yet"
    scene.look()
    for version in range(2, 40):
        scene.copies.pods.apply(pod(version % 4, version=version, hostname="tells nothing"))
        scene.copies.apply_job(changed(scene.copies.of("u1")[1, "sampan-jobs"], resource_version=str(10_000 + version)))
        assert scene.view.news(scene.entry) is News.NONE
    scene.copies.pods.apply(pod(1, ready=False, version=40))
    assert scene.view.news(scene.entry) is not News.NONE
    scene.look()
    assert scene.view.news(scene.entry) is News.NONE
    scene.copies.pods.drop(pod(2))
    assert scene.view.news(scene.entry) is not News.NONE


@pytest.mark.parametrize("meta", [{"deletion_timestamp": "2027-01-15T08:00:00Z"}, {"uid": "another"}])
def test_what_changes_of_the_job_itself_is_looked_at(meta: dict[str, str]) -> None:
    scene = Scene(1)
    scene.look()
    scene.link.show(changed(scene.copies.of("u1")[1, "sampan-jobs"], **meta))
    assert scene.view.news(scene.entry) is not News.NONE


def test_progress_of_the_pods_is_not_urgent_but_what_makes_a_gang_whole_or_ends_it_is() -> None:
    scene = Scene(3)
    scene.copies.pods.apply(pod(1, ready=False, version=2))
    scene.copies.pods.apply(pod(2, ready=False, version=2))
    scene.look()
    scene.copies.pods.apply(pod(1, version=3))
    assert scene.view.news(scene.entry) is News.PROGRESS
    scene.copies.pods.apply(pod(2, version=3))
    assert scene.view.news(scene.entry) is News.DECISIVE, "it is whole"
    scene.look()
    scene.copies.pods.apply(pod(0, ready=False, version=4))
    assert scene.view.news(scene.entry) is News.DECISIVE, "it is whole no longer"
    scene.look()
    scene.link.show(copy(conditions=(msgspec.convert(condition("Complete"), Condition),)))
    assert scene.view.news(scene.entry) is News.DECISIVE, "it has a result"


def test_a_job_with_a_suspect_pod_or_a_member_that_is_not_followed_is_looked_at_whatever_comes() -> None:
    scene = Scene(2)
    scene.copies.pods.apply(msgspec.convert({**msgspec.to_builtins(pod(1)), "status": {"phase": "Unknown"}}, Pod))
    scene.look()
    assert scene.view.news(scene.entry) is not News.NONE
    scene = Scene(2)
    scene.look()
    scene.link.connected = False
    assert scene.view.news(scene.entry) is not News.NONE
    scene.look()
    scene.link.connected = True
    assert scene.view.news(scene.entry) is not News.NONE, "nothing was read meanwhile"


def test_the_same_copy_with_the_same_pods_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    scene, read = Scene(3), list[int]()
    usual = PodTally.first_failure

    def first_failure(tally: PodTally) -> Failure | None:
        read.append(len(tally))
        return usual(tally)

    monkeypatch.setattr(PodTally, "first_failure", first_failure)
    for _ in range(20):
        scene.look()
        scene.view.news(scene.entry)
    assert read == [3]
    scene.copies.pods.apply(pod(0, version=2))
    scene.look()
    assert read == [3, 3]
