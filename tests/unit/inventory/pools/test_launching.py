"""RuntimeClasses: their overhead counts in every fit, selector and tolerations choose nodes, a missing one stops jobs."""

from dataclasses import replace

import pytest

from builders import GIB, H100, NOW, cluster, demand, job, node, offer, requirement, shape, snapshot, vector
from sampan.catalog import load
from sampan.inventory.pools.grouping import pools_of
from sampan.inventory.pools.summary import excluded_nodes
from sampan.model.job import Demand
from sampan.model.launch import Launch
from sampan.model.members.admission import Quota
from sampan.model.members.cluster import Cluster, Node, Pool
from sampan.model.members.runtime_class import RuntimeClass
from sampan.model.members.taint import Taint, Toleration
from sampan.model.plan import Plan
from sampan.model.reason import Reason
from sampan.scheduling.cache import Memo
from sampan.scheduling.capacity.quota_usage import use_of
from sampan.scheduling.capacity.request import replica_request
from sampan.scheduling.cycle import schedule

KATA = RuntimeClass(name="kata", overhead=vector(cpu=1, gib=2))
OFFER = replace(offer(), launch=Launch(runtime_class="kata"))
FULL = demand(requirement(count=8), cpu=8, gib=62)


def member(*runtimes: RuntimeClass, looked: bool = True, at: Node | None = None) -> Cluster:
    known = {each.name: each for each in runtimes} if looked else None
    return replace(cluster(at or node("n1", H100, gib=64, cpu=16)), runtime_classes=known)


def made(of: Cluster) -> tuple[Pool, ...]:
    return pools_of(OFFER, of, load(), home_origins=frozenset(), trust_overrides=False)


def planned(of: Cluster, wanted: Demand) -> Plan:
    return schedule(snapshot([job(wanted=shape(wanted))], [OFFER], [of], now=NOW), Memo())[0]


def reasons(of: Cluster, wanted: Demand) -> set[Reason]:
    return {reason for refusal in planned(of, wanted).refusals for reason in refusal.counts}


@pytest.mark.parametrize(
    ("of", "gib", "fits"),
    [
        (member(KATA), 62, True),
        (member(KATA), 63, False),
        (member(KATA, looked=False), 63, True),  # nobody let us look: told on the offer, and counted as nothing
        (member(RuntimeClass(name="kata")), 64, True),
    ],
)
def test_overhead_counts_in_the_fit(of: Cluster, gib: int, fits: bool) -> None:
    wanted = demand(requirement(count=8), cpu=8, gib=gib)
    assert bool(planned(of, wanted).assignments) is fits


def test_overhead_counts_in_quotas() -> None:
    for left, fits in ((63, False), (64, True)):
        quota = Quota(name="q", left={"memory": left * GIB, "limits.memory": 10 * GIB})
        assert bool(planned(replace(member(KATA), quotas={"sampan-jobs": (quota,)}), FULL).assignments) is fits


def test_overhead_counts_in_the_limits_that_there_are() -> None:
    (pool,) = made(member(KATA))
    limited = replace(FULL, limits=(("memory", 64 * GIB),))
    assert use_of(limited, pool).each["limits.memory"] == 66 * GIB
    assert "limits.memory" not in use_of(FULL, pool).each


def test_a_replica_holds_the_overhead_with_the_rest() -> None:
    (pool,) = made(member(KATA))
    assert replica_request(FULL, pool) == FULL.per_replica + vector(gpu=8) + KATA.overhead


def test_nodes_that_the_runtime_class_does_not_select_are_out_and_told() -> None:
    picky = replace(KATA, selector=(("kata", "yes"),))
    assert made(member(picky)) == ()
    (told,) = excluded_nodes(OFFER, member(picky), load())
    assert (told.cause, told.detail) == ("RuntimeClassElsewhere", "RuntimeClass kata selects kata=yes")
    assert made(member(picky, at=node("n1", H100, labels={"kata": "yes"})))


def test_what_the_runtime_class_tolerates_is_tolerated() -> None:
    tainted = node("n1", H100, taints=[Taint("kata", "", "NoSchedule")])
    assert made(member(KATA, at=tainted)) == ()
    (pool,) = made(member(replace(KATA, tolerations=(Toleration("kata"),)), at=tainted))
    assert pool.tolerated == (Taint("kata", "", "NoSchedule"),)
    assert made(member(replace(KATA, tolerations=(Toleration(""),)), at=tainted)), "a RuntimeClass may tolerate everything"
    gone = node("n1", H100, taints=[Taint("node.kubernetes.io/unreachable", "", "NoExecute")])
    assert made(member(replace(KATA, tolerations=(Toleration(""),)), at=gone)) == ()


def test_nothing_goes_where_the_runtime_class_is_missing() -> None:
    (pool,) = made(member())
    assert pool.runtime_missing
    assert not planned(member(), FULL).assignments
    assert Reason.RUNTIME_CLASS_MISSING in reasons(member(), FULL)


def test_a_runtime_class_moves_no_name() -> None:
    twice = [node("n1", H100), node("n2", H100, taints=[Taint("nvidia.com/gpu", "", "NoSchedule")])]
    plain = replace(cluster(*twice), runtime_classes=None)
    assert [pool.name for pool in made(plain)] == [pool.name for pool in made(replace(plain, runtime_classes={"kata": KATA}))]
    assert [pool.name for pool in made(plain)] == [pool.name for pool in made(replace(plain, runtime_classes={}))]
