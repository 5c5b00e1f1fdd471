"""What queues used: charged at assignment, moved to the binding, corrected at the end, found again after a restart."""

from dataclasses import replace
from typing import Any

import pytest

from builders import demand, job
from jobs import CLUSTER, NOW, OFFER, binding, body, bound_status, record, shown, table
from sampan.controller.state.entry import JobEntry
from sampan.controller.state.record import JobRecord
from sampan.controller.state.store import State
from sampan.controller.state.table import JobTable
from sampan.controller.state.usage import WEEK, UsageTracker
from sampan.model.lifecycle import Event, Outcome
from sampan.model.plan import Assignment
from sampan.model.status.attempt import ChargedUse, Ending
from sampan.model.status.job_status import JobStatus
from sampan.model.status.reasons import MemberWord
from sampan.scheduling.queueing.charge import UNDECLARED, decayed_forward
from sampan.store.use import UseStore
from unit.controller.fakes import FakeMemberSource

CHARGE = 24_000_000
AT = NOW - 5_000


def tracker(now: int = NOW) -> UsageTracker:
    """An empty book."""
    return UsageTracker(clock=lambda: now)


def assignment(uid: str = "u1", *, charge: int = CHARGE) -> Assignment:
    """A plan for a job that declares no end."""
    wanted = demand()
    return Assignment(
        job=job(uid),
        offer=OFFER,
        cluster_uid=CLUSTER,
        pool="p",
        demand=replace(wanted, span_seconds=None),
        replicas=1,
        nodes=(),
        charge=charge,
    )


def hear(of: UsageTracker, jobs: JobTable, job: JobRecord, queue: str = "q") -> None:
    """A job is as in this record; `queue` is where it queues."""
    of.on_job(jobs.put(job), lambda: queue)


def used(of: UsageTracker) -> dict[str, int]:
    """What was used, by queue."""
    return {name: use.total for name, use in of.by_queue.items() if use.total}


def running(attempt: int = 1, **changes: Any) -> JobStatus:
    """The status of a bound job that was charged."""
    return bound_status(replace(binding(attempt=attempt), use=ChargedUse(amount=CHARGE, seconds=UNDECLARED), **changes))


def ended(after: int, attempt: int = 1) -> JobStatus:
    """The same, its attempt ended after so many seconds."""
    ending = Ending(outcome=Outcome.DISRUPTED, reason=MemberWord("X"), ended_at=AT + after * 1000)
    return running(attempt).attempt_ended(ending)


def test_a_plan_counts_until_it_is_withdrawn() -> None:
    of, entry = tracker(), JobEntry(record=record())
    of.assume(entry, assignment())
    assert used(of) == {"default": decayed_forward(CHARGE, NOW, WEEK)}
    assert dict(of.by_queue["default"].namespaces) == {"team-a": decayed_forward(CHARGE, NOW, WEEK)}
    of.assume(entry, assignment())
    assert used(of) == {"default": decayed_forward(CHARGE, NOW, WEEK)}, "counted once"
    of.rollback(entry)
    assert used(of) == {}
    assert not of.outbox


def test_what_is_bound_is_stored_and_corrected_when_it_ends() -> None:
    of, jobs = tracker(), table(record())
    of.assume(jobs["u1"], assignment())
    for _ in range(2):
        hear(of, jobs, record(status=running()), "elsewhere")
    assert used(of) == {"default": decayed_forward(CHARGE, AT, WEEK)}, "from the binding on, in the queue of the plan"
    hear(of, jobs, record(status=ended(after=UNDECLARED // 4)), "elsewhere")
    hear(of, jobs, record(status=ended(after=UNDECLARED // 4)), "elsewhere")
    assert used(of) == {"default": decayed_forward(CHARGE // 4, AT, WEEK)}
    assert [(use.amount, use.final) for use in of.outbox] == [(CHARGE, False), (CHARGE // 4, True)]


@pytest.mark.parametrize("lost", [True, False], ids=["the charge was not stored", "the charge was stored"])
def test_a_restart_finds_what_is_bound(lost: bool) -> None:
    first, store = tracker(), UseStore("", half_life=WEEK, now=NOW)
    jobs, again = table(record()), JobTable()
    first.assume(jobs["u1"], assignment())
    hear(first, jobs, record(status=running()), "default")
    store.write([] if lost else first.outbox)
    second = tracker()
    second.load(store.totals(), store.unsettled())
    hear(second, again, record(status=running()), "default")
    assert second.by_queue == first.by_queue
    assert len(second.outbox) == int(lost)
    store.write(second.outbox)
    assert store.totals() == {("default", "team-a"): decayed_forward(CHARGE, AT, WEEK)}
    store.close()


def test_what_ended_or_went_while_nobody_looked_is_corrected() -> None:
    first, store = tracker(), UseStore("", half_life=WEEK, now=NOW)
    for uid in ("u1", "u2", "u3"):
        hear(first, JobTable(), record(uid, status=running()))
    store.write(first.outbox)
    second = tracker(now=AT + UNDECLARED * 500)
    second.load(store.totals(), store.unsettled())
    for each in (record("u1", status=ended(after=864)), record("u2", status=running())):
        hear(second, JobTable(), each)
    second.close_missing()
    got = {use.job_uid: use.amount for use in second.outbox}
    assert got == {"u1": CHARGE // 100, "u3": CHARGE // 2}, "of one that is gone, the time until now"
    store.close()


def test_a_new_attempt_is_another_charge() -> None:
    of, jobs = tracker(), JobTable()
    hear(of, jobs, record(status=running()))
    requeued = ended(after=864).released(Event.REQUEUED, reason=MemberWord("X"), message="", at=NOW)
    hear(of, jobs, record(status=requeued))
    hear(of, jobs, record(status={**shown(requeued), **shown(running(2))}))
    assert [(use.attempt, use.final) for use in of.outbox] == [(1, False), (1, True), (2, False)]


def test_the_state_shows_use_to_the_scheduler() -> None:
    of = tracker()
    st = State(FakeMemberSource(), currency="CNY", cooldown=0, usage=of)
    st.apply_job(body("u1"))
    planned = st.snapshot(NOW).jobs[0]
    st.assume(replace(assignment(), job=planned, demand=planned.shape.demands[0]))
    assert st.snapshot(NOW).use["default"].total == decayed_forward(CHARGE, NOW, WEEK)
    st.forget_assumed("u1")
    assert st.snapshot(NOW).use["default"].total == 0
    st.assume(replace(assignment(), job=planned, demand=planned.shape.demands[0]))
    st.apply_job(body("u1", resourceVersion="11", status=running()))
    assert st.snapshot(NOW).use["default"].total == decayed_forward(CHARGE, AT, WEEK)
    st.remove_job("u1")
    assert 0 < st.snapshot(NOW).use["default"].total < decayed_forward(CHARGE, AT, WEEK)
