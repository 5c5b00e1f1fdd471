"""The table of a job's life: every stage has an answer, and what a rule says in words is what it does."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from jobs import NOW, binding, blocked_copy, bound_status, copy, record
from sampan.controller.observation.attempt import AttemptState as State
from sampan.controller.reconcile import actions as a
from sampan.controller.reconcile.lifecycle.situation import MEANING, Situation, Stage
from sampan.controller.reconcile.lifecycle.table import BY_STAGE, RULES, Rule, rule_of
from sampan.controller.reconcile.view.remote_state import RemoteState
from sampan.controller.state.entry import RetryState
from sampan.controller.state.record import JobRecord
from sampan.kube.objects.workloads import Job
from sampan.model.lifecycle import Event, Outcome, Phase
from sampan.model.reason import Reason
from sampan.model.status.attempt import Ending, Rejections
from sampan.model.status.job_status import JobStatus
from sampan.model.status.reasons import AttemptReason, MemberWord
from unit.controller.reconcile.test_decide import CASES, DELETED, SUSPEND, TIMES, UNKNOWN, ended, finished, remote, seen, started

BOUND = bound_status(binding(remote_uid="remote-1"))
LATE = bound_status(binding(bound_at=NOW - 20_000))
REFUSED = Ending(outcome=Outcome.REJECTED, reason=AttemptReason.ADMISSION_DENIED, ended_at=NOW)
SHORT = {"startDeadlineSeconds": 10}
TTL = {"ttlSecondsAfterFinished": 60}


def tried(target: str, **kwargs: Any) -> RetryState:
    """What was tried four times in vain."""
    return RetryState(**{"target": target, "times": 4, "since": NOW - 90_000, "not_before": NOW, "reason": "X", **kwargs})


def case(job: JobRecord, there: RemoteState = UNKNOWN, **changes: Any) -> Situation:
    """A situation."""
    return Situation(job, replace(there, **changes), TIMES)


def waits(status: JobStatus = BOUND, job: Job | None = None, there: dict[str, Any] | None = None, **kwargs: Any) -> Situation:
    """A copy that waits for its start."""
    return case(record(status=status, spec=SHORT), remote(job or copy(), seen(State.WAITING, **kwargs)), **there or {})


def ended_second(spec: dict[str, Any] | None) -> JobRecord:
    """A job whose second attempt was rejected."""
    return record(status=bound_status(binding(attempt=2)).attempt_ended(REFUSED), spec=spec)


SITUATIONS = [
    *(Situation(each.job, each.remote, TIMES) for each in CASES),
    case(
        record(
            spec={"retry": {"maxRejected": 1}},
            status=JobStatus(rejections=(Rejections(alternative=None, reason=MemberWord("X"), attempts=1),)),
        )
    ),
    case(record(spec={"replicas": "many"})),
    case(record(spec={"onNeverFits": "Fail"}, status=JobStatus().refused(reason=Reason.TOO_LARGE, message="", at=NOW, never=True))),
    case(record(spec={"maxWaitSeconds": 1})),
    waits(pending=1, reason=MemberWord("ImagePullBackOff"), there={"blocked_for": 120_000}),
    case(record(status=bound_status()), unsent=True),
    case(record(status=LATE, spec=SHORT), unsent=True),
    case(record(status=BOUND), remote(observation=seen(State.APP_FAILED, proved=False)), ended=copy()),
    case(record(status=BOUND), remote(observation=seen(State.SUCCEEDED)), ended=copy()),
    case(record(status=LATE, spec=SHORT), remote()),
    case(record(status=bound_status()), remote(tries={"Create": tried("1")})),
    case(record(status=bound_status()), remote(), rejection=REFUSED),
    case(record(status=BOUND), remote()),
    case(record(status=BOUND), remote(job_absent=True)),
    case(record(status=bound_status()), remote(copy(suspend=True), seen(State.WAITING), tries={"Start": tried("remote-1")})),
    waits(LATE),
    waits(bound_status(binding(bound_at=NOW - 8_000, remote_uid="remote-1")), active=1),
    waits(reason="Unschedulable", message="0/4 nodes"),
    case(record(status=bound_status(running=True)), remote(started(copy()), seen(State.RUNNING, whole=True))),
    case(finished(ago=1_000), remote(copy())),
    case(finished(ago=90_000), remote(copy())),
    case(finished(ago=90_000), remote(pods=1), absent=True),
    case(finished(ago=90_000), remote()),
    case(finished(ago=90_000, spec=TTL), remote()),
    case(finished(ago=1_000, spec=TTL), remote()),
    case(record(finalizers=[], **DELETED)),
    case(record(**DELETED)),
    case(ended(Outcome.DISRUPTED)),
    *(case(ended(Outcome.DISRUPTED), remote(copy(attempt=3), current=current)) for current in (False, True)),
    case(ended(Outcome.DISRUPTED), remote(copy(deleting=True))),
    case(ended(Outcome.DISRUPTED), remote(copy())),
    case(ended(Outcome.DISRUPTED), remote(pods=2)),
    case(ended(Outcome.DISRUPTED), remote()),
    case(ended(Outcome.DISRUPTED), remote(absent=True)),
    case(ended(Outcome.CANCELLED, spec=SUSPEND), remote(absent=True)),
    case(record(status=bound_status(binding(attempt=2))), remote(copy(attempt=1), offer_exists=False)),
    *(case(record(status=BOUND, spec=SUSPEND), there) for there in (UNKNOWN, remote(), remote(copy(attempt=2)))),
    case(record(status=bound_status(running=True), spec=SUSPEND), remote(started(copy()), seen(State.RUNNING, whole=True))),
    case(record(status=bound_status()), rejection=REFUSED),
    case(record(status=bound_status()), remote(copy(suspend=True), seen(State.WAITING)), rejection=REFUSED),
    case(record(status=BOUND), remote(observation=seen(State.APP_FAILED)), ended=copy()),
    *(case(record(status=BOUND), remote(copy(), seen(State.APP_FAILED, proved=proved))) for proved in (False, True)),
    case(record(status=BOUND, spec={"activeDeadlineSeconds": 60}), remote(copy(deadline=10), seen(State.WAITING))),
    *(case(finished(ago=90_000), remote(copy(attempt=3), current=current)) for current in (False, True)),
    case(finished(ago=90_000), remote(copy(deleting=True))),
    case(finished(ago=90_000), remote(pods=1)),
    *(case(record(status=BOUND, **DELETED), remote(job)) for job in (copy(attempt=3), copy(deleting=True))),
    case(record(status=BOUND, **DELETED), remote(pods=1)),
    case(record(status=bound_status(binding(attempt=2))), remote(copy(deleting=True))),
    case(record(status=bound_status(binding(attempt=2, bound_at=NOW - 20_000)), spec=SHORT), remote(copy(deleting=True))),
    *(case(ended_second(spec), remote(blocked_copy("example.com/protect")), never_sent=True) for spec in (None, SUSPEND)),
]


@pytest.mark.parametrize("stage", Stage)
def test_every_stage_has_a_meaning_and_a_last_word(stage: Stage) -> None:
    assert MEANING[stage]
    last = BY_STAGE[stage][-1]
    assert last.when.startswith("otherwise")
    assert last.applies(Situation(record(), UNKNOWN, TIMES)), "whatever is"


def variants(situation: Situation) -> Iterator[Situation]:
    """The situation itself, and the same of jobs that may be tried once more and of ones that may not."""
    yield situation
    spec = situation.job.spec
    if spec is not None:
        for limits in ({"max_restarts": 0, "max_rejected": 1}, {"max_restarts": 5, "max_rejected": 9}):
            yield replace(
                situation, job=replace(situation.job, spec=spec.model_copy(update={"retry": spec.retry.model_copy(update=limits)}))
            )


def stage_after(situation: Situation, action: a.Action) -> Stage | None:
    """The stage that a job is in once an action was carried out; None where that is for the member to show."""
    job, there = situation.job, situation.remote
    match action:
        case a.Patch(status):
            return Situation(replace(job, status=status), there, TIMES).stage
        case a.Create():
            made = copy(attempt=situation.binding.attempt)
            return Situation(job, replace(there, job=made, observation=seen(State.WAITING)), TIMES).stage
        case a.Expire():
            return Situation(replace(job, deleting=True), there, TIMES).stage
    return None


@pytest.mark.parametrize("number", range(len(SITUATIONS)))
def test_a_rule_does_what_it_says_and_leads_where_it_says(number: int) -> None:
    for situation in variants(SITUATIONS[number]):
        rule = rule_of(situation)
        action = rule.does(situation)
        assert type(action) is rule.action, rule
        after = stage_after(situation, action)
        if after is None:
            assert rule.to == (), f"{rule.action.__name__} leads where the member shows: it can have no arrow"
        else:
            assert after in (rule.to or (situation.stage,)), (rule, after)


def test_every_rule_is_reached_in_every_stage_and_so_is_every_arrow() -> None:
    reached: dict[tuple[Stage, int], set[Stage]] = {}
    for situation in (each for one in SITUATIONS for each in variants(one)):
        rule = rule_of(situation)
        after = stage_after(situation, rule.does(situation))
        reached.setdefault((situation.stage, id(rule)), set()).update(() if after is None else (after,))
    rules = [(stage, rule) for rule in RULES for stage in rule.stages]
    assert [f"{stage}: {rule.when}" for stage, rule in rules if (stage, id(rule)) not in reached] == [], "no job ever gets there"
    missing = [(stage, rule.when, to) for stage, rule in rules for to in rule.to if to not in reached[stage, id(rule)]]
    assert missing == [], "arrows that no action takes"


def test_no_stage_follows_a_phase_that_has_ended_but_its_removal() -> None:
    for phase in Phase:
        status = replace(BOUND, phase=phase)
        stage = Situation(record(status=status), UNKNOWN, TIMES).stage
        assert (stage is Stage.FINISHED) == phase.ended, phase


def test_a_table_without_a_rule_that_holds_cannot_be() -> None:
    assert all(isinstance(rule, Rule) and rule.stages for rule in RULES)
    ending = Ending(outcome=Outcome.SUCCEEDED, reason=AttemptReason.COMPLETED, ended_at=NOW)
    done = BOUND.attempt_ended(ending).finished(Event.SUCCEEDED, reason=AttemptReason.COMPLETED, message="", at=NOW)
    assert rule_of(case(record(status=done))).stages == (Stage.FINISHED,)
