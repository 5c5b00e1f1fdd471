"""A ComputeJob's record: parsed once, never wrong about whether it may be placed."""

import pytest

from jobs import NOW, OFFER, body, bound_status, record
from sampan.controller.state.record import record_of
from sampan.model.lifecycle import Outcome, Phase
from sampan.model.status.attempt import Ending
from sampan.model.status.reasons import AttemptReason
from sampan.model.values.names import FINALIZER
from sampan.model.values.timestamp import to_rfc3339


def test_a_new_object_is_pending_and_waits() -> None:
    job = record()
    assert (job.phase, job.waits, job.attempt_open, job.binding, job.suspend) == (Phase.PENDING, True, False, None, False)
    assert job.created == NOW - 60_000
    assert job.has_finalizer


def test_an_unreadable_spec_says_what_is_wrong_and_waits_for_a_human() -> None:
    job = record(spec={"replicas": 0})
    assert (job.spec, job.shape, job.waits) == (None, None, False)
    assert "spec.replicas" in job.problem


def test_a_bound_job_does_not_wait_and_its_attempt_is_open() -> None:
    job = record(status=bound_status())
    assert (job.waits, job.attempt_open) == (False, True)
    ended = bound_status().attempt_ended(Ending(outcome=Outcome.LOST, reason=AttemptReason.REMOTE_LOST, ended_at=NOW))
    assert not record(status=ended).attempt_open


def test_the_spec_is_reused_within_a_generation_of_the_same_object_only() -> None:
    first = record()
    assert record_of(body(resourceVersion="11"), first).spec is first.spec
    assert record_of(body(resourceVersion="11", generation=2), first).spec is not first.spec
    assert record_of(body("u2"), first).spec is not first.spec


def test_an_object_without_what_every_server_gives_is_an_error() -> None:
    with pytest.raises(KeyError):
        record_of({"metadata": {"name": "x"}}, None)


@pytest.mark.parametrize(
    ("meta", "deleting", "finalizer"),
    [({}, False, True), ({"deletionTimestamp": "2027-01-15T08:00:00Z"}, True, True), ({"finalizers": ["a/b"]}, False, False)],
)
def test_deletion_and_finalizer_are_read(meta: dict[str, object], deleting: bool, finalizer: bool) -> None:
    job = record(**meta)  # type: ignore[arg-type]
    assert (job.deleting, job.has_finalizer, FINALIZER in job.finalizers) == (deleting, finalizer, finalizer)


def test_the_scheduler_gets_the_version_that_the_intent_must_still_find() -> None:
    excluded = frozenset({(OFFER, "p")})
    job = record(resourceVersion="77", spec={"priority": 5}).to_job(excluded)
    assert (job.resource_version, job.priority, job.attempts, job.excluded) == ("77", 5, 0, excluded)


def test_only_rejections_cool_a_pool_down() -> None:
    where = {"offer": {"namespace": OFFER.namespace, "name": OFFER.name}, "endedAt": to_rfc3339(NOW)}
    outcomes = (Outcome.REJECTED, Outcome.DISRUPTED, Outcome.APP_FAILED)
    attempts = [{**where, "number": n, "pool": f"p{n}", "outcome": str(outcome)} for n, outcome in enumerate(outcomes, 1)]
    ((cell, until),) = record(status={"attempts": attempts}).cooling(1_000).items()
    assert cell == (OFFER, "p1")
    assert NOW + 750 < until <= NOW + 1_000


@pytest.mark.parametrize(("asked", "paused"), [(1, 8), (30, 30)])
def test_a_lost_attempt_pauses_as_long_as_was_asked_for_and_as_the_setbacks_before_it_call_for(asked: int, paused: int) -> None:
    times = {"startedAt": to_rfc3339(NOW - 2_000), "endedAt": to_rfc3339(NOW)}
    where = {"offer": {"namespace": OFFER.namespace, "name": OFFER.name}, "pool": "p"}
    outcomes = (Outcome.REJECTED, Outcome.REJECTED, Outcome.LOST)
    attempts = [{**where, **times, "number": n, "outcome": str(outcome)} for n, outcome in enumerate(outcomes, 1)]
    job = record(spec={"retry": {"maxRestarts": 9, "backoffSeconds": asked}}, status={"restarts": 1, "attempts": attempts})
    assert 750 * paused <= job.not_before() - NOW <= 1_000 * paused
