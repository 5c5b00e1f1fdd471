"""A tenant's share of what is given out does not grow by being many: many jobs, many namespaces, many queues below its own."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from builders import H100, NOW, cluster, demand, job, nodes, offer, requirement, shape, snapshot
from sampan.model.backlog import Backlog
from sampan.model.job import Job
from sampan.model.queues import Queue, QueueUse
from sampan.model.values.quantity import MICRO
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import schedule
from sampan.scheduling.queueing.charge import decayed_forward

CYCLE = 60_000
"""Milliseconds; all that is placed in one has ended by the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rivalry:
    """A tenant and the others over some cycles. Everybody's jobs are alike, and the others never run out of them."""

    nodes: int
    limit: int
    cycles: int
    devices: int
    weight: int
    others: tuple[int, ...]
    """Weights of the other tenants' queues."""
    jobs: int
    """Of the tenant."""
    extra: int
    """More of them, where it tries that."""
    parts: int
    """Queues or namespaces, where it tries that."""
    older: bool
    """The tenant's jobs came before all others."""

    def most(self) -> int:
        """More jobs than can be placed."""
        return self.cycles * min(self.limit, self.nodes * 8) + 1


rivalries = st.builds(
    Rivalry,
    nodes=st.integers(1, 2),
    limit=st.sampled_from((1, 3, 5, 100)),
    cycles=st.integers(2, 6),
    devices=st.sampled_from((1, 2, 4, 8)),
    weight=st.integers(1, 4),
    others=st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple),
    jobs=st.integers(1, 30),
    extra=st.integers(1, 40),
    parts=st.integers(2, 6),
    older=st.booleans(),
)


def queues_of(rivalry: Rivalry, parts: int = 1) -> dict[str, Queue]:
    """The tenant's queue with its children, and the others'."""
    children = {f"mine-{part}": Queue(name=f"mine-{part}", parent="mine") for part in range(parts)}
    others = {f"other-{at}": Queue(name=f"other-{at}", weight=weight * MICRO) for at, weight in enumerate(rivalry.others)}
    return {"mine": Queue(name="mine", weight=rivalry.weight * MICRO), **children, **others}


def mine(rivalry: Rivalry, *, amount: int, queues: int = 1, namespaces: int = 1) -> list[Job]:
    """The tenant's jobs, spread in turn."""
    wanted = shape(demand(requirement(H100, rivalry.devices), cpu=1, gib=1))
    created = NOW - (9_000 if rivalry.older else 1_000)
    made = (job(f"m{at:03}", wanted, created=created) for at in range(amount))
    return [replace(each, queue=f"mine-{at % queues}", namespace=f"mine-{at % namespaces}") for at, each in enumerate(made)]


def got(rivalry: Rivalry, tenant: list[Job], queues: Mapping[str, Queue]) -> int:
    """How many of the tenant's jobs are placed."""
    wanted = shape(demand(requirement(H100, rivalry.devices), cpu=1, gib=1))
    rivals = [
        replace(job(f"o{at}-{number:03}", wanted, created=NOW - 5_000), queue=f"other-{at}", namespace=f"other-{at}")
        for at in range(len(rivalry.others))
        for number in range(rivalry.most())
    ]
    world = snapshot((), [offer()], [cluster(*nodes("h", rivalry.nodes, H100))], limit=rivalry.limit)
    world = replace(world, queues=queues, backlog=Backlog.of([*tenant, *rivals]))
    memo, placed = Memo(), 0
    for _ in range(rivalry.cycles):
        plan, memo = schedule(world, memo)
        use, backlog = dict(world.use), world.backlog
        for done in plan.assignments:
            backlog = backlog.without_job(done.job)
            amount = decayed_forward(plan.charges[done.job.uid], world.now, world.half_life)
            old = use.get(done.job.queue, QueueUse())
            spaces = Counter(old.namespaces)
            spaces[done.job.namespace] += amount
            use[done.job.queue] = QueueUse(total=old.total + amount, namespaces=dict(spaces))
            placed += done.job.uid.startswith("m")
        world = replace(world, now=world.now + CYCLE, use=use, backlog=backlog)
    return placed


@given(rivalries)
def test_a_share_does_not_grow_with_the_number_of_jobs(rivalry: Rivalry) -> None:
    """Who has enough jobs for its share gets no more of it with more of them. 40 rivalries, thorough 2,000."""
    queues = queues_of(rivalry)
    enough = got(rivalry, mine(rivalry, amount=rivalry.most()), queues)
    assert got(rivalry, mine(rivalry, amount=rivalry.most() + rivalry.extra), queues) == enough
    assert got(rivalry, mine(rivalry, amount=rivalry.jobs), queues) <= min(enough, rivalry.jobs)


@given(rivalries)
def test_a_share_does_not_grow_with_the_number_of_namespaces(rivalry: Rivalry) -> None:
    """Namespaces divide what their queue gets. 40 rivalries, thorough 2,000."""
    queues, amount = queues_of(rivalry), rivalry.most()
    whole = got(rivalry, mine(rivalry, amount=amount), queues)
    assert got(rivalry, mine(rivalry, amount=amount, namespaces=rivalry.parts), queues) == whole


@given(rivalries)
def test_a_share_does_not_grow_with_the_number_of_queues_below_ones_own(rivalry: Rivalry) -> None:
    """Children divide what their parent gets; queues beside one another are the platform team's to make. 40 rivalries, thorough 2,000."""
    amount = rivalry.most()
    whole = got(rivalry, mine(rivalry, amount=amount), queues_of(rivalry))
    assert got(rivalry, mine(rivalry, amount=amount, queues=rivalry.parts), queues_of(rivalry, rivalry.parts)) == whole


@given(rivalries)
def test_shares_go_by_weight(rivalry: Rivalry) -> None:
    """Without this the others would show nothing: it gets its weight's part, to a job for each queue. 40 rivalries, thorough 2,000."""
    total = rivalry.cycles * min(rivalry.limit, rivalry.nodes * 8 // rivalry.devices)
    part = total * rivalry.weight / (rivalry.weight + sum(rivalry.others))
    placed = got(rivalry, mine(rivalry, amount=rivalry.most()), queues_of(rivalry))
    assert abs(placed - part) <= 1 + len(rivalry.others)
