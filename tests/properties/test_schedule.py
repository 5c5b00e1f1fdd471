"""What holds for every plan, whatever the world: searched for counterexamples, not shown by examples."""

from collections.abc import Iterable
from dataclasses import replace
from random import Random
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from aftermath import after, cards_after, less, needs_of, placed, refused_in, taken_by
from builders import NOW, cells, cluster, node, offer, snapshot
from sampan.model.backlog import Backlog
from sampan.model.job import AlternativeOrder, Interconnect
from sampan.model.plan import Assignment, Plan
from sampan.model.snapshot import Snapshot
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import schedule
from sampan.scheduling.queueing.order import order_key
from strategies import CLASSES, worlds

T = TypeVar("T")
pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")
EXAMPLES = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much])


def plan_of(world: Snapshot) -> Plan:
    return schedule(world, Memo())[0]


@EXAMPLES
@given(worlds())
def test_no_node_is_overcommitted(world: Snapshot) -> None:
    """No overcommit of any node resource. 40 worlds, thorough 2,000."""
    for (uid, name), taken in taken_by(world, plan_of(world)).items():
        free = world.clusters[uid].free(name)
        for resource, amount in taken:
            assert amount <= max(free[resource], 0), f"{resource} on {name}"


@EXAMPLES
@given(worlds())
def test_the_device_caps_of_offers_hold(world: Snapshot) -> None:
    """Conservation: offers give no more devices than they say. 40 worlds, thorough 2,000."""
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
def test_quotas_member_queues_and_cards_hold(world: Snapshot) -> None:
    """Conservation beyond nodes: what is assigned fits into what quotas and member queues leave, and onto cards one by one.

    40 worlds, thorough 2,000.
    """
    plan = plan_of(world)
    pools = {(cell.offer, cell.pool.name): cell.pool for cell in world.cells}
    for uid, member in world.clusters.items():
        mine = [done for done in plan.assignments if done.cluster_uid == uid]
        cards_after(world, member, mine)
        for namespace, told in member.quotas.items():
            there = [done for done in mine if world.offers[done.offer].namespace_of(done.job.namespace) == namespace]
            for left in (each.left for each in told):
                after_ = less(left, needs_of(world, there))
                assert all(after_[name] >= 0 or after_[name] == left[name] for name in left)
        for key, queue in member.queues.items():
            through = [done for done in mine if pools[done.offer, done.pool].member_queue == key]
            after_ = less(queue.free, needs_of(world, through))
            assert all(after_[name] >= 0 or after_[name] == queue.free[name] for name in queue.free)


@EXAMPLES
@given(worlds())
def test_replicas_lie_in_rings_and_gangs_in_domains(world: Snapshot) -> None:
    """On a node of two rings with told devices no more replicas than its rings hold; a gang that must, in one fabric domain.

    40 worlds, thorough 2,000.
    """
    plan = plan_of(world)
    pools = {(cell.offer, cell.pool.name): cell.pool for cell in world.cells}
    for number, done in enumerate(plan.assignments):
        pool = pools[done.offer, done.pool]
        if done.job.shape.placement.interconnect is Interconnect.SAME_DOMAIN and done.demand.replicas > 1:
            assert any({name for name, _ in done.nodes} <= set(members) for _, members in pool.domains)
        before = [(each.cluster_uid, name) for each in plan.assignments[:number] for name, _ in each.nodes]
        count = done.demand.requirement.count if done.demand.requirement else 0
        for name, replicas in done.nodes:
            free = world.clusters[done.cluster_uid].rings.get(name)
            if count and free is not None and (done.cluster_uid, name) not in before:
                assert replicas <= (sum(each // count for each in free) if count <= 4 else int(min(free) == 4))


@EXAMPLES
@given(worlds())
def test_gangs_start_whole_and_replicas_have_nodes(world: Snapshot) -> None:
    """Gangs whole. 40 worlds, thorough 2,000."""
    for done in plan_of(world).assignments:
        assert done.demand.least_replicas <= done.replicas <= done.demand.replicas
        assert sum(replicas for _, replicas in done.nodes) == done.replicas
        assert all(replicas > 0 for _, replicas in done.nodes)


@EXAMPLES
@given(worlds())
def test_each_job_is_assigned_or_refused_once(world: Snapshot) -> None:
    """Conservation: no job is lost or placed twice. 40 worlds, thorough 2,000."""
    plan = plan_of(world)
    decided = [done.job.uid for done in plan.assignments] + refused_in(plan)
    assert sorted(decided) == sorted(job.uid for job in world.jobs)


@EXAMPLES
@given(worlds(), st.integers(0, 4))
def test_behind_the_limit_the_queue_stays_undecided(world: Snapshot, limit: int) -> None:
    """The limit cuts the plan off and changes nothing before. 40 worlds, thorough 2,000."""
    plan = plan_of(replace(world, limit=limit))
    whole = plan_of(world)
    assert len(plan.assignments) == min(limit, len(whole.assignments))
    assert plan.assignments == whole.assignments[:limit]
    assert set(refused_in(plan)) <= set(refused_in(whole))


@EXAMPLES
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(world: Snapshot, chance: Random) -> None:
    """Determinism under shuffled input. 40 worlds, thorough 2,000."""

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
    """Equal to an empty memo. 40 pairs of worlds, thorough 2,000."""
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
    """Monotony: more capacity never refuses what was accepted alone. 40 worlds, thorough 2,000."""
    assume(plan_of(world).assignments)
    uid = sorted(world.clusters)[number % len(world.clusters)]
    member = world.clusters[uid]
    extra = [node(f"{uid}-extra-{kind}", kind) for kind in (*CLASSES, None)]
    more = cluster(*extra, uid=uid)
    grown = replace(member, nodes={**member.nodes, **more.nodes}, devices={**member.devices, **more.devices})
    clusters = {**world.clusters, uid: grown}
    richer = replace(world, clusters=clusters, cells=cells(world.offers.values(), clusters.values()))
    assert plan_of(richer).assignments


@EXAMPLES
@given(worlds())
def test_a_lower_job_never_takes_what_a_higher_one_could_use(world: Snapshot) -> None:
    """A lower job never takes what a higher one could use now: without all behind it, it is refused still. 40 worlds, thorough 2,000."""
    plan = plan_of(world)
    ranked = sorted(world.jobs, key=order_key)
    for refused in (job for refusal in plan.refusals for job in refusal.jobs):
        ahead = ranked[: ranked.index(refused) + 1]
        reserved = plan_of(replace(world, backlog=Backlog.of(ahead)))
        assert refused.uid in refused_in(reserved)


@EXAMPLES
@given(worlds())
def test_what_is_refused_fits_nowhere_when_its_turn_comes(world: Snapshot) -> None:
    """One by one, in worlds that already hold the earlier ones, the jobs go to the same places. 40 worlds, thorough 2,000."""
    plan, done = plan_of(world), list[Assignment]()
    for each in sorted(world.jobs, key=order_key):
        step = plan_of(replace(after(world, done), backlog=Backlog.of((each,))))
        done += step.assignments
    assert placed(Plan(assignments=tuple(done))) == placed(plan)


@EXAMPLES
@given(worlds(most_jobs=1), st.data())
def test_hiding_a_price_never_raises_a_rank(world: Snapshot, data: st.DataObject) -> None:
    """Making a figure unknown never raises a rank. 40 worlds, thorough 2,000."""
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
    """Adding an offer never reorders others. 40 worlds, thorough 2,000."""
    before = plan_of(world)
    assume(before.assignments)
    new = offer("zz-new", cluster_uid="c-new")
    member = cluster(*(node(f"new-{kind}", kind) for kind in CLASSES), uid="c-new")
    more = replace(snapshot(world.jobs, [*world.offers.values(), new], [*world.clusters.values(), member]), mix=world.mix)
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
    """Scores are the sums of their parts, the chosen cell has the best, and every cell is counted once. 40 worlds, thorough 2,000."""
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
        told, whole = sum(refused.counts.values()) + refused.other_devices, sum(not cell.domain for cell in world.cells)
        near = refused.job.shape.placement.interconnect is Interconnect.SAME_DOMAIN
        assert told <= len(world.cells) if near else told == whole
        assert all(list(verdict.reasons) == sorted(verdict.reasons, key=lambda r: r.severity) for verdict in refused.verdicts)
