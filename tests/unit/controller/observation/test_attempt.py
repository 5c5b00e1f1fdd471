"""What Jobs and pods say, case by case. Fixtures are JSON as API servers write it, decoded by the types that production uses."""

from dataclasses import dataclass, field

import pytest

from remote_objects import (
    MS,
    OOM_LOG,
    T0,
    T1,
    T2,
    T3,
    UNSCHEDULABLE,
    Json,
    condition,
    crashed,
    drained,
    ended,
    job,
    pod,
    running,
    succeeded,
    unscheduled,
    waiting,
)
from sampan.controller.observation.attempt import AttemptState, observe
from sampan.controller.observation.pod_tally import PodTally
from sampan.kube.objects.workloads import Job, Pod

BACKOFF = condition("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
BY_POLICY = condition(
    "Failed", "PodFailurePolicy", "Pod sampan-jobs/sj-x-0-abcde has condition DisruptionTarget matching FailJob rule at index 0"
)
INDEXES = condition("Failed", "FailedIndexes", "Job has failed indexes")


@dataclass(frozen=True)
class Case:
    name: str
    job: Job
    pods: tuple[Pod, ...]
    want: Json
    gang: bool = True
    replicas: int = 2
    absent: tuple[str, ...] = field(default=())


CASES = [
    Case("no pods yet", job(active=0), (), {"state": AttemptState.WAITING, "reason": "NoPods", "whole": False}),
    Case(
        "pods announced but not seen", job(active=2, ready=2), (), {"state": AttemptState.WAITING, "reason": "", "whole": False, "ready": 0}
    ),
    Case("suspended", job(suspend=True), (), {"state": AttemptState.WAITING, "reason": "Suspended"}),
    Case(
        "cluster full: the member scheduler's own words",
        job(active=2),
        (unscheduled(0), unscheduled(1)),
        {"state": AttemptState.WAITING, "reason": "Unschedulable", "message": UNSCHEDULABLE, "pending": 2},
    ),
    Case(
        "half-started gang",
        job(active=2, ready=1),
        (running(0), unscheduled(1)),
        {"state": AttemptState.STARTING, "whole": False, "ready": 1, "pending": 1, "reason": "Unschedulable", "message": UNSCHEDULABLE},
    ),
    Case(
        "image takes a moment", job(active=2), (running(0), waiting(1, "ContainerCreating")), {"state": AttemptState.STARTING, "reason": ""}
    ),
    Case(
        "image pull failure",
        job(active=2),
        (unscheduled(0), waiting(1, "ImagePullBackOff", 'Back-off pulling image "a:1"')),
        {"state": AttemptState.STARTING, "reason": "ImagePullBackOff", "message": 'Back-off pulling image "a:1"'},
    ),
    Case("a pod runs before its Job counts it", job(), (running(0),), {"active": 1, "ready": 1}),
    Case("a pod has ended before its Job counts it", job(active=1), (succeeded(0),), {"active": 0, "succeeded": 1}),
    Case(
        "gang runs",
        job(active=2, ready=2),
        (running(0), running(1)),
        {"state": AttemptState.RUNNING, "whole": True, "ready": 2, "started_at": MS},
    ),
    Case(
        "gang whole though one has ended",
        job(active=1, succeeded=1),
        (running(0), succeeded(1)),
        {"state": AttemptState.RUNNING, "whole": True},
    ),
    Case(
        "terminating pod does not run",
        job(active=1),
        (running(0), pod(1, "Running", condition("Ready"), deleted=T3)),
        {"state": AttemptState.STARTING},
    ),
    Case(
        "complete",
        job(condition("SuccessCriteriaMet"), condition("Complete", at=T3), succeeded=2, completionTime=T3),
        (succeeded(0), succeeded(1)),
        {"state": AttemptState.SUCCEEDED, "reason": "Completed", "succeeded": 2, "ended_at": MS + 30_000, "exit_code": None},
    ),
    Case(
        "success announced, not yet complete",
        job(condition("SuccessCriteriaMet"), succeeded=2),
        (succeeded(0), succeeded(1)),
        {"state": AttemptState.RUNNING},
    ),
    Case(
        "failure announced, pods still end",
        job(condition("FailureTarget", "BackoffLimitExceeded"), active=1, failed=1),
        (crashed(0, 3), running(1)),
        {"state": AttemptState.STARTING, "reason": "Error", "exit_code": 3},
    ),
    Case(
        "crash: exit code and the end of the log",
        job(BACKOFF, failed=2),
        (pod(0, "Failed", deleted=T3, containerStatuses=ended(143, at=T2)), crashed(1, 3, message=OOM_LOG)),
        {"state": AttemptState.APP_FAILED, "reason": "Error", "exit_code": 3, "failed": 2, "ended_at": MS + 20_000, "proved": True},
    ),
    Case(
        "OOM kill",
        job(BACKOFF, failed=1),
        (crashed(0, 137, "OOMKilled"),),
        {"state": AttemptState.APP_FAILED, "reason": "OOMKilled", "exit_code": 137},
    ),
    Case(
        "drained node",
        job(BY_POLICY, failed=1),
        (drained(0), pod(1, "Failed", deleted=T3, containerStatuses=ended(143, at=T2))),
        {"state": AttemptState.DISRUPTED, "reason": "EvictionByEvictionAPI"},
    ),
    Case(
        "drained node whose pod is gone",
        job(BY_POLICY, failed=1),
        (),
        {"state": AttemptState.DISRUPTED, "reason": "DisruptionTarget", "proved": True},
    ),
    Case(
        "preempted",
        job(BY_POLICY),
        (drained(0, "PreemptionByScheduler"),),
        {"state": AttemptState.DISRUPTED, "reason": "PreemptionByScheduler"},
    ),
    Case(
        "tainted",
        job(BY_POLICY),
        (drained(0, "DeletionByTaintManager"),),
        {"state": AttemptState.DISRUPTED, "reason": "DeletionByTaintManager"},
    ),
    Case(
        "peer crashed because of a drained one",
        job(BACKOFF, failed=2),
        (drained(0, at=T1), crashed(1, 1, message="NCCL error: unhandled system error", at=T2)),
        {"state": AttemptState.DISRUPTED, "reason": "EvictionByEvictionAPI"},
    ),
    Case(
        "crash before the drain",
        job(BACKOFF, failed=2),
        (drained(0, at=T2), crashed(1, 9, at=T1)),
        {"state": AttemptState.APP_FAILED, "exit_code": 9},
    ),
    Case(
        "node vanished",
        job(BACKOFF, failed=1),
        (pod(0, "Failed", reason="NodeLost", message="Node n1 was lost"),),
        {"state": AttemptState.DISRUPTED, "reason": "NodeLost", "message": "Node n1 was lost"},
    ),
    Case(
        "node shut down without the condition",
        job(BACKOFF),
        (pod(0, "Failed", reason="Terminated", containerStatuses=ended(137)),),
        {"state": AttemptState.DISRUPTED, "reason": "Terminated"},
    ),
    Case(
        "node under pressure refused the pod",
        job(BACKOFF),
        (pod(0, "Failed", reason="Evicted", message="The node had condition: [MemoryPressure]. "),),
        {"state": AttemptState.DISRUPTED, "reason": "Evicted"},
    ),
    Case(
        "over its own disk limit",
        job(BACKOFF),
        (
            pod(
                0,
                "Failed",
                reason="Evicted",
                message='Usage of EmptyDir volume "tmp" exceeds the limit "1Gi". ',
                containerStatuses=ended(137),
            ),
        ),
        {"state": AttemptState.APP_FAILED, "reason": "Evicted", "exit_code": 137},
    ),
    Case(
        "devices gone when the pod arrived",
        job(BACKOFF),
        (pod(0, "Failed", reason="OutOfnvidia", message="Node didn't have enough resource"),),
        {"state": AttemptState.DISRUPTED, "reason": "OutOfnvidia", "exit_code": None},
    ),
    Case(
        "kubelet lost track",
        job(BACKOFF),
        (crashed(0, 137, "ContainerStatusUnknown"),),
        {"state": AttemptState.DISRUPTED, "reason": "ContainerStatusUnknown"},
    ),
    Case(
        "the power was cut and the runtime lost track",
        job(BACKOFF),
        (crashed(0, 255, "Unknown"),),
        {"state": AttemptState.DISRUPTED, "reason": "Unknown"},
    ),
    Case(
        "a program that says 255 by itself",
        job(BACKOFF),
        (crashed(0, 255, "Error"),),
        {"state": AttemptState.APP_FAILED, "reason": "Error", "exit_code": 255},
    ),
    Case(
        "somebody deleted the pod",
        job(BACKOFF),
        (pod(0, "Failed", deleted=T3, containerStatuses=ended(143)),),
        {"state": AttemptState.DISRUPTED, "reason": "PodDeleted", "exit_code": 143},
    ),
    Case(
        "failed, but no pod seen",
        job(BACKOFF, failed=1),
        (),
        {"state": AttemptState.APP_FAILED, "reason": "BackoffLimitExceeded", "proved": False},
    ),
    Case(
        "deadline",
        job(condition("Failed", "DeadlineExceeded", "Job was active longer than specified deadline")),
        (pod(0, "Failed", deleted=T3, containerStatuses=ended(143)),),
        {"state": AttemptState.DEADLINE_EXCEEDED, "message": "Job was active longer than specified deadline"},
    ),
    Case(
        "deleted while it ran",
        job(active=2, deleted=T1),
        (running(0), running(1)),
        {"state": AttemptState.DELETING, "reason": "JobDeleted"},
    ),
    Case("cleaned up after it ended", job(condition("Complete", at=T1), deleted=T2), (), {"state": AttemptState.SUCCEEDED}),
    Case("failed only because it was deleted", job(BACKOFF, deleted=T1), (), {"state": AttemptState.DELETING}),
    Case(
        "sweep runs while some wait",
        job(active=2),
        (running(0), unscheduled(1)),
        {"state": AttemptState.RUNNING, "whole": True, "reason": "Unschedulable"},
        gang=False,
    ),
    Case(
        "sweep with one failing index",
        job(INDEXES, succeeded=3, failed=4, failedIndexes="2", completedIndexes="0,1,3"),
        (drained(0, at=T0), crashed(1, 7, at=T0), crashed(2, 5, message="bad seed", at=T2), succeeded(3)),
        {"state": AttemptState.APP_FAILED, "reason": "Error", "exit_code": 5, "message": "failed indexes 2: bad seed", "succeeded": 3},
        gang=False,
        replicas=4,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case) -> None:
    tally = PodTally.of(case.pods)
    assert len(tally) == len(case.pods)
    got = observe(case.job, tally, gang=case.gang, replicas=case.replicas)
    assert {name: getattr(got, name) for name in case.want} == case.want
    shuffled = observe(case.job, PodTally.of(case.pods[::-1]), gang=case.gang, replicas=case.replicas)
    assert shuffled == got, "the order of pods decided something"


def test_last_words_are_the_end_of_the_log_and_bounded() -> None:
    got = observe(job(BACKOFF), PodTally.of([crashed(0, 1, message=OOM_LOG)]), gang=True, replicas=1)
    assert got.message.endswith("torch.OutOfMemoryError: CUDA out of memory")
    assert len(got.message.encode()) <= 256


def test_remote_words_are_cleaned() -> None:
    odd = crashed(0, 1, reason="a b\x1b[31m", message="\x1b]0;x\x07 dead\u202e\nend")
    got = observe(job(BACKOFF), PodTally.of([odd]), gang=True, replicas=1)
    assert got.reason == "Error"
    assert got.message.isprintable()


def test_cause_is_remembered_when_its_pod_is_gone() -> None:
    ending = job(condition("FailureTarget", "BackoffLimitExceeded"))
    first = observe(ending, PodTally.of([pod(0, "Failed", deleted=T3, containerStatuses=ended(143))]), gang=True, replicas=1)
    assert not first.state.final
    forgotten = observe(job(BACKOFF), PodTally.of([]), gang=True, replicas=1)
    remembered = observe(job(BACKOFF), PodTally.of([]), gang=True, replicas=1, earlier=first)
    assert (forgotten.state, forgotten.proved) == (AttemptState.APP_FAILED, False)
    assert (remembered.state, remembered.reason, remembered.proved) == (AttemptState.DISRUPTED, "PodDeleted", True)


@pytest.mark.parametrize("when", ["1970-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "yesterday", "", "9" * 400, "2026-11-22T10:00:00+99:99"])
def test_times_of_a_lying_member_crash_nothing(when: str) -> None:
    lying = job(condition("Failed", "BackoffLimitExceeded", at=when), deleted=when, startTime=when, completionTime=when)
    got = observe(lying, PodTally.of([crashed(0, 10**30, at=when), drained(1, at=when)]), gang=True, replicas=2)
    assert got.state in AttemptState
    assert got.exit_code is None or 0 <= got.exit_code <= 255
