"""What is kept from cycle to cycle, and what makes it anew."""

from dataclasses import replace

from builders import H100, NOW, cluster, job, nodes, offer, price, snapshot
from sampan.model.backlog import Backlog
from sampan.model.policy import Policy
from sampan.model.quantity import MICRO
from sampan.model.reason import Reason
from sampan.model.snapshot import Snapshot
from sampan.scheduling.verdicts import Entry, Memo, verdict_rows

MEMBER = cluster(*nodes("h", 1, H100))


def entry(world: Snapshot, memo: Memo) -> Entry:
    (row,) = verdict_rows(world, world.cells, memo).values()
    (only,) = row.values()
    return only


def memo_of(world: Snapshot) -> Memo:
    return Memo(currency=world.currency, classes=world.classes, rows=verdict_rows(world, world.cells, Memo()))


def test_equal_worlds_keep_their_verdicts() -> None:
    world = snapshot([job()], [offer()], [MEMBER])
    again = snapshot([job("other")], [offer()], [MEMBER], now=NOW + 1)
    memo = memo_of(world)
    assert entry(again, memo) is entry(world, memo)


def test_what_was_read_makes_it_anew() -> None:
    world = snapshot([job()], [offer()], [MEMBER])
    memo = memo_of(world)
    kept = entry(world, memo)
    key = offer().key
    changes = [
        replace(world, offers={key: offer(accepting=False)}),
        replace(world, policies={"balanced": Policy(name="balanced", cost=100, packing=0, domestic=0)}),
        replace(world, currency="EUR"),
        replace(world, classes={}),
    ]
    assert all(entry(changed, memo) is not kept for changed in changes)
    assert entry(changes[0], memo).by_demand[0].reasons == (Reason.OFFER_NOT_ACCEPTING,)


def test_a_price_that_begins_later_is_seen_when_it_begins() -> None:
    rising = offer(prices=[price(amount=5 * MICRO, id_="a"), price(amount=20 * MICRO, since=NOW + 10, id_="b")])
    world = snapshot([job()], [rising], [MEMBER])
    memo = memo_of(world)
    assert entry(replace(world, now=NOW + 9), memo) is entry(world, memo)
    later = entry(replace(world, now=NOW + 10), memo)
    assert later.by_demand[0].score < entry(world, memo).by_demand[0].score


def test_an_offer_that_expires_is_seen_when_it_does() -> None:
    world = snapshot([job()], [offer(valid_until=NOW + 10)], [MEMBER])
    assert entry(replace(world, now=NOW + 10), memo_of(world)).by_demand[0].reasons == (Reason.OFFER_NOT_VALID,)


def test_shapes_that_left_are_forgotten() -> None:
    world = snapshot([job()], [offer()], [MEMBER])
    assert not verdict_rows(replace(world, backlog=Backlog()), world.cells, memo_of(world))
