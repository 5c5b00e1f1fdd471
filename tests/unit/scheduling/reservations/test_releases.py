"""When running jobs give back what they hold."""

from dataclasses import replace

from builders import H100, NOW, cells, cluster, nodes, offer, vector
from sampan.model.members.cluster import Running
from sampan.scheduling.capacity.fit_matrix import FitMatrix
from sampan.scheduling.reservations.releases import Releases, releases_after, releases_of

OFFER = offer()


def running(uid: str, ends: int | None, *placed: tuple[str, int]) -> Running:
    held = vector(gpu=2)
    return Running(job_uid=uid, namespace="n", queue="q", priority=0, offer=OFFER.key, pool="p", nodes=placed, per_replica=held, ends=ends)


def test_declared_ends_come_in_order_and_only_on_the_cells_own_nodes() -> None:
    jobs = [running("late", NOW + 9, ("h-0", 2)), running("soon", NOW + 1, ("h-1", 1), ("x", 3)), running("endless", None, ("h-0", 1))]
    member = replace(cluster(*nodes("h", 2, H100)), running={each.job_uid: each for each in jobs})
    matrix = FitMatrix()
    matrix.sync(cells([OFFER], [member]), {"c1": member})
    ends = releases_of(matrix.columns[0], member, matrix.resources)
    assert (ends.at.tolist(), ends.places.tolist()) == ([NOW + 1, NOW + 9], [1, 0])
    assert ends.by_resource[matrix.resources.position("nvidia.com/gpu")].tolist() == [2, 4]


def told(ends: Releases) -> tuple[object, ...]:
    return ends.at.tolist(), ends.places.tolist(), {line: amounts.tolist() for line, amounts in ends.by_resource.items()}


def test_ends_that_are_kept_up_equal_ends_made_anew() -> None:
    member = cluster(*nodes("h", 2, H100))
    matrix = FitMatrix()
    matrix.sync(cells([OFFER], [member]), {"c1": member})
    first, second, third = running("a", NOW + 5, ("h-0", 1)), running("b", NOW + 1, ("h-1", 2)), running("c", NOW + 5, ("h-1", 1))
    elsewhere, endless = running("d", NOW + 2, ("x", 1)), running("e", None, ("h-0", 1))
    longer = replace(first, ends=NOW + 7)
    known, before = releases_of(matrix.columns[0], member, matrix.resources), member.running
    for jobs in ([first, second], [second, third, elsewhere], [second, third], [third, longer, endless], []):
        after = replace(member, running={each.job_uid: each for each in jobs})
        old = known
        known = releases_after(known, matrix.columns[0], before=before, after=after.running, names=matrix.resources)
        assert told(known) == told(releases_of(matrix.columns[0], after, matrix.resources))
        assert (known is old) == (jobs == [second, third])
        before = after.running
