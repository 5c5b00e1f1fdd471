"""A job that no pool would take is told so at once, and not before that is sure."""

import asyncio
from dataclasses import replace

import pytest

from jobs import shown
from sampan.controller.hub.refusal_writer import never_fits
from sampan.model.plan import Refusal
from sampan.model.reason import REASONS, Reason
from unit.controller.hub.refusal_scene import REGION, ROOM, Scene, scene

pytestmark = pytest.mark.looptime


def told(sc: Scene) -> str:
    """The condition NeverFits of the job, as the hub has it; empty where it was never stated."""
    found = (c for c in shown(sc.state.jobs["u1"].status)["conditions"] if c["type"] == "NeverFits")
    return next((c["status"] for c in found), "")


async def test_it_is_told_with_the_first_word_and_soon_after_another_and_taken_back_as_any_reason_is() -> None:
    async with scene() as sc:
        sc.add()
        heard: list[str] = []
        sc.writer.on_never_fits.append(heard.append)
        sc.hear(Reason.TOO_LARGE)
        await asyncio.sleep(5)
        assert heard == ["u1"], "who ends jobs is asked to look at it"
        assert (sc.told(), told(sc)) == ([("u1", "TooLarge")], "True")
        sc.hear(counts={Reason.TOO_LARGE: 1, ROOM: 1})
        await asyncio.sleep(600)
        assert (sc.told()[1:], told(sc)) == ([("u1", str(ROOM))], "False")
        sc.hear(Reason.TOO_LARGE)
        await asyncio.sleep(15)
        assert (len(sc.writes), told(sc)) == (3, "True")
        await asyncio.sleep(1200)
        assert len(sc.writes) == 3, "and no more is written while it stays so"


async def test_a_job_with_an_alternative_that_is_not_ripe_yet_may_fit() -> None:
    async with scene() as sc:
        accelerators = [{"accelerator": {"vendor": vendor, "count": 1}} for vendor in ("nvidia", "amd")]
        sc.add(ago=0, spec={"template": {"image": "i"}, "alternatives": [accelerators[0], {**accelerators[1], "waitSeconds": 60}]})
        sc.hear(REGION)
        await asyncio.sleep(30)
        assert (sc.told(), told(sc)) == ([("u1", str(REGION))], "")
        await asyncio.sleep(40)
        assert told(sc) == "True", "it ripened, and nothing else changed"


async def test_only_what_neither_waiting_nor_an_offers_owner_lifts_is_never() -> None:
    async with scene() as sc:
        sc.add()
        job = sc.state.snapshot(sc.clock()).jobs[0]
        for reason in REASONS:
            refusal = Refusal(job=job, counts={reason: 1})
            assert never_fits(job, refusal, sc.clock()) == reason.never
            assert not never_fits(job, replace(refusal, counts={reason: 1, ROOM: 1}), sc.clock())
            assert not (reason.never and reason.passing)
        assert not never_fits(job, Refusal(job=job, counts={}), sc.clock()), "there are no offers: one may come"
        assert Reason.TOO_LARGE.never
        assert not Reason.OFFER_NOT_APPROVED.never
