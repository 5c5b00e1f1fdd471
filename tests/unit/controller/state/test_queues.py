"""Which queue a job is in follows from what it says and from who is named where; nobody gets past a queue's limits by naming another."""

from dataclasses import replace
from typing import Any

import pytest

from builders import offer
from jobs import record
from sampan.api.convert.offers import InvalidObjectError
from sampan.controller.state.queues import QueuePlacement, QueueRegistry
from sampan.model.members.offer import OfferKey
from sampan.model.reason import Reason
from sampan.model.values.names import NAMESPACE_NAME

LIMITED = {"accelerator": {"class": "nvidia-h100-sxm-80gb", "count": 1}}


def queue(name: str, *namespaces: str, at: str = "2026-01-01T00:00:00Z", uid: str = "", **spec: Any) -> dict[str, Any]:
    """A Queue as the API server gives it."""
    return {
        "metadata": {"uid": uid or f"uid-{name}", "name": name, "creationTimestamp": at},
        "spec": {"namespaces": list(namespaces), **spec},
    }


def registry(*queues: dict[str, Any]) -> QueueRegistry:
    """A book of these queues."""
    made = QueueRegistry()
    for each in queues:
        made.apply(each)
    return made


def seat(of: QueueRegistry, **spec: Any) -> QueuePlacement:
    """Where a job of team-a queues."""
    job = record(spec=spec)
    assert job.spec is not None
    assert job.shape is not None
    return of.place(job.namespace, job.spec, job.shape)


YOUNG = queue("young", "team-a", at="2026-02-01T00:00:00Z")
RESEARCH = queue("research", "team-a", highestPriority=5, policies=["balanced", "green"])


@pytest.mark.parametrize(
    ("name", "queues", "spec", "want", "barred"),
    [
        ("no queue at all", (), {}, "default", None),
        ("the namespace's", (RESEARCH,), {}, "research", None),
        ("the older of two", (YOUNG, RESEARCH), {}, "research", None),
        ("by name where equally old", (queue("zeta", "team-a"), RESEARCH), {}, "research", None),
        (
            "the younger where it is named",
            (YOUNG, RESEARCH),
            {"queue": "young"},
            "young",
            None,
        ),
        ("another's", (queue("others", "team-b"),), {"queue": "others"}, "others", Reason.QUEUE_NOT_ALLOWED),
        ("one that does not exist", (), {"queue": "gone"}, "gone", Reason.QUEUE_NOT_ALLOWED),
        ("the default one, by name", (), {"queue": "default"}, "default", None),
        ("out of one's own into the default one", (RESEARCH,), {"queue": "default"}, "default", Reason.QUEUE_NOT_ALLOWED),
        ("as high as it may", (RESEARCH,), {"priority": 5}, "research", None),
        ("too high", (RESEARCH,), {"priority": 6}, "research", Reason.PRIORITY_NOT_ALLOWED),
        ("a policy it may name", (RESEARCH,), {"policy": "green"}, "research", None),
        ("a policy it may not name", (RESEARCH,), {"policy": "cost"}, "research", Reason.POLICY_NOT_ALLOWED),
        ("limits of the default queue", (queue("default", highestPriority=0),), {"priority": 1}, "default", Reason.PRIORITY_NOT_ALLOWED),
    ],
)
def test_where_a_job_queues(name: str, queues: tuple[dict[str, Any], ...], spec: dict[str, Any], want: str, barred: Reason | None) -> None:
    got = seat(registry(*queues), **spec)
    assert (got.queue, got.inadmissible) == (want, barred), name


def test_a_run_limit_counts_where_the_job_declares_none() -> None:
    limited = registry(queue("research", "team-a", defaultRunSeconds=3600))
    spec = {"startDeadlineSeconds": 60, "template": {"image": "r.example/a:1", "terminationGracePeriodSeconds": 30}}
    assert seat(limited, **spec).shape.demands[0].span_seconds == 60 + 3600 + 30
    assert seat(limited, **spec).shape.demands[0].limit_seconds is None, "nothing ends the job: the limit is an assumption"
    assert seat(limited, **spec, activeDeadlineSeconds=100).shape.demands[0].span_seconds == 60 + 100 + 30
    assert seat(registry(), **spec).shape.demands[0].span_seconds is None


def test_of_a_namespace_is_told_only_what_offers_read() -> None:
    of = registry()
    assert not of.apply_namespace("team-a", {"tier": "gold", "secret": "x"}), "nobody reads it"
    assert seat(of).shape.tenant == ()
    assert of.set_label_keys(("tier", "zone"))
    assert not of.set_label_keys(("tier", "zone"))
    assert seat(of).shape.tenant == (("tier", "gold"),)
    assert of.apply_namespace("team-a", {"tier": "silver"})
    assert not of.apply_namespace("team-a", {"tier": "silver", "other": "y"})
    assert of.apply_namespace("team-a", None)


def test_equal_shapes_are_one_object() -> None:
    of = registry()
    assert seat(of, alternatives=[LIMITED]).shape is seat(of, alternatives=[LIMITED]).shape


def test_changes_are_told_and_a_queue_that_cannot_be_read_changes_nothing() -> None:
    of = registry(RESEARCH)
    assert not of.apply(RESEARCH)
    with pytest.raises(InvalidObjectError, match=r"Queue research: spec\.weight: .*above 0"):
        of.apply(queue("research", "team-a", weight="0"))
    assert seat(of).queue == "research"
    assert of.remove("uid-research")
    assert not of.remove("uid-research")
    assert seat(of).queue == "default"


def test_the_end_of_a_queue_may_be_heard_after_its_successor() -> None:
    of = registry(RESEARCH)
    of.apply(queue("research", "team-a", uid="second", at="2026-03-01T00:00:00Z"))
    assert not of.remove("uid-research"), "the successor is there"
    assert seat(of, priority=9).inadmissible is None
    assert of.remove("second")
    assert of.queues == {}


def test_jobs_are_told_apart_by_their_namespace_only_where_an_offer_keeps_tenants_apart() -> None:
    made = registry()
    shared = seat(made).shape
    assert (shared.tenant, {each.tenant for each in shared.demands}) == ((), {""})
    key = OfferKey("prov", "apart")
    assert made.set_offers({key: replace(offer(), key=key, tenant_namespaces={})})
    apart = seat(made).shape
    assert (apart.tenant, {each.tenant for each in apart.demands}) == (((NAMESPACE_NAME, "team-a"),), {"team-a"})
    made.apply_namespace("team-a", {NAMESPACE_NAME: "forged"})
    assert seat(made).shape.tenant == ((NAMESPACE_NAME, "team-a"),)
    assert made.set_offers({})
    assert seat(made).shape == shared
