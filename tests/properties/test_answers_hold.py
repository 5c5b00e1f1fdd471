"""What an answer says of the next cycle is what the next cycle does: the whole backlog, reservations, caps and quotas in force.

The worlds are those of `contested`; that they are as rich as they should be is a test of its own.
"""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from contested import Contest, contest, contests, with_jobs
from sampan.model.job import AlternativeOrder, Job
from sampan.model.plan import Assignment, Plan, Refusal
from sampan.model.reason import Reason
from sampan.model.snapshot import Snapshot
from sampan.scheduling.answers.explain import explain
from sampan.scheduling.answers.quote import quote
from sampan.scheduling.answers.values import CellAnswer, Explanation, Quote
from sampan.scheduling.answers.what_if import AddNodes, WithoutOffer, what_if
from sampan.scheduling.answers.wording import headline
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import schedule
from sampan.scheduling.queueing.order import eligible

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")
EXAMPLES = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much])


def assigned(plan: Plan, uid: str) -> Assignment | None:
    return next((done for done in plan.assignments if done.job.uid == uid), None)


def refused(plan: Plan, uid: str) -> Refusal | None:
    return next((each for each in plan.refusals if any(job.uid == uid for job in each.jobs)), None)


def same_view(job: Job, against: Refusal, *, world: Snapshot, plan: Plan) -> bool:
    """The cycle tells all of a bucket why its oldest is refused, an answer is about the job alone.

    The oldest may try an alternative more, or was kept a place a moment ago, which is in the way of all but itself.
    """
    first, before = against.job, {each.job_uid for each in world.reservations}
    fresh = any(each.job_uid == first.uid and each.job_uid not in before for each in plan.reservations)
    return first.uid == job.uid or (eligible(job, world.now) == eligible(first, world.now) and not fresh)


def check(told: Explanation | Quote, job: Job, *, world: Snapshot, plan: Plan) -> None:
    """Hold an answer against the plan of the cycle in which the job waits."""
    done, against = assigned(plan, job.uid), refused(plan, job.uid)
    if done is not None:
        assert told.starts_in is not None
        assert told.starts_in == told.cells[0]
        check_place(told.starts_in, done)
        check_verdicts(told.cells, done.verdicts[1:])
        assert (told.waits_for, told.start.at_latest) == ("", world.now)
        return
    assert told.starts_in is None
    assert told.waits_for
    if against is None:  # more come before it than the cycle may start
        assert len(plan.assignments) == world.limit
        assert "its turn" in told.waits_for or not any(cell.usable for cell in told.cells)
    elif job.inadmissible is None:
        assert not any(cell.usable for cell in told.cells)
        check_verdicts(told.cells, against.verdicts if same_view(job, against, world=world, plan=plan) else ())


def check_place(cell: CellAnswer, done: Assignment) -> None:
    chosen = done.verdicts[0]
    assert (cell.offer, cell.pool.partition("@")[0], cell.alternative) == (done.offer, done.pool, done.demand.alternative)
    assert (cell.score, cell.parts) == (chosen.score, chosen.parts)
    count = done.demand.requirement.count if done.demand.requirement else 0
    assert cell.devices == count * done.replicas
    assert cell.room >= done.replicas


def check_verdicts(cells: tuple[CellAnswer, ...], verdicts: tuple[object, ...]) -> None:
    """The cycle's reasons, the worst of each cell; an alternative that the cycle did not look at may say more."""
    by_cell = {(cell.offer, cell.pool.partition("@")[0], cell.alternative): cell for cell in cells}
    for verdict in verdicts:
        cell = by_cell.get((verdict.offer, verdict.pool, verdict.alternative))  # type: ignore[attr-defined]
        if cell is not None and not cell.usable and verdict.score is None:  # type: ignore[attr-defined]
            assert cell.unmet[0].reason is verdict.reasons[0]  # type: ignore[attr-defined]


@EXAMPLES
@given(contests())
def test_an_explanation_is_what_the_next_cycle_does(made: Contest) -> None:
    """Every waiting job of a world: where it starts, or why not, in the cycle's words. 40 worlds, thorough 2,000."""
    world = made.world
    plan, _ = schedule(world, Memo())
    memo = Memo()
    for job in world.jobs:
        told, memo = explain(world, memo, job)
        check(told, job, world=world, plan=plan)
        against = refused(plan, job.uid)
        if against is not None and job.inadmissible is None and same_view(job, against, world=world, plan=plan):
            assert told.headline == headline(against)
        kept = next((each for each in plan.reservations if each.job_uid == job.uid), None)
        if told.start.reserved:
            assert kept is not None
            assert told.start.at_latest == kept.published


@EXAMPLES
@given(contests())
def test_a_quote_is_what_the_cycle_does_once_the_job_is_submitted(made: Contest) -> None:
    """A newcomer, last of its priority. 40 worlds, thorough 2,000."""
    world, job = made.world, made.newcomer
    told, _ = quote(world, Memo(), job)
    plan, _ = schedule(with_jobs(world, [job]), Memo())
    check(told, job, world=world, plan=plan)


@EXAMPLES
@given(contests())
def test_a_changed_world_is_told_as_its_cycle_does(made: Contest) -> None:
    """Without an offer, and with another node in a pool. 40 worlds, thorough 2,000."""
    world, job = made.world, made.newcomer
    key = sorted(world.offers)[0]
    told, memo = what_if(world, Memo(), job, change=WithoutOffer(key))
    gone = replace(
        world,
        offers={name: each for name, each in world.offers.items() if name != key},
        cells=tuple(cell for cell in world.cells if cell.offer != key),
    )
    check(told.after, job, world=gone, plan=schedule(with_jobs(gone, [job]), Memo())[0])
    check(told.before, job, world=world, plan=schedule(with_jobs(world, [job]), Memo())[0])
    cell = world.cells[0]
    more, _ = what_if(world, memo, job, change=AddNodes(offer=cell.offer, pool=cell.pool.name, nodes=1))
    assert more.before == told.before


@EXAMPLES
@given(contests())
def test_after_its_smallest_change_the_next_cycle_starts_a_job(made: Contest) -> None:
    """Unless others come before it in greater number than the cycle may start. 40 worlds, thorough 2,000."""
    world, job = made.world, made.newcomer
    told, _ = quote(world, Memo(), job)
    for cell in told.cells:
        if cell.changed is not None and job.inadmissible is None:
            plan, _ = schedule(with_jobs(world, [replace(job, shape=cell.changed)]), Memo())
            assert assigned(plan, job.uid) is not None or len(plan.assignments) == world.limit


def seen(made: Contest) -> set[str]:
    """What a world shows of the cases that the properties are about."""
    world = made.world
    plan, _ = schedule(world, Memo())
    told = {str(reason) for each in plan.refusals for verdict in each.verdicts for reason in verdict.reasons[:1]}
    limited = any(cluster.quotas or cluster.queues for cluster in world.clusters.values())
    capped = any(offer.rules for offer in world.offers.values())
    shapes = [job.shape for job in world.jobs]
    queues = [queue for cluster in world.clusters.values() for queue in cluster.queues.values()]
    quotas = [each for cluster in world.clusters.values() for told in cluster.quotas.values() for each in told]
    facts = {
        "reservation": bool(world.reservations),
        "reservation beside limits": bool(world.reservations) and (limited or capped),
        "quotas by quality of service": any(each.best_effort is not None for each in quotas),
        "cohort": any(queue.cohort for queue in queues),
        "one ClusterQueue": any(queue.source for queue in queues),
        "flavours": any(queue.largest for queue in queues),
        "LimitRange": any(asked.limits for cluster in world.clusters.values() for asked in cluster.admission.values()),
        "starts": bool(plan.assignments),
        "limit of the cycle": len(plan.assignments) == world.limit,
        "by score": any(shape.order is AlternativeOrder.BY_SCORE and len(shape.demands) > 1 for shape in shapes),
        "sweep": any(demand.least_replicas < demand.replicas for shape in shapes for demand in shape.demands),
        "gang": any(demand.least_replicas > 1 for shape in shapes for demand in shape.demands),
        "waits for an alternative": any(demand.wait_seconds for shape in shapes for demand in shape.demands),
        "several priorities": len({job.priority for job in world.jobs}) > 1,
        "several queues": len({job.queue for job in world.jobs}) > 1,
        "barred": any(job.inadmissible for job in world.jobs),
        "many ahead": len(world.jobs) > 4,
    }
    return told | {name for name, there in facts.items() if there}


def test_the_worlds_are_as_rich_as_they_should_be() -> None:
    """Or the properties above show nothing: the central cases in one of ten worlds and more, each other in one of a hundred."""
    counts = Counter(each for number in range(200) for each in seen(contest(number)))
    often = ("reservation", "reservation beside limits", "starts", "several priorities", "several queues", "gang", "sweep", "many ahead")
    reasons = (Reason.RESERVED_FOR_OTHERS, Reason.QUOTA_EXHAUSTED, Reason.MEMBER_QUEUE_FULL, Reason.INSUFFICIENT_CAPACITY, Reason.TOO_LARGE)
    set_by_member = (Reason.LIMIT_RANGE_VIOLATED, Reason.RESOURCES_NOT_NAMED, Reason.MEMBER_QUEUE_NOT_READY)
    member = ("quotas by quality of service", "cohort", "one ClusterQueue", "flavours", "LimitRange", *map(str, set_by_member))
    rare = (
        *map(str, reasons),
        *member,
        str(Reason.OFFER_COOLING_DOWN),
        "limit of the cycle",
        "by score",
        "waits for an alternative",
        "barred",
    )
    assert {name: counts[name] for name in often if counts[name] < 20} == {}
    assert {name: counts[name] for name in rare if counts[name] < 2} == {}
