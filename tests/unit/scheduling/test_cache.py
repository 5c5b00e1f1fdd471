"""What is kept from cycle to cycle, and what makes it anew."""

from dataclasses import replace

from builders import H100, NOW, cluster, demand, job, nodes, offer, price, quota, requirement, running, shape, snapshot, vector
from sampan.model.members.admission import Admission, LimitItem, LimitType
from sampan.model.plan import Plan
from sampan.model.policy import Policy
from sampan.model.reason import Reason
from sampan.model.snapshot import Snapshot
from sampan.model.values.quantity import MICRO
from sampan.scheduling.cache import Memo, reasons_in
from sampan.scheduling.capacity.limit_matrix import MAX_IDLE_DRAWS
from sampan.scheduling.cycle import schedule

MEMBER = cluster(*nodes("h", 1, H100))


def fresh(world: Snapshot) -> Plan:
    return schedule(world, Memo())[0]


def test_a_memo_that_was_used_up_is_worth_an_empty_one() -> None:
    world = snapshot([job()], [offer()], [MEMBER])
    _, memo = schedule(world, Memo())
    closed = replace(world, offers={offer().key: offer(accepting=False)})
    assert schedule(closed, memo)[0] == fresh(closed)
    assert schedule(world, memo)[0] == fresh(world)


def test_whatever_was_read_is_seen_to_change() -> None:
    world = snapshot([job()], [offer()], [MEMBER])
    key = offer().key
    for changed in (
        replace(world, offers={key: offer(accepting=False)}),
        replace(world, policies={"balanced": Policy(name="balanced", cost=100)}),
        replace(world, currency="EUR"),
        replace(world, classes={}),
        replace(world, cells=()),
        replace(world, offers={}),
    ):
        _, memo = schedule(world, Memo())
        assert schedule(changed, memo)[0] == fresh(changed)


def test_a_price_that_begins_later_is_seen_when_it_begins() -> None:
    rising = offer(prices=[price(amount=5 * MICRO, id_="a"), price(amount=20 * MICRO, since=NOW + 10, id_="b")])
    world = snapshot([job()], [rising], [MEMBER])
    for later in (NOW + 9, NOW + 10):
        _, memo = schedule(world, Memo())
        assert schedule(replace(world, now=later), memo)[0] == fresh(replace(world, now=later))
    scores = [fresh(replace(world, now=now)).assignments[0].verdicts[0].score for now in (NOW + 9, NOW + 10)]
    assert scores[0] != scores[1]


def test_an_offer_that_expires_is_seen_when_it_does() -> None:
    world = snapshot([job()], [offer(valid_until=NOW + 10)], [MEMBER])
    _, memo = schedule(world, Memo())
    assert schedule(replace(world, now=NOW + 10), memo)[0].refusals[0].dominant is Reason.OFFER_NOT_VALID


def test_masks_hold_reasons_worst_first() -> None:
    reasons = (Reason.OFFER_NOT_VALID, Reason.TOO_LARGE)
    assert reasons_in(sum(1 << reason.severity for reason in reasons)) == reasons


def test_cells_that_depart_leave_nothing_behind() -> None:
    """84 members of which each is there for one cycle, with a quota and pods of a kind of their own: what is kept of them stays few."""
    memo, wanted = Memo(), shape(demand(requirement(), replicas=2))
    for at in range(MAX_IDLE_DRAWS + 20):
        uid = f"c{at}"
        held = replace(running("r", f"{uid}-0", ends=NOW + 60_000), offer=offer(f"o{at}").key)
        kind = Admission(limits=(LimitItem(range="r", type=LimitType.CONTAINER, default=(("cpu", 1_000_000 + at),)),))
        member = replace(
            cluster(*nodes(uid, 2, H100), uid=uid),
            used={f"{uid}-0": vector(gpu=8)},
            running={"r": held},
            quotas={"sampan-jobs": (quota({"nvidia.com/gpu": 8}),)},
            admission={"sampan-jobs": kind},
        )
        world = snapshot([job("big", wanted)], [offer(f"o{at}", cluster_uid=uid)], [member])
        plan, memo = schedule(world, memo)
        assert plan == fresh(world)
        assert plan.reservations
        kept = memo.cache
        assert len(kept.backfill.nodes) <= 1
        assert len(kept.backfill.limits) <= 1
        assert len(kept.backfill.first_ends) <= 1
        assert len(kept.limits.matrix) <= 5 + MAX_IDLE_DRAWS
