"""When a decision is worth a write of the hub: each change once, and counts only as they stand still."""

from jobs import NOW, bound_status, copy, record, shown
from sampan.controller.observation.attempt import AttemptState as State
from sampan.controller.reconcile import actions as a
from sampan.controller.reconcile.decide import decide
from unit.controller.reconcile.test_decide import TIMES, UNKNOWN, remote, seen


def test_a_patch_is_not_repeated_once_it_is_written() -> None:
    """Asking again with the status that was just written leads to waiting: one patch per change."""
    job = record(status=bound_status())
    there = remote(copy(), seen(State.RUNNING, whole=True, ready=1))
    first = decide(job, there, TIMES)
    assert isinstance(first, a.Patch)
    assert isinstance(decide(record(status=first.status), there, TIMES), a.Wait)


def test_counts_are_written_only_once_they_stand_still() -> None:
    """Pods that have ended are mostly followed by the Job's result: one write for both."""
    job = record(status=bound_status(running=True))
    late = a.Times(now=NOW, tombstone=30_000, counters=15_000, last_write=NOW - 60_000)
    one_of_two = seen(State.RUNNING, whole=True, active=1, succeeded=1)
    assert decide(job, remote(copy(), one_of_two, still_for=500), late) == a.Wait(1_500)
    assert isinstance(decide(job, remote(copy(), one_of_two, still_for=2_000), late), a.Patch)
    ended_pod = seen(State.RUNNING, whole=True, active=0, succeeded=1)
    assert decide(job, remote(copy(), ended_pod, still_for=2_000), late) == a.Wait(13_000)
    assert isinstance(decide(job, remote(copy(), ended_pod, still_for=15_000), late), a.Patch)


def test_a_spec_that_cannot_be_read_is_told_once() -> None:
    job = record(spec={"activeDeadlineSeconds": "soon"})
    action = decide(job, UNKNOWN, TIMES)
    assert isinstance(action, a.Patch)
    (told,) = shown(action.status)["conditions"]
    assert (told["type"], told["status"], told["reason"]) == ("Scheduled", "False", "InvalidSpec")
    assert told["message"]
    assert isinstance(decide(record(spec={"activeDeadlineSeconds": "soon"}, status=action.status), UNKNOWN, TIMES), a.Wait)
