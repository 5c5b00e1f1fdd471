"""A memo that lives through many cycles of a changing world decides what an empty one does."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aftermath import after
from builders import cells, quota
from sampan.model.backlog import Backlog
from sampan.model.job import Job, Shape
from sampan.model.members.cluster import Cell, Cluster, Running
from sampan.model.members.offer import Offer, PoolRule, Terms
from sampan.model.plan import Plan
from sampan.model.policy import BUILT_IN, Policy
from sampan.model.queues import Queue, QueueUse
from sampan.model.snapshot import Snapshot
from sampan.model.values.quantity import MICRO
from sampan.model.values.selector import Expression, Operator, Selector
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import schedule
from strategies import CLASSES, GPU, JOBS, NPU, QUEUE, worlds

SECOND = 1000
EXAMPLES = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much])
OF_OFFERS = ("offer", "offer", "price", "rules")
OF_MEMBERS = ("quota", "queued", "node", "gone", "foreign")
CHANGES = (*OF_OFFERS, *OF_MEMBERS, "policy", "class", "queue", "use", "time", "jobs")


def told(world: Snapshot) -> Snapshot:
    """The world with declared ends, tenants with labels, and two queues."""
    shapes: dict[Shape, Shape] = {}
    backlog = []
    for at, each in enumerate(world.jobs):
        ended = tuple(replace(d, span_seconds=(None, 5, 60)[(at + i) % 3]) for i, d in enumerate(each.shape.demands))
        fresh = replace(each.shape, demands=ended, tenant=(("team", "ab"[at % 2]),), policy=("balanced", "cost", "own")[at % 3])
        backlog.append(replace(each, shape=shapes.setdefault(fresh, fresh), queue=f"q{at % 2}", namespace=f"n{at % 3}"))
    return replace(world, backlog=Backlog.of(backlog), policies=BUILT_IN, queues={name: Queue(name=name) for name in ("q0", "q1")})


def offer_changed(data: st.DataObject, old: Offer, now: int) -> Offer:
    """One of its promises is another."""
    moment = st.sampled_from((None, now - SECOND, now, now + SECOND, now + 9 * SECOND))
    whose = st.sampled_from((Selector(), Selector((Expression("team", Operator.IN, ("a",)),))))
    field, value = data.draw(
        st.one_of(
            st.tuples(st.sampled_from(("accepting", "approved", "connected", "permitted")), st.booleans()),
            st.tuples(st.sampled_from(("valid_from", "valid_until")), moment),
            st.tuples(st.just("terms"), st.sampled_from(tuple(Terms))),
            st.tuples(st.just("tenants"), whose),
            st.tuples(st.just("max_devices_per_job"), st.sampled_from((None, 1, 4))),
            st.tuples(st.just("max_run_seconds"), st.sampled_from((None, 10))),
            st.tuples(st.just("member_queue"), st.sampled_from(("", QUEUE))),
        )
    )
    return replace(old, **{field: value})


def price_changed(data: st.DataObject, old: Offer, now: int) -> Offer:
    """A price is told, withdrawn, or another from a moment on."""
    if not old.prices or data.draw(st.booleans()):
        return replace(old, prices=())
    fresh = replace(
        old.prices[0], id="new", amount=data.draw(st.integers(1, 40)) * MICRO, valid_from=now + data.draw(st.sampled_from((0, 3 * SECOND)))
    )
    return replace(old, prices=(*old.prices, fresh))


def member_changed(data: st.DataObject, old: Cluster, what: str) -> Cluster:
    """One node, quota or queue is another; a node may be gone."""
    amounts = data.draw(st.fixed_dictionaries({}, optional={GPU: st.integers(-2, 9), NPU: st.integers(0, 9)}))
    if what == "quota":
        return replace(old, quotas={JOBS: (quota(amounts),)})
    if what == "queued":
        key = f"{JOBS}/{QUEUE}"
        return replace(old, queues={key: replace(old.queues[key], free=amounts)} if key in old.queues else {})
    name = data.draw(st.sampled_from(sorted(old.nodes)))
    if what == "gone" and len(old.nodes) > 1:
        return replace(old, nodes={key: node for key, node in old.nodes.items() if key != name})
    node = old.nodes[name]
    if what == "foreign":
        grown = {resource: data.draw(st.integers(0, amount + 1)) for resource, amount in node.allocatable}
        return replace(old, used={**old.used, name: type(node.allocatable).of(grown)}, rings={})
    return replace(old, nodes={**old.nodes, name: replace(node, cordoned=not node.cordoned)})


def changed(data: st.DataObject, world: Snapshot, what: str) -> Snapshot:
    """The world with one thing other than before; what is alike stays the very same."""
    if what in OF_OFFERS:
        key = data.draw(st.sampled_from(sorted(world.offers)))
        old = world.offers[key]
        if what == "rules":
            cap = data.draw(st.sampled_from((None, 0, 3, 8)))
            fresh = replace(old, rules=() if cap is None else (PoolRule(selector=Selector(), max_devices=cap),))
        else:
            fresh = (offer_changed if what == "offer" else price_changed)(data, old, world.now)
        return replace(world, offers={**world.offers, key: fresh})
    if what == "policy":
        name = data.draw(st.sampled_from(("balanced", "cost", "own")))
        reserve = data.draw(st.integers(0, 9)) * 999
        fresh_policy = Policy(name=name, cost=60, packing=40, cpu_on_accelerators=data.draw(st.booleans()), cpu_reserve_per_device=reserve)
        kept = {key: value for key, value in world.policies.items() if key != name}
        return replace(world, policies=kept if data.draw(st.integers(0, 2)) == 0 else {**kept, name: fresh_policy})
    if what == "class":
        name = data.draw(st.sampled_from(CLASSES))
        return replace(world, classes={**world.classes, name: replace(world.classes[name], throughput=())})
    if what == "queue":
        name = data.draw(st.sampled_from(("q0", "q1")))
        fresh_queue = Queue(name=name, weight=data.draw(st.integers(1, 5)) * MICRO, parent=data.draw(st.sampled_from((None, "q0", "top"))))
        return replace(world, queues={**world.queues, name: fresh_queue})
    if what == "use":
        spaces = {f"n{at}": data.draw(st.integers(0, 50)) * MICRO for at in range(3)}
        return replace(world, use={**world.use, "q0": QueueUse(total=sum(spaces.values()), namespaces=spaces)})
    if what == "jobs" and world.jobs:
        one = data.draw(st.sampled_from(world.jobs))
        rest = world.backlog.without_job(one)
        cells_ = sorted({cell.id for cell in world.cells})
        excluded = frozenset(data.draw(st.sets(st.sampled_from(cells_)))) if cells_ else frozenset()
        return replace(world, backlog=rest.with_job(replace(one, excluded=excluded, priority=data.draw(st.integers(0, 3)))))
    if what in OF_MEMBERS:
        uid = data.draw(st.sampled_from(sorted(world.clusters)))
        return replace(world, clusters={**world.clusters, uid: member_changed(data, world.clusters[uid], what)})
    return replace(world, now=world.now + data.draw(st.sampled_from((1, 1000, 5000, 61_000))))


def viewed(world: Snapshot, before: tuple[Cell, ...]) -> Snapshot:
    """The world with the cells that follow; those that are equal stay the very same, as the operator keeps them."""
    old = {cell.id: cell for cell in before}
    new = cells(world.offers.values(), world.clusters.values())
    told_classes = (_with_class(cell, world) for cell in new)
    return replace(world, cells=tuple(old[cell.id] if old.get(cell.id) == cell else cell for cell in told_classes))


def _with_class(cell: Cell, world: Snapshot) -> Cell:
    have = cell.pool.accelerator
    fact = world.classes.get(have.name) if have else None
    return cell if fact is None else replace(cell, pool=replace(cell.pool, accelerator=fact))


def went_on(world: Snapshot, plan: Plan) -> Snapshot:
    """The world once the plan is enacted: what starts runs until its declared end."""
    started: dict[str, Job] = {done.job.uid: done.job for done in plan.assignments}
    spans = {done.job.uid: done.demand.span_seconds for done in plan.assignments}
    later = after(world, plan.assignments)

    def ending(run: Running) -> Running:
        span = spans.get(run.job_uid)
        return run if span is None else replace(run, ends=world.now + span * SECOND)

    members = {uid: replace(m, running={key: ending(run) for key, run in m.running.items()}) for uid, m in later.clusters.items()}
    backlog = world.backlog
    for one in started.values():
        backlog = backlog.without_job(one)
    return replace(later, clusters=members, backlog=backlog, reservations=plan.reservations)


@EXAMPLES
@given(worlds(), st.data())
def test_a_memo_that_lives_on_decides_what_an_empty_one_does(world: Snapshot, data: st.DataObject) -> None:
    """Equal to an empty memo, cycle after cycle. 40 histories of up to eight cycles, thorough 2,000."""
    world, memo = told(world), Memo()
    for _ in range(data.draw(st.integers(2, 8))):
        plan, memo = schedule(world, memo)
        assert plan == schedule(world, Memo())[0]
        fresh = went_on(world, plan) if data.draw(st.booleans()) else replace(world, reservations=plan.reservations)
        for what in data.draw(st.lists(st.sampled_from(CHANGES), max_size=3)):
            fresh = changed(data, fresh, what)
        world = viewed(fresh, world.cells)
