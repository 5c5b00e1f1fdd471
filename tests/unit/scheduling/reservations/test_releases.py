"""When running jobs give back what they hold."""

from dataclasses import replace
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from builders import H100, NOW, cells, cluster, nodes, offer, vector
from sampan.model.members.cluster import Running
from sampan.scheduling.capacity.fit_matrix import FitMatrix
from sampan.scheduling.reservations.releases import Release, ReleaseCache, Releases, released_on

OFFER = offer()


def running(uid: str, ends: int | None, *placed: tuple[str, int]) -> Running:
    held = vector(gpu=2)
    return Running(job_uid=uid, namespace="n", queue="q", priority=0, offer=OFFER.key, pool="p", nodes=placed, per_replica=held, ends=ends)


def anew(matrix: FitMatrix, jobs: list[Running]) -> Releases:
    by = released_on(matrix.columns[0])
    return Releases.of(release for each in jobs for release in by(each.job_uid, each))


def test_declared_ends_come_in_order_and_only_on_the_cells_own_nodes() -> None:
    jobs = [running("late", NOW + 9, ("h-0", 2)), running("soon", NOW + 1, ("h-1", 1), ("x", 3)), running("endless", None, ("h-0", 1))]
    member = replace(cluster(*nodes("h", 2, H100)), running={each.job_uid: each for each in jobs})
    matrix = FitMatrix()
    matrix.sync(cells([OFFER], [member]), {"c1": member})
    ends = anew(matrix, jobs)
    assert (ends.at.tolist(), ends.places.tolist()) == ([NOW + 1, NOW + 9], [1, 0])
    assert ends.by_resource["nvidia.com/gpu"].tolist() == [2, 4]
    assert [ends.when(amount, "nvidia.com/gpu") for amount in (1, 2, 3, 6, 7)] == [NOW + 1, NOW + 1, NOW + 9, NOW + 9, None]
    assert [ends.by(NOW + after, "nvidia.com/gpu") for after in (0, 1, 8, 9)] == [0, 2, 2, 6]
    assert (ends.when(1, "unheard.of/gpu"), ends.by(NOW + 9, "unheard.of/gpu")) == (None, 0)


def told(ends: Releases) -> tuple[object, ...]:
    return ends.at.tolist(), ends.places.tolist(), {line: amounts.tolist() for line, amounts in ends.by_resource.items()}


def test_ends_that_are_kept_up_equal_ends_made_anew() -> None:
    member = cluster(*nodes("h", 2, H100))
    matrix = FitMatrix()
    matrix.sync(cells([OFFER], [member]), {"c1": member})
    first, second, third = running("a", NOW + 5, ("h-0", 1)), running("b", NOW + 1, ("h-1", 2)), running("c", NOW + 5, ("h-1", 1))
    elsewhere, endless = running("d", NOW + 2, ("x", 1)), running("e", None, ("h-0", 1))
    longer = replace(first, ends=NOW + 7)
    cache, column = ReleaseCache(), matrix.columns[0]

    def kept_up(jobs: list[Running]) -> Releases:
        held = {each.job_uid: each for each in jobs}
        return cache.get("column", [column], running=held, released=lambda: released_on(column))

    known = kept_up([])
    for jobs in ([first, second], [second, third, elsewhere], [second, third], [third, longer, endless], []):
        old, known = known, kept_up(jobs)
        assert told(known) == told(anew(matrix, jobs))
        assert (known is old) == (jobs == [second, third])


def test_what_is_kept_up_is_made_anew_for_another_column() -> None:
    member = cluster(*nodes("h", 2, H100))
    matrix = FitMatrix()
    matrix.sync(cells([OFFER], [member]), {"c1": member})
    cache, column, held = ReleaseCache(), matrix.columns[0], {"a": running("a", NOW + 5, ("h-1", 1))}
    small = replace(column, nodes=column.nodes[:1], names=column.names[:1])
    found = [cache.get("column", [each], running=held, released=partial(released_on, each)) for each in (column, small)]
    assert [len(each.entries) for each in found] == [1, 0]


def test_what_is_gone_is_forgotten() -> None:
    cache = ReleaseCache()
    for key in ("a", "b"):
        cache.get(key, (), running={}, released=lambda: lambda _uid, _running: ())
    cache.keep({"b", "c"})
    assert len(cache) == 1


RELEASES = st.tuples(
    st.integers(0, 3),
    st.sampled_from(("a", "b", "c")),
    st.integers(0, 1),
    st.dictionaries(st.sampled_from(("", "cpu", "gpu")), st.integers(0, 3)).map(lambda amounts: tuple(sorted(amounts.items()))),
)


@given(st.lists(RELEASES, max_size=8), st.lists(RELEASES, max_size=4), st.sets(st.sampled_from(("a", "b", "c"))))
def test_releases_with_others_and_without_some_jobs_are_as_if_made_anew(before: list[Release], came: list[Release], gone: set[str]) -> None:
    kept_up = Releases.of(before).having(came, without=gone)
    fresh = Releases.of([*(each for each in before if each[1] not in gone), *came])
    assert (told(kept_up), kept_up.entries) == (told(fresh), fresh.entries)
