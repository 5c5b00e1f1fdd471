"""The life of one job under a hostile member, a fickle user and any timing: `decide` and the status functions alone, no I/O.

What must never happen: a number used twice, two copies, an end that changes, a finalizer off while something is left, patches for ever.
"""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from jobs import NOW, OFFER, binding, body, copy, shown
from sampan.controller.members.outage import Outage
from sampan.controller.observation.attempt import AttemptState, Observation
from sampan.controller.observation.presence import PodProblem, ProblemKind
from sampan.controller.reconcile import actions as a
from sampan.controller.reconcile.decide import decide
from sampan.controller.reconcile.view.remote_state import RemoteState
from sampan.controller.reconcile.view.stalls import StallState, away, of_pods, report_stall
from sampan.controller.state.record import JobRecord, record_of
from sampan.model.lifecycle import Phase
from sampan.model.members.offer_reasons import OfferReason
from sampan.model.status.job_status import MAX_ATTEMPTS, JobStatus
from sampan.model.status.reasons import STALLS
from sampan.model.values.names import FINALIZER
from sampan.model.values.timestamp import to_rfc3339

STATES = st.sampled_from(list(AttemptState))


class Life(RuleBasedStateMachine):
    """One job, the truth on its member, and what the operator's cache shows of it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.status = JobStatus()
        self.spec: dict[str, Any] = {
            "startDeadlineSeconds": 60,
            "retry": {"maxRestarts": 1, "backoffSeconds": 1},
            "ttlSecondsAfterFinished": 60,
        }
        self.deleting, self.held, self.expired = False, True, False
        self.copy: int | None = None
        """The attempt of the Job that is on the member."""
        self.going = self.suspended = self.reachable = False
        self.away = self.node_lost = False
        self.pods = 0
        self.state = AttemptState.WAITING
        self.absent: int | None = None
        self.seen: set[int] = set()
        self.created: list[int] = []
        self.bound: list[int] = []
        self.end: str | None = None

    def record(self) -> JobRecord:
        meta: dict[str, Any] = {"finalizers": [FINALIZER] if self.held else []}
        if self.deleting:
            meta["deletionTimestamp"] = to_rfc3339(NOW)
        return record_of(body(spec=self.spec, status=self.status, **meta), None)

    def remote(self) -> RemoteState:
        """What `MemberView` would say."""
        where = self.record().binding
        if where is None:
            return RemoteState()
        if not self.reachable:
            return RemoteState(absent=self.absent == where.attempt)
        there = copy(attempt=self.copy, deleting=self.going, suspend=self.suspended) if self.copy is not None else None
        if self.copy is not None:
            self.seen.add(self.copy)
        counts = {"active": 1, "ready": 1, "succeeded": 0, "failed": 0, "pending": 0}
        look = Observation(state=self.state, whole=self.state is AttemptState.RUNNING, reason=str(self.state), **counts)  # type: ignore[arg-type]
        return RemoteState(
            reachable=True,
            job=there,
            seen_before=where.attempt in self.seen,
            pods=self.pods,
            observation=look if there else None,
            absent=self.absent == where.attempt and there is None and not self.pods,
        )

    def outlook(self, record: JobRecord) -> StallState:
        """What `StallTracker` would say: a node, or the member, that is lost or not."""
        if record.binding is None or (record.phase.ended and not self.deleting):
            return StallState(known=True)
        ended = self.deleting or not record.attempt_open
        if not self.reachable:
            return StallState(
                known=self.away, stall=away(Outage(since=NOW, reason=OfferReason.UNREACHABLE), OFFER, ended=ended, unsent=False)
            )
        lost = PodProblem(pod="p", uid="p", node="n1", kind=ProblemKind.NODE_UNREACHABLE, since=NOW, report_at=NOW + 10_000)
        return StallState(known=True, stall=of_pods((lost,) if self.node_lost and self.pods else (), ended=ended))

    # --- the world ------------------------------------------------------------------------------------------------

    @rule(reachable=st.booleans())
    def link(self, reachable: bool) -> None:
        self.reachable = reachable

    @rule(away=st.booleans(), node_lost=st.booleans())
    def losses(self, away: bool, node_lost: bool) -> None:
        self.away, self.node_lost = away, node_lost

    @rule(seconds=st.sampled_from((1, 20, 61, 3_600)))
    def wait(self, seconds: int) -> None:
        self.now += seconds * 1000

    @precondition(lambda self: self.copy is not None and not self.state.final)
    @rule(state=STATES)
    def member_reports(self, state: AttemptState) -> None:
        self.state = state

    @precondition(lambda self: self.copy is not None)
    @rule(pods=st.integers(0, 2))
    def member_loses_the_copy(self, pods: int) -> None:
        self.copy, self.going, self.pods = None, False, pods

    @rule()
    def pods_end(self) -> None:
        self.pods = 0

    @rule(suspend=st.booleans())
    def user_suspends(self, suspend: bool) -> None:
        self.spec["suspend"] = suspend

    @rule()
    def user_deletes(self) -> None:
        self.deleting = True

    # --- the operator ---------------------------------------------------------------------------------------------

    @precondition(lambda self: self.record().waits)
    @rule()
    def bind(self) -> None:
        number = self.status.attempts_seen + 1
        assert number not in self.bound, "an attempt number is used once"
        assert self.copy is None, "no new attempt while something of an old one is there"
        assert not self.pods
        self.bound.append(number)
        self.status = self.status.bound(binding(attempt=number, bound_at=self.now), (), generation=1)

    @rule()
    def steer(self) -> None:
        """Ask and act, as the reconciler does, until there is nothing to do at once."""
        for _ in range(20):
            record = self.record()
            times = a.Times(now=self.now, tombstone=30_000, counters=15_000)
            action = decide(record, self.remote(), times)
            if isinstance(action, a.Wait):
                action = report_stall(record, self.outlook(record), action, times=times)
            if isinstance(action, a.Patch):
                assert action.status != self.status, "every patch changes something"
                self.status = action.status
            elif not self.act(record, action):
                return
        raise AssertionError(f"no end of actions; the last was {action}")

    def act(self, record: JobRecord, action: a.Action) -> bool:
        """Do what the executor does; tell whether it would be asked again at once."""
        where = record.binding
        match action:
            case a.Create():
                assert where is not None
                assert where.attempt not in self.created, "an attempt is created once"
                assert self.copy is None
                self.created.append(where.attempt)
                self.copy, self.state, self.suspended, self.going, self.pods = where.attempt, AttemptState.WAITING, True, False, 1
                return True
            case a.Start():
                self.suspended = False
                return True
            case a.Remove():
                self.going = True
            case a.Sweep():
                self.pods = 0
            case a.Confirm():
                if self.copy is None and not self.pods:
                    assert where is not None
                    self.absent = where.attempt
                    return True
            case a.Release():
                assert where is None or (self.copy is None and not self.pods), "something of it is still on the member"
                self.held = False
            case a.Expire():
                assert record.phase.ended
                self.deleting = True
        return False

    # --- what always holds ----------------------------------------------------------------------------------------

    @invariant()
    def an_end_is_for_ever(self) -> None:
        phase = self.status.phase
        if self.end is None and phase.ended:
            self.end = str(phase)
        assert self.end is None or str(phase) == self.end

    @invariant()
    def attempts_are_told_once_and_none_is_ahead(self) -> None:
        numbers = [entry["number"] for entry in shown(self.status).get("attempts") or ()]
        assert len(numbers) == len(set(numbers))
        assert set(numbers) <= set(self.bound)
        assert len(numbers) <= MAX_ATTEMPTS

    @invariant()
    def what_holds_up_holds_up_only_what_is_bound(self) -> None:
        held = [c["type"] for c in shown(self.status).get("conditions") or () if c["status"] == "True" and c["type"] in STALLS]
        assert len(held) <= 1
        assert not held or self.status.binding is not None

    @invariant()
    def a_phase_says_whether_there_is_a_binding(self) -> None:
        phase, is_bound = self.status.phase, self.status.binding is not None
        if phase in (Phase.BOUND, Phase.RUNNING):
            assert is_bound
        if phase in (Phase.PENDING, Phase.SUSPENDED):
            assert not is_bound


Life.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestLife = Life.TestCase
