"""A quote equals what the cycle does with the job, and leaves no trace."""

from dataclasses import replace

from builders import H100, NOW, cluster, job, node, offer, snapshot
from sampan.model.backlog import Backlog
from sampan.model.values.quantity import MICRO
from sampan.scheduling.answers.quote import quote
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import schedule


def test_a_quote_is_where_the_job_would_go() -> None:
    world = snapshot(offers=[offer(), offer("o2")], clusters=[cluster(node("n", H100))])
    told, _ = quote(world, Memo(), job())
    plan, _ = schedule(snapshot([job()], [offer(), offer("o2")], [cluster(node("n", H100))]), Memo())
    assert told.starts_in is not None
    assert told.starts_in.offer == plan.assignments[0].offer
    assert told.starts_in.price_per_hour == 96 * MICRO
    assert told.start.at_latest == NOW
    assert world.backlog == Backlog()


def test_without_a_place_there_is_no_best() -> None:
    told, _ = quote(snapshot(offers=[offer(accepting=False)], clusters=[cluster(node("n", H100))]), Memo(), job())
    assert told.starts_in is None
    assert told.start.at_latest is None
    assert "no pool could run it" in told.start.unknown


def test_a_waiting_job_of_the_name_is_taken_for_the_same_one() -> None:
    for name, start in (("job", NOW), ("another", None)):
        waits = replace(job(), uid="w", name=name)
        mine = replace(job(), uid="quote", name="job", created=NOW)
        world = snapshot([waits], offers=[offer()], clusters=[cluster(node("n", H100))])
        told, _ = quote(world, Memo(), mine)
        assert told.start.at_latest == start
        assert told.start.unknown.startswith("" if start else "1 job that waits now comes first; too few of the jobs")
        assert len(world.backlog) == 1
