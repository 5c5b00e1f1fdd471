"""Answers become documents: money as text, unknown left out, the member's words bounded."""

import msgspec
import pytest

from sampan.api.kinds.computejob import ComputeJobSpec
from sampan.api.status.verdicts import StoredVerdicts
from sampan.controller.query import views
from sampan.kube.objects.workloads import Pod
from sampan.model.members.offer import OfferKey
from sampan.model.reason import Reason
from sampan.scheduling.answers.values import CellAnswer, Change, QueuePosition, StartForecast, UnmetConstraint

KEY = OfferKey("prov-a", "lingang")
REFUSED = CellAnswer(
    offer=KEY,
    pool="p",
    accelerator_class="",
    alternative=0,
    unmet=(UnmetConstraint(Reason.REGION_EXCLUDED, "region cn-east", "region eu-west"),),
    changes=(Change("spec.placement.regions", "cn-east", ""), Change("spec.alternatives[0].replicas", "4", "2")),
)
SPEC = ComputeJobSpec.model_validate(
    {"replicas": 4, "template": {"image": "x:1"}, "alternatives": [{"accelerator": {"stack": "cuda", "count": 1}}]}
)


def pod(*, phase: str = "Pending", waiting: tuple[str, str] | None = None, scheduled: str = "") -> Pod:
    """A pod that waits for an image, or for a node."""
    told = [{"state": {"waiting": {"reason": waiting[0], "message": waiting[1]}}}] if waiting else []
    conditions = [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": scheduled}] if scheduled else []
    return msgspec.convert({"status": {"phase": phase, "containerStatuses": told, "conditions": conditions}}, Pod, strict=False)


def test_a_refused_pool_has_objections_and_the_smallest_change_and_no_guess() -> None:
    (told,) = views.pools_view([REFUSED], lambda _: True, SPEC)
    assert told.as_json() == {
        "offer": {"namespace": "prov-a", "name": "lingang"},
        "pool": "p",
        "alternative": 0,
        "parts": {},
        "objections": [{"reason": "RegionExcluded", "needed": "region cn-east", "present": "region eu-west"}],
        "smallestChange": [
            {"field": "spec.placement.regions", "before": "cn-east", "after": ""},
            {"field": "spec.replicas", "before": "4", "after": "2"},
        ],
        "devices": 0,
        "room": 0,
    }


def test_what_may_not_be_seen_is_left_out() -> None:
    assert views.pools_view([REFUSED], lambda offer: offer != KEY, SPEC) == ()


@pytest.mark.parametrize(
    ("start", "want"),
    [
        (StartForecast(at_latest=0, reserved=True), {"atLatest": "1970-01-01T00:00:00Z", "sample": 0, "reserved": True}),
        (
            StartForecast(likely=1000, sample=2, unknown="why"),
            {"likely": "1970-01-01T00:00:01Z", "sample": 2, "reserved": False, "unknown": "why"},
        ),
    ],
)
def test_a_start_is_a_time_or_a_reason(start: StartForecast, want: dict[str, object]) -> None:
    assert views.start_view(start).as_json() == want


def test_others_are_a_count() -> None:
    told = views.place_view(QueuePosition(queue="q", position=4, ahead_own=1, ahead_others=2))
    assert told.as_json() == {"queue": "q", "position": 4, "aheadOwn": 1, "aheadOthers": 2}


def test_the_member_s_words_are_grouped_cleaned_and_bounded() -> None:
    long = "0/4 nodes are available\x1b[31m " + "x" * 1000
    pods = [
        pod(scheduled=long),
        pod(scheduled=long),
        pod(waiting=("ErrImagePull", "no")),
        pod(waiting=("ContainerCreating", "")),
        pod(phase="Running"),
    ]
    told = views.pods_waiting(pods)
    assert [(each.pods, each.reason) for each in told] == [(2, "Unschedulable"), (1, "ErrImagePull")]
    assert "\x1b" not in told[0].message
    assert len(told[0].message.encode()) <= 256


def test_an_invented_word_in_a_status_is_left_out() -> None:
    verdicts = StoredVerdicts(["a/b: RegionExcluded, FromAnotherVersion"])
    (told,) = views.past_verdicts(verdicts, lambda _: True)
    assert [each.reason for each in told.objections] == [Reason.REGION_EXCLUDED]
