"""What keeps a copy from ever starting, told by words that kubelets and Job controllers really write, from what passes by itself."""

from dataclasses import replace

import pytest

from jobs import NOW, binding, bound_status, copy, record
from sampan.controller.observation.attempt import AttemptState as State
from sampan.controller.reconcile import actions as a
from sampan.controller.reconcile.decide import decide
from sampan.controller.reconcile.view.blocker import start_blocker
from sampan.model.lifecycle import Event
from sampan.model.status.job_status import JobStatus
from sampan.model.status.reasons import NO_WORD, MemberWord, StatedReason
from unit.controller.reconcile.test_decide import TIMES, remote, seen

NOTHING: tuple[StatedReason, str] = (NO_WORD, "")
MISSING = 'failed to pull and unpack image "registry.example/x:1": failed to resolve reference: registry.example/x:1: not found'
BY_PODS = (
    ("ErrImagePull", MISSING, "ImageCannotBePulled"),
    ("ImagePullBackOff", 'Back-off pulling image "registry.example/x:1"', "ImageCannotBePulled"),
    ("ErrImagePull", "dial tcp: lookup registry.example on 10.96.0.10:53: no such host", "ImageCannotBePulled"),
    ("ErrImagePull", "pull access denied, repository does not exist or may require authorization", "ImageCannotBePulled"),
    ("InvalidImageName", 'Failed to apply default image tag "A B": couldn\'t parse image name', "ImageCannotBePulled"),
    ("ErrImageNeverPull", 'Container image "x:1" is not present with pull policy of Never', "ImageCannotBePulled"),
    ("SignatureValidationFailed", "no signature", "ImageCannotBePulled"),
    ("ErrImagePull", "unexpected status from HEAD request to https://registry.example/v2/x: 429 Too Many Requests", None),
    ("ImagePullBackOff", "toomanyrequests: You have reached your pull rate limit", None),
    ("ErrImagePull", "unexpected status from GET request: 503 Service Unavailable", None),
    ("CreateContainerConfigError", 'configmap "settings" not found', "CreateContainerConfigError"),
    ("CreateContainerConfigError", "couldn't find key token in Secret sampan-jobs/sj-1", "CreateContainerConfigError"),
    ("CreateContainerError", "context deadline exceeded", None),
    ("CreateContainerError", 'failed to reserve container name "main_x": name "main_x" is reserved for "0a1b"', None),
    ("Unschedulable", "0/4 nodes are available", None),
    ("FailedMount", "MountVolume.SetUp failed", None),
    ("", "", None),
)
BY_EVENT = (
    (
        'Error creating: pods "x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true',
        "AdmissionDenied",
    ),
    ('Error creating: pods "x" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi', "AdmissionDenied"),
    ('Error creating: admission webhook "v.example.com" denied the request: no', "AdmissionDenied"),
    ('Error creating: Pod "x" is invalid: spec.containers[0].image: Required value', "AdmissionDenied"),
    ('Error creating: pods "x" is forbidden: error looking up service account a/b: serviceaccount "b" not found', "AdmissionDenied"),
    (
        'Error creating: pods "x" is forbidden: no new content in namespace a because it is being terminated',
        "NamespaceTerminating",
    ),
    ('Error creating: pods "x" is forbidden: exceeded quota: q, requested: pods=1, used: pods=4, limited: pods=4', None),
    ('Error creating: Internal error occurred: failed calling webhook "v.example.com": connection refused', None),
    ("Error creating: etcdserver: request timed out", None),
)


@pytest.mark.parametrize(("reason", "message", "want"), BY_PODS)
def test_a_kubelets_words_tell_what_never_starts(reason: str, message: str, want: str | None) -> None:
    assert start_blocker(seen(State.STARTING, reason=MemberWord(reason), message=message), NOTHING) == want


@pytest.mark.parametrize(("message", "want"), BY_EVENT)
def test_a_job_controllers_words_tell_which_pods_never_come(message: str, want: str | None) -> None:
    event = MemberWord("FailedCreate"), message
    assert start_blocker(seen(State.WAITING, reason=MemberWord("NoPods")), event) == want
    assert start_blocker(seen(State.STARTING, reason=NO_WORD, pending=1), event) is None, "pods came after all: the event is an old one"


def test_what_runs_or_has_ended_is_not_blocked() -> None:
    pulling = seen(State.RUNNING, whole=True, reason=MemberWord("ImagePullBackOff"))
    assert start_blocker(pulling, NOTHING) is None
    assert start_blocker(seen(State.SUCCEEDED, reason=MemberWord("ImagePullBackOff")), NOTHING) is None


PULL = seen(State.STARTING, pending=1, reason=MemberWord("ImagePullBackOff"), message="Back-off pulling image")
LONG_AGO = bound_status(binding(bound_at=NOW - 130_000, remote_uid="remote-1"))


def test_an_attempt_that_cannot_start_ends_after_its_grace_and_not_before() -> None:
    told = record(status=LONG_AGO)
    early = decide(told, remote(copy(), PULL, blocked_for=TIMES.start_grace - 5_000), TIMES)
    assert isinstance(early, a.Patch), "the words come first"
    told = replace(told, status=early.status)
    early = decide(told, remote(copy(), PULL, blocked_for=TIMES.start_grace - 5_000), TIMES)
    assert early == a.Wait(5_000)
    late = decide(told, remote(copy(), PULL, blocked_for=TIMES.start_grace), TIMES)
    assert isinstance(late, a.Patch)
    newest = late.status.last_attempt
    assert newest is not None
    assert (newest.outcome, newest.reason) == ("Rejected", "ImageCannotBePulled")
    assert newest.message == "given up after 120 s: ImagePullBackOff: Back-off pulling image"
    assert late.status.phase == "Bound", "what is left of it goes first"


def test_what_cannot_start_anywhere_ends_after_three_attempts() -> None:
    status, ended = JobStatus(), []
    for number in (1, 2, 3):
        bound = status.bound(binding(attempt=number, bound_at=NOW - 200_000, remote_uid=f"remote-{number}"), (), generation=1)
        action = decide(record(status=bound), remote(copy(attempt=number), PULL, blocked_for=TIMES.start_grace), TIMES)
        assert isinstance(action, a.Patch)
        ended.append(action.status)
        if not action.status.phase.ended:
            status = action.status.released(Event.REQUEUED, reason=MemberWord("X"), message="", at=NOW)
    assert [each.phase for each in ended] == ["Bound", "Bound", "Failed"]
    assert (ended[-1].reason, "ImagePullBackOff" in str(ended[-1].message)) == ("ImageCannotBePulled", True)
