"""The table of a job's life: every stage has an answer, and what a rule says in words is what it does."""

from dataclasses import replace
from typing import Any

import pytest

from jobs import NOW, binding, bound_status, copy, record
from sampan.controller.observation.attempt import AttemptState as State
from sampan.controller.reconcile import actions as a
from sampan.controller.reconcile.lifecycle.situation import MEANING, Situation, Stage
from sampan.controller.reconcile.lifecycle.table import BY_STAGE, RULES, Rule, rule_of
from sampan.controller.state.entry import RetryState
from sampan.controller.state.record import JobRecord
from sampan.kube.objects.workloads import Job
from sampan.model.lifecycle import Event, Outcome, Phase
from sampan.model.status.attempt import Ending, Rejections
from sampan.model.status.job_status import JobStatus
from unit.controller.reconcile.test_decide import CASES, DELETED, SUSPEND, TIMES, UNKNOWN, ended, finished, remote, seen, started

BOUND = bound_status(binding(remote_uid="remote-1"))
LATE = bound_status(binding(bound_at=NOW - 20_000))
SHORT = {"startDeadlineSeconds": 10}
TTL = {"ttlSecondsAfterFinished": 60}


def tried(target: str, **kwargs: Any) -> RetryState:
    """What was tried four times in vain."""
    return RetryState(**{"target": target, "times": 4, "since": NOW - 90_000, "not_before": NOW, "reason": "X", **kwargs})


def case(job: JobRecord, there: a.RemoteState = UNKNOWN, **changes: Any) -> Situation:
    """A situation."""
    return Situation(job, replace(there, **changes), TIMES)


def waits(status: JobStatus = BOUND, job: Job | None = None, **kwargs: Any) -> Situation:
    """A copy that waits for its start."""
    return case(record(status=status, spec=SHORT), remote(job or copy(), seen(State.WAITING, **kwargs)))


SITUATIONS = [
    *(Situation(each.job, each.remote, TIMES) for each in CASES),
    case(record(spec={"retry": {"maxRejected": 1}}, status=JobStatus(rejections=(Rejections(alternative=None, reason="X", attempts=1),)))),
    case(record(spec={"replicas": "many"})),
    case(record(status=bound_status()), unsent=True),
    case(record(status=LATE, spec=SHORT), unsent=True),
    case(record(status=BOUND), remote(observation=seen(State.APP_FAILED, proved=False)), ended=copy()),
    case(record(status=BOUND), remote(observation=seen(State.SUCCEEDED)), ended=copy()),
    case(record(status=LATE, spec=SHORT), remote()),
    case(record(status=bound_status()), remote(tries={"Create": tried("1")})),
    case(record(status=bound_status()), remote(), rejection=Ending(outcome=Outcome.REJECTED, reason="AdmissionDenied", ended_at=NOW)),
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
]


@pytest.mark.parametrize("stage", Stage)
def test_every_stage_has_a_meaning_and_a_last_word(stage: Stage) -> None:
    assert MEANING[stage]
    last = BY_STAGE[stage][-1]
    assert last.when.startswith("otherwise")
    assert last.holds(Situation(record(), UNKNOWN, TIMES)), "whatever is"


@pytest.mark.parametrize("number", range(len(SITUATIONS)))
def test_a_rule_does_what_it_says_and_leads_where_it_says(number: int) -> None:
    situation = SITUATIONS[number]
    rule = rule_of(situation)
    action = rule.does(situation)
    assert type(action) is rule.action, rule
    if isinstance(action, a.Patch) and rule.to:
        after = Situation(replace(situation.job, status=action.status), situation.remote, situation.times)
        assert after.stage in rule.to, (rule, after.stage)
    assert bool(rule.to) == (rule.to != ()), rule


def test_every_rule_is_reached() -> None:
    reached = {id(rule_of(situation)) for situation in SITUATIONS}
    assert [f"{rule.stages}: {rule.when}" for rule in RULES if id(rule) not in reached] == []


def test_no_stage_follows_a_phase_that_has_ended_but_its_removal() -> None:
    for phase in Phase:
        status = replace(BOUND, phase=phase)
        stage = Situation(record(status=status), UNKNOWN, TIMES).stage
        assert (stage is Stage.FINISHED) == phase.ended, phase


def test_a_table_without_a_rule_that_holds_cannot_be() -> None:
    assert all(isinstance(rule, Rule) and rule.stages for rule in RULES)
    ending = Ending(outcome=Outcome.SUCCEEDED, reason="Completed", ended_at=NOW)
    done = BOUND.attempt_ended(ending).finished(Event.SUCCEEDED, reason="Completed", message="", at=NOW)
    assert rule_of(case(record(status=done))).stages == (Stage.FINISHED,)
