"""A job that is gone leaves nothing behind: whatever befell it, no container of the state or the reconciler names it afterwards."""

from collections import deque
from collections.abc import Iterator, Mapping

from jobs import CLUSTER, NOW, OFFER
from sampan.controller.state.entry import BIND, JobEntry
from sampan.model.plan import Plan, StartUnknown
from sampan.model.reservation import Reservation
from sampan.model.values.names import LABEL_JOB_UID
from unit.controller.fakes import H100_JOB, JOBS, World, world
from unit.kube.fake_api import replying

HOUR = 3_600_000
OURS = (
    "sampan.controller.state",
    "sampan.controller.reconcile",
    "sampan.controller.runtime.",
    "sampan.controller.observation",
    "asyncio.q",
)
CONTAINERS = (list, tuple, set, frozenset, deque)


def parts(found: object) -> Iterator[tuple[str, object]]:
    """What an object of ours, or a container, holds."""
    if isinstance(found, Mapping):
        for key, value in list(found.items()):
            yield f"[{key!r}]", key
            yield f"[{key!r}]", value
    elif isinstance(found, CONTAINERS):
        yield from ((f"[{index}]", each) for index, each in enumerate(found))
    elif type(found).__module__.startswith(
        ("sampan.controller.state", "sampan.controller.reconcile", "sampan.controller.runtime.", "asyncio.q")
    ):
        yield from ((f".{name}", value) for name, value in getattr(found, "__dict__", {}).items())
        slots = (name for kind in type(found).__mro__ for name in getattr(kind, "__slots__", ()))
        yield from ((f".{name}", getattr(found, name)) for name in slots if hasattr(found, name))
    elif type(found).__module__.startswith(("sampan.model", "sampan.inventory", "sampan.store")):
        yield from ((f".{name}", getattr(found, name, None)) for name in ("uid", "job_uid", "running", "job"))


def paths_to(uid: str, **roots: object) -> list[str]:
    """Where a UID is found, by a walk over all that is reached from these."""
    found, seen, ahead = [], set[int](), deque(roots.items())
    kept = []  # what is walked over must stay alive, or another object may get its id
    while ahead:
        path, each = ahead.popleft()
        if isinstance(each, str):
            found += [path] if each == uid else []
            continue
        if id(each) in seen:
            continue
        seen.add(id(each))
        kept.append(each)
        ahead.extend((path + name, part) for name, part in parts(each))
    return found


def kept_for(w: World) -> Reservation:
    """A place that a cycle keeps for the job."""
    return Reservation(
        job_uid="u1", priority=0, cell=(OFFER, "h100-x8"), demand=0, nodes=(("n1", 1),), start=NOW, published=NOW + HOUR, made=w.now
    )


async def a_life(w: World) -> JobEntry:
    """Whatever can befall a job: it waits, is reserved a place, cannot be bound, is bound, created late, runs, fails, and goes again."""
    w.add(spec={**H100_JOB, "retry": {"maxRestarts": 5, "backoffSeconds": 1}})
    entry = w.state.table["u1"]
    w.state.snapshot(w.now)
    w.state.reservations.apply(Plan(reservations=(kept_for(w),), unknown_starts={"u1": StartUnknown.NO_DECLARED_END}))
    assert entry.reservation is not None
    w.hub.fault("PATCH", "/status", replying(500, "InternalError"))
    await w.bind()
    assert entry.retries[BIND].times == 1
    await w.pass_time(2_000)
    w.member.fault("POST", "/jobs", replying(500, "InternalError"))
    await w.bind()
    assert entry.retries["Create"].reason == "InternalError"
    w.state.snapshot(w.now)
    assert entry.running_on == CLUSTER
    await w.pass_time(3_000)
    labels = dict(w.copy()["metadata"]["labels"])
    pod = {"metadata": {"name": "p", "namespace": "sampan-jobs", "uid": "pod-1", "labels": labels}, "status": {"phase": "Failed"}}
    w.member.put("v1/pods", pod)
    w.tell_copy(active=1)
    await w.pass_time(30_000)
    assert list(w.state.allocations.in_flight(CLUSTER))
    w.tell_copy(failed=1, conditions=[{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}])
    await w.pass_time(10_000)
    assert entry.memory.attempt.since.final is not None
    w.member.drop("v1/pods", "p", "sampan-jobs")
    await w.pass_time(60_000)
    await w.pass_time(60_000)
    assert w.status()["attempts"]
    assert entry.record.waits
    await w.bind()
    assert w.status()["binding"]["attempt"] == 2
    return entry


async def test_nothing_names_a_job_that_is_gone() -> None:
    async with world() as w:
        w.add("u2", spec=H100_JOB)
        await a_life(w)
        assert len(paths_to("u1", state=w.state, reconciler=w.reconciler)) > 5, "a walk that finds nothing proves nothing"
        w.change(deletionTimestamp="2027-01-15T08:00:00Z")
        await w.pass_time(100)
        await w.pass_time(20_000)
        await w.pass_time(20_000)
        assert not [job for job in w.hub.of(JOBS) if job["metadata"]["uid"] == "u1"], "its finalizer is off"
        await w.pass_time(100)
        assert "u1" not in w.state.table
        w.state.snapshot(w.now + HOUR)
        assert [use.job_uid for use in w.state.usage.outbox if use.final] == ["u1", "u1"], (
            "what it used is to be stored, and then forgotten"
        )
        w.state.usage.outbox.stored(len(w.state.usage.outbox))
        assert paths_to("u1", state=w.state, reconciler=w.reconciler) == []
        assert paths_to("u2", state=w.state), "the other job is there"


async def test_a_job_that_goes_in_the_middle_of_it_all_leaves_nothing_either() -> None:
    async with world() as w:
        entry = await a_life(w)
        w.hub.drop(JOBS, "job-u1")
        w.state.remove_job("u1")
        await w.settle()
        w.state.snapshot(w.now + HOUR)
        w.state.usage.outbox.stored(len(w.state.usage.outbox))
        assert paths_to("u1", state=w.state, reconciler=w.reconciler) == []
        assert entry.record.uid == "u1", "whoever works on it still has it whole"
        assert LABEL_JOB_UID in w.copy()["metadata"]["labels"], "its copy is there: it is an orphan now"
