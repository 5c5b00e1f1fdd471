"""What holds for every plan, whatever the world: searched for counterexamples, not shown by examples."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from random import Random
from typing import TypeVar

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from builders import NOW, cells, cluster, node, offer, snapshot
from sampan.model.backlog import Backlog
from sampan.model.cluster import Cluster, Pool, Running
from sampan.model.job import AlternativeOrder
from sampan.model.plan import Assignment, Plan
from sampan.model.snapshot import Snapshot
from sampan.model.vector import Vector
from sampan.scheduling.cycle import schedule
from sampan.scheduling.memo import Memo
from sampan.scheduling.need import need_of
from sampan.scheduling.order import in_order
from strategies import CLASSES, worlds

T = TypeVar("T")
EXAMPLES = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much])


def plan_of(world: Snapshot) -> Plan:
    return schedule(world, Memo())[0]


def units_of(world: Snapshot, done: Assignment) -> Vector:
    """What one replica of an assignment takes, worked out here from model values only."""
    pool = next(cell.pool for cell in world.cells if (cell.offer, cell.pool.name) == (done.offer, done.pool))
    if done.demand.requirement is None:
        return done.demand.per_replica
    assert pool.accelerator is not None
    return done.demand.per_replica + Vector.of({pool.resource: done.demand.requirement.count * pool.accelerator.units_per_device})


def taken_by(world: Snapshot, plan: Plan) -> dict[tuple[str, str], Vector]:
    taken: dict[tuple[str, str], Vector] = defaultdict(Vector)
    for done in plan.assignments:
        for name, replicas in done.nodes:
            taken[done.cluster_uid, name] = taken[done.cluster_uid, name] + units_of(world, done).times(replicas)
    return taken


def after(world: Snapshot, done: Iterable[Assignment]) -> Snapshot:
    """The world once the assignments hold their nodes, and count against what their offers give."""
    done = tuple(done)
    taken = taken_by(world, Plan(assignments=done))
    pools = {cell.id: cell.pool for cell in world.cells}
    clusters: dict[str, Cluster] = {}
    for uid, member in world.clusters.items():
        used = {name: member.used.get(name, Vector()) + taken.get((uid, name), Vector()) for name in member.nodes}
        ours = {each.job.uid: running(each, pools[each.offer, each.pool]) for each in done if each.cluster_uid == uid}
        clusters[uid] = replace(member, used=used, running={**member.running, **ours})
    return replace(world, clusters=clusters)


def running(done: Assignment, pool: Pool) -> Running:
    return Running(
        job_uid=done.job.uid,
        namespace=done.job.namespace,
        queue=done.job.queue,
        priority=done.job.priority,
        offer=done.offer,
        pool=done.pool,
        nodes=done.nodes,
        per_replica=need_of(done.demand, pool),
        ends=None,
    )


def refused_in(plan: Plan) -> list[str]:
    return [job.uid for refusal in plan.refusals for job in refusal.jobs]


def placed(plan: Plan) -> dict[str, tuple[object, ...]]:
    return {done.job.uid: (done.offer, done.pool, done.demand.alternative, done.nodes) for done in plan.assignments}


@EXAMPLES
@given(worlds())
def test_no_node_is_overcommitted(world: Snapshot) -> None:
    for (uid, name), taken in taken_by(world, plan_of(world)).items():
        free = world.clusters[uid].free(name)
        for resource, amount in taken:
            assert amount <= max(free[resource], 0), f"{resource} on {name}"


@EXAMPLES
@given(worlds())
def test_the_device_caps_of_offers_hold(world: Snapshot) -> None:
    plan = plan_of(world)
    before = {(cell.offer, cell.pool.name): cell.pool for cell in world.cells}
    for key in {done.offer for done in plan.assignments}:
        pools = [pool for (offer_key, _), pool in before.items() if offer_key == key and pool.max_devices is not None and pool.resource]
        taken = sum(
            done.replicas * done.demand.requirement.count for done in plan.assignments if done.offer == key and done.demand.requirement
        )
        if pools and taken:
            cap = pools[0].max_devices
            assert cap is not None
            assert taken <= cap


@EXAMPLES
@given(worlds())
def test_gangs_start_whole_and_replicas_have_nodes(world: Snapshot) -> None:
    for done in plan_of(world).assignments:
        assert done.demand.least_replicas <= done.replicas <= done.demand.replicas
        assert sum(replicas for _, replicas in done.nodes) == done.replicas
        assert all(replicas > 0 for _, replicas in done.nodes)


@EXAMPLES
@given(worlds())
def test_each_job_is_assigned_or_refused_once(world: Snapshot) -> None:
    plan = plan_of(world)
    decided = [done.job.uid for done in plan.assignments] + refused_in(plan)
    assert sorted(decided) == sorted(job.uid for job in world.jobs)


@EXAMPLES
@given(worlds(), st.integers(0, 4))
def test_behind_the_limit_the_queue_stays_undecided(world: Snapshot, limit: int) -> None:
    plan = plan_of(replace(world, limit=limit))
    whole = plan_of(world)
    assert len(plan.assignments) == min(limit, len(whole.assignments))
    assert plan.assignments == whole.assignments[:limit]
    assert set(refused_in(plan)) <= set(refused_in(whole))


@EXAMPLES
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(world: Snapshot, chance: Random) -> None:
    def shuffled(items: Iterable[T]) -> list[T]:
        listed = list(items)
        chance.shuffle(listed)
        return listed

    other = replace(
        world,
        backlog=Backlog.of(shuffled(world.jobs)),
        cells=tuple(shuffled(world.cells)),
        offers=dict(shuffled(world.offers.items())),
        clusters=dict(shuffled(world.clusters.items())),
    )
    assert plan_of(other) == plan_of(world)


@EXAMPLES
@given(worlds(), st.data())
def test_a_memo_changes_nothing_but_the_time(world: Snapshot, data: st.DataObject) -> None:
    _, memo = schedule(world, Memo())
    changed = replace(
        data.draw(worlds()) if data.draw(st.booleans()) else world,
        now=NOW + data.draw(st.sampled_from((-3000, 0, 1, 5000))),
        currency=data.draw(st.sampled_from(("CNY", "EUR"))),
    )
    changed = after(changed, plan_of(world).assignments) if changed.clusters is world.clusters else changed
    assert schedule(changed, memo)[0] == plan_of(changed)


@EXAMPLES
@given(worlds(most_jobs=1), st.integers(0, 2))
def test_more_capacity_never_refuses_what_was_accepted_alone(world: Snapshot, number: int) -> None:
    assume(plan_of(world).assignments)
    uid = sorted(world.clusters)[number % len(world.clusters)]
    member = world.clusters[uid]
    extra = [node(f"{uid}-extra-{kind}", kind) for kind in (*CLASSES, None)]
    grown = cluster(*member.nodes.values(), *extra, uid=uid, used=member.used)
    clusters = {**world.clusters, uid: grown}
    richer = replace(world, clusters=clusters, cells=cells(world.offers.values(), clusters.values()))
    assert plan_of(richer).assignments


@EXAMPLES
@given(worlds())
def test_a_lower_job_never_takes_what_a_higher_one_could_use(world: Snapshot) -> None:
    """Leave out every job behind one that was refused: it is refused still."""
    plan = plan_of(world)
    ranked = in_order(world.jobs)
    for refused in (job for refusal in plan.refusals for job in refusal.jobs):
        ahead = ranked[: ranked.index(refused) + 1]
        alone = plan_of(replace(world, backlog=Backlog.of(ahead)))
        assert refused.uid in refused_in(alone)


@EXAMPLES
@given(worlds())
def test_what_is_refused_fits_nowhere_when_its_turn_comes(world: Snapshot) -> None:
    """Place the jobs one by one in worlds that already hold the earlier ones: the plan is the same."""
    plan, done = plan_of(world), list[Assignment]()
    for each in in_order(world.jobs):
        step = plan_of(replace(after(world, done), backlog=Backlog.of((each,))))
        done += step.assignments
    assert placed(Plan(assignments=tuple(done))) == placed(plan)


@EXAMPLES
@given(worlds(most_jobs=1), st.data())
def test_hiding_a_price_never_raises_a_rank(world: Snapshot, data: st.DataObject) -> None:
    plan = plan_of(world)
    assume(plan.assignments)
    losers = sorted(key for key in world.offers if key != plan.assignments[0].offer)
    assume(losers)
    key = data.draw(st.sampled_from(losers))
    hidden = replace(world, offers={**world.offers, key: replace(world.offers[key], prices=())})
    again = plan_of(hidden)
    assert again.assignments
    assert again.assignments[0].offer != key


@EXAMPLES
@given(worlds(most_jobs=1))
def test_adding_an_offer_never_reorders_the_others(world: Snapshot) -> None:
    before = plan_of(world)
    assume(before.assignments)
    new = offer("zz-new", cluster_uid="c-new")
    member = cluster(*(node(f"new-{kind}", kind) for kind in CLASSES), uid="c-new")
    more = snapshot(world.jobs, [*world.offers.values(), new], [*world.clusters.values(), member])
    done = plan_of(more).assignments[0]
    old = before.assignments[0]
    if done.demand == old.demand:
        kept = [verdict for verdict in done.verdicts if verdict.offer != new.key and verdict.score is not None]
        wanted = [verdict for verdict in old.verdicts if verdict.score is not None]
        assert kept == wanted[: len(kept)]
    else:
        assert done.offer == new.key
    if done.offer != new.key:
        assert placed(Plan(assignments=(done,))) == placed(Plan(assignments=(old,)))


@EXAMPLES
@given(worlds())
def test_verdicts_agree_with_themselves(world: Snapshot) -> None:
    plan = plan_of(world)
    for done in plan.assignments:
        chosen = done.verdicts[0]
        assert (chosen.offer, chosen.pool, chosen.alternative) == (done.offer, done.pool, done.demand.alternative)
        for verdict in done.verdicts:
            assert (verdict.score is None) == bool(verdict.reasons)
            assert verdict.score is None or (0 <= verdict.score <= 100 and verdict.score == sum(points for _, points in verdict.parts))
            better = verdict.score is not None and chosen.score is not None and verdict.score > chosen.score
            assert not better or done.job.shape.order is AlternativeOrder.BY_SCORE
        assert len(done.verdicts) <= 16
    for refused in plan.refusals:
        assert sum(refused.counts.values()) + refused.beside == len(world.cells)
        assert all(list(verdict.reasons) == sorted(verdict.reasons, key=lambda r: r.severity) for verdict in refused.verdicts)
