"""A quote equals what the cycle does with the job, and leaves no trace."""

from builders import H100, NOW, cluster, job, node, offer, snapshot
from sampan.model.backlog import Backlog
from sampan.model.quantity import MICRO
from sampan.scheduling.cycle import schedule
from sampan.scheduling.memo import Memo
from sampan.scheduling.quoting import quote


def test_a_quote_is_where_the_job_would_go() -> None:
    world = snapshot(offers=[offer(), offer("o2")], clusters=[cluster(node("n", H100))])
    told, _ = quote(world, Memo(), job())
    plan, _ = schedule(snapshot([job()], [offer(), offer("o2")], [cluster(node("n", H100))]), Memo())
    assert told.best is not None
    assert told.best.offer == plan.assignments[0].offer
    assert told.best.price_per_hour == 96 * MICRO
    assert told.start.at_latest == NOW
    assert world.backlog == Backlog()


def test_without_a_place_there_is_no_best() -> None:
    told, _ = quote(snapshot(offers=[offer(accepting=False)], clusters=[cluster(node("n", H100))]), Memo(), job())
    assert told.best is None
    assert told.start.at_latest is None
    assert "no pool could run it" in told.start.unknown
