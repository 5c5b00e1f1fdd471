"""Whose turn it is."""

from dataclasses import replace

from builders import A100, H100, NOW, cluster, demand, job, nodes, offer, requirement, shape, snapshot
from sampan.model.backlog import Backlog
from sampan.model.job import Job
from sampan.model.queues import Queue, QueueUse
from sampan.model.reason import Reason
from sampan.scheduling.cache import Memo
from sampan.scheduling.candidate_index import MAX_PRIORITY, MIN_PRIORITY, CandidateIndex
from sampan.scheduling.iterator import EntryStatus, FairShareIterator, inadmissible_jobs
from sampan.scheduling.queueing.pending import PendingIndex
from sampan.scheduling.queueing.usage import FairShareUsage

SMALL, OTHER = shape(demand(requirement(count=1))), shape(demand(requirement(count=2)))
WIDE = cluster(*nodes("h", 9, H100))


def one(name: str, *, queue: str = "default", namespace: str = "n", priority: int = 0, age: int = 0) -> Job:
    return replace(job(name, SMALL, priority=priority, created=NOW - age), queue=queue, namespace=namespace)


def turns_of(
    jobs: list[Job], uses: FairShareUsage, *, reserved: tuple[str, ...] = (), room: bool = True
) -> tuple[FairShareIterator, CandidateIndex]:
    """Turns of jobs that all have room, or none of which has."""
    world = replace(snapshot((), [offer()], [WIDE if room else cluster(*nodes("a", 1, A100))]), backlog=Backlog.of(jobs))
    cache = Memo().cache_or_new()
    cache.update(world)
    cache.prepare(world)
    candidates = CandidateIndex(cache, world)
    candidates.reservation_floor = MIN_PRIORITY if room else MAX_PRIORITY
    return FairShareIterator(cache.pending, uses, candidates=candidates, reserved=cache.pending.find(set(reserved))), candidates


def served(jobs: list[Job], uses: FairShareUsage, *, charge: int = 10, reserved: tuple[str, ...] = ()) -> list[str]:
    turns, order = turns_of(jobs, uses, reserved=reserved)[0], list[str]()
    while (head := turns.pop()) is not None:
        order.append(head.job.uid)
        uses.charge(head.job, charge)
        turns.settle(EntryStatus.PLACED)
    return order


def test_priority_then_use_then_age() -> None:
    uses = FairShareUsage({}, {"busy": QueueUse(total=100), "idle": QueueUse(total=5)})
    jobs = [one("old", queue="busy", age=9), one("new", queue="idle"), one("urgent", queue="busy", priority=1)]
    assert served(jobs, uses) == ["urgent", "new", "old"]


def test_queues_of_equal_weight_take_turns_and_twice_the_weight_gets_twice_the_turns() -> None:
    jobs = [one(f"a{i}", queue="a", age=9) for i in range(6)] + [one(f"b{i}", queue="b") for i in range(6)]
    assert [name[0] for name in served(jobs, FairShareUsage({}, {}))][:6] == ["a", "b"] * 3
    heavy = {"a": Queue(name="a", weight=2_000_000)}
    assert [name[0] for name in served(jobs, FairShareUsage(heavy, {}))][:6].count("a") == 4


def test_many_jobs_or_namespaces_gain_a_queue_nothing() -> None:
    few = [one(f"b{i}", queue="b", age=1) for i in range(8)]
    many = [one(f"a{i}", queue="a", namespace=f"n{i}", age=9) for i in range(50)]
    assert [name[0] for name in served(few + many, FairShareUsage({}, {}))][:16].count("a") == 8


def test_namespaces_take_turns_inside_a_queue() -> None:
    jobs = [one(f"x{i}", namespace="x", age=9) for i in range(4)] + [one(f"y{i}", namespace="y") for i in range(4)]
    assert [name[0] for name in served(jobs, FairShareUsage({}, {}))] == ["x", "y"] * 4


def test_children_share_what_their_parent_gets() -> None:
    queues = {name: Queue(name=name, parent="lab") for name in ("lab-1", "lab-2")} | {"lab": Queue(name="lab")}
    jobs = [one(f"{q}.{i}", queue=q) for q in ("lab-1", "lab-2", "solo") for i in range(4)]
    first = [name.split(".")[0] for name in served(jobs, FairShareUsage(queues, {}))][:8]
    assert (first.count("solo"), first.count("lab-1"), first.count("lab-2")) == (4, 2, 2)


def test_a_circle_of_parents_ends() -> None:
    queues = {"a": Queue(name="a", parent="b"), "b": Queue(name="b", parent="a")}
    assert served([one("j", queue="a")], FairShareUsage(queues, {})) == ["j"]


def test_who_is_like_one_that_was_shut_out_comes_no_more_but_who_stands_alone_does() -> None:
    turns, candidates = turns_of([one("j1", age=9), one("j2", age=8), one("held", age=1)], FairShareUsage({}, {}), reserved=("held",))
    order = []
    while (head := turns.pop()) is not None:
        order.append(head.job.uid)
        if head.has_reservation:
            turns.settle(EntryStatus.PLACED)
        else:
            candidates.drop(head.equivalence)
            turns.settle(EntryStatus.BLOCKED)
    assert order == ["j1", "held"]
    assert [bucket.head.uid for bucket in turns.detached()] == ["j1"]


def test_who_may_not_compete_is_told_apart() -> None:
    shut = replace(one("shut"), inadmissible=Reason.QUEUE_NOT_ALLOWED)
    pending = PendingIndex()
    pending.sync(Backlog.of([shut, one("open")]), NOW)
    assert inadmissible_jobs(pending) == [(Reason.QUEUE_NOT_ALLOWED, (shut,))]
    assert set(pending.find({"shut", "open"})) == {"open"}
    assert served([shut, one("open")], FairShareUsage({}, {})) == ["open"]


def test_what_is_shut_is_passed_over_in_every_lane() -> None:
    jobs = [one("a", age=9), one("b", age=8, namespace="m"), replace(one("c", age=7), shape=OTHER), one("d", age=6, namespace="m")]
    turns, candidates = turns_of(jobs, FairShareUsage({}, {}))
    first = turns.pop()
    assert first is not None
    candidates.drop(first.equivalence)
    turns.settle(EntryStatus.BLOCKED)
    last = turns.pop()
    assert last is not None
    assert (first.job.uid, last.job.uid) == ("a", "c")


def test_who_has_no_room_has_no_turn() -> None:
    assert turns_of([one("a"), one("b", queue="q")], FairShareUsage({}, {}), room=False)[0].pop() is None
