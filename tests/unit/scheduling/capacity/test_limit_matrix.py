"""What limits allow, worked out for all demands and limits at once, is what each says of each."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import GIB, H100, cluster, demand, nodes, offer, quota, requirement, selector, snapshot
from sampan.model.job import Demand
from sampan.model.members.admission import ALL_PODS, CONFIG_MAPS, JOBS, SECRETS, SERVICES, Admission, LimitItem, LimitType
from sampan.model.members.cluster import Cluster, MemberQueue
from sampan.model.members.offer import PoolRule
from sampan.model.snapshot import Snapshot
from sampan.model.values.vector import PODS, Vector
from sampan.scheduling.cache import Memo, SchedulerCache
from sampan.scheduling.capacity import limit_matrix
from sampan.scheduling.capacity.limit_matrix import MAX_IDLE_DRAWS, NOT_SHORT
from sampan.scheduling.capacity.quota_usage import UNLIMITED

GPU = "nvidia.com/gpu"
ITEM = LimitItem(range="r", type=LimitType.CONTAINER, default=(("cpu", 3000), ("memory", GIB)), default_request=(("cpu", 1000),))
NAMES = ("", "cpu", "memory", "limits.cpu", "limits.memory", PODS, ALL_PODS, JOBS, SERVICES, CONFIG_MAPS, SECRETS, GPU, "amd.com/gpu")
LEFT = st.dictionaries(st.sampled_from(NAMES), st.integers(-1, 20_000) | st.just(2**70))
DEMANDS = st.builds(
    lambda count, replicas, gang, cpu, limits, objects: replace(
        demand(requirement(H100, count) if count else None, replicas=replicas, least=replicas if gang else 1),
        per_replica=Vector.of({"cpu": cpu * 1000, PODS: 1}),
        limits=tuple(sorted(limits.items())),
        objects=tuple(sorted(objects.items())),
    ),
    st.integers(0, 8),
    st.integers(1, 4),
    st.booleans(),
    st.integers(0, 4),
    st.dictionaries(st.sampled_from(("cpu", "memory")), st.integers(0, 5000)),
    st.dictionaries(st.sampled_from((CONFIG_MAPS, SECRETS, ALL_PODS)), st.integers(1, 5)),
)
CAPPED = offer("capped", rules=[PoolRule(selector=selector(), max_devices=9)])
OFFERS = [CAPPED, replace(offer("queued", cluster_uid="c2"), member_queue="batch")]


def member(uid: str, *left: dict[str, int], free: dict[str, int] | None = None, filled: bool = False) -> Cluster:
    """With a quota of all pods, one of those that name CPU or memory, one of those that do not, as far as they are given."""
    scopes = (None, False, True)
    quotas = tuple(quota(each, f"q{at}", best_effort=scopes[at]) for at, each in enumerate(left))
    queue = MemberQueue(name="batch", free=free or {}, largest={GPU: 4}, cohort="city", cohort_free={GPU: 6})
    return replace(
        cluster(*nodes(f"{uid}-h", 2, H100), uid=uid),
        quotas={"sampan-jobs": quotas} if quotas else {},
        queues={} if free is None else {"sampan-jobs/batch": queue},
        admission={"sampan-jobs": Admission(limits=(ITEM,))} if filled else {},
    )


def check(cache: SchedulerCache, demands: list[Demand]) -> None:
    """Every row of the matrix against the limits of every column."""
    limits = cache.limits
    for each in demands:
        row = limits.matrix.row_of(each)
        allowed = limits.matrix.allowed(row).tolist()
        columns = range(len(cache.matrix.columns))
        assert allowed == [min(limits.room(column, each), UNLIMITED) for column in columns]
        rows, least, at = np.array([row]), np.array([each.least_replicas]), np.arange(len(columns))
        reasons = [limits.why(column, each) for column in columns]
        want = [NOT_SHORT if reason is None else reason.severity for reason in reasons]
        assert limits.matrix.why_at(rows, least, at).tolist() == [want]
        assert limits.matrix.allowed_at(rows, at).tolist() == [allowed]


@given(st.lists(DEMANDS, min_size=1, max_size=3), st.lists(LEFT, max_size=3), LEFT, st.booleans())
def test_a_row_says_what_each_limit_says_of_the_demand(
    demands: list[Demand], left: list[dict[str, int]], free: dict[str, int], filled: bool
) -> None:
    world = snapshot(offers=OFFERS, clusters=[member("c1", *left, filled=filled), member("c2", *left, free=free)])
    cache = Memo().cache_or_new()
    cache.update(world)
    check(cache, demands)


def worlds(chance: Random) -> Snapshot:
    """Members with and without quotas and queues, offers that come and go: limits change, move, appear and vanish."""
    offers = [each for each in (*OFFERS, offer("o3"), offer("a4", cluster_uid="c2")) if chance.randint(0, 3)]
    members = [
        member(
            uid,
            *({GPU: chance.randint(0, 16)} for _ in range(chance.randint(0, 2))),
            free=chance.choice((None, {GPU: 3})),
            filled=chance.randint(0, 1) == 1,
        )
        for uid in ("c1", "c2")
    ]
    return snapshot(offers=offers, clusters=members)


@pytest.mark.parametrize("idle", [MAX_IDLE_DRAWS, 0])
def test_limits_that_are_kept_up_equal_limits_made_anew(monkeypatch: pytest.MonkeyPatch, idle: int) -> None:
    """200 pictures in a row, with what is taken in between: rows that were there before say what they would say now.

    Whether what no column draws on any more is dropped late or soon.
    """
    monkeypatch.setattr(limit_matrix, "MAX_IDLE_DRAWS", idle)
    chance, cache = Random(5), SchedulerCache()
    demands = [demand(requirement(H100, count), replicas=replicas) for count in (1, 2, 4) for replicas in (1, 2)]
    for _ in range(200):
        cache.update(worlds(chance))
        check(cache, demands)
        for column in range(len(cache.matrix.columns)):
            if chance.randint(0, 1):
                cache.limits.take(column, demands[0], 2)
        check(cache, demands)
        if chance.randint(0, 9) == 0:
            rows = sorted({cache.limits.matrix.row_of(each) for each in demands[::2]})
            cache.limits.matrix.keep_rows(rows)


def test_what_changed_is_told_once() -> None:
    cache = SchedulerCache()
    world = snapshot(offers=OFFERS, clusters=[member("c1", {GPU: 9}), member("c2", {GPU: 9})])
    cache.update(world)
    assert cache.limits.matrix.drain() == [0, 1]
    cache.limits.take(0, demand(requirement(H100, 1)), 1)
    assert (cache.limits.matrix.drain(), cache.limits.matrix.drain()) == ([0], [])
    cache.update(world)  # the picture does not say that anything was taken
    assert (cache.limits.matrix.drain(), cache.limits.matrix.drain()) == ([0], [])
