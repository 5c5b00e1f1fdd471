"""What waiting tenants are told after a start: nothing before there are offers to judge by, and not for long nothing."""

import asyncio

import pytest

from unit.controller.hub.refusal_scene import ROOM, scene

pytestmark = pytest.mark.looptime


async def test_after_a_start_nothing_is_told_before_the_members_of_the_offers_were_met() -> None:
    """Until then there are no offers for any job, and its tenant would read so for ten minutes."""
    async with scene() as sc:
        sc.add()
        sc.members_met = False
        sc.start()
        for _ in range(10):
            sc.hear(None)
            await asyncio.sleep(1)
        assert sc.writes == []
        sc.members_met = True
        await asyncio.sleep(3)
        assert sc.writes == [], "what was refused without offers is told nobody"
        sc.hear(ROOM)
        await asyncio.sleep(5)
        assert sc.told() == [("u1", str(ROOM))]
        sc.members_met = False
        sc.add("u2")
        sc.hear(None, "u2")
        await asyncio.sleep(5)
        assert sc.told()[1:] == [("u2", "NoOffers")], "an offer that comes later silences nothing"


async def test_a_member_that_does_not_answer_silences_nobody_for_long() -> None:
    async with scene() as sc:
        sc.add()
        sc.members_met = False
        sc.start()
        for _ in range(40):
            sc.hear(None)
            await asyncio.sleep(1)
        assert sc.told() == [("u1", "NoOffers")]
