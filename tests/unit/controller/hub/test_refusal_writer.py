"""A waiting tenant is told why, seldom: not for jobs that wait a moment, once in ten minutes a job, five a second in all."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from jobs import NOW, OFFER, bound_status, shown
from sampan.controller.hub import refusal_writer as module
from sampan.controller.state.pending import QUARANTINE
from sampan.controller.state.record import JobRecord
from sampan.kube.errors import NotFound
from sampan.model.lifecycle import Event, Outcome
from sampan.model.plan import Plan, StartUnknown
from sampan.model.reason import Reason
from sampan.model.reservation import Reservation
from sampan.model.status.attempt import Ending
from sampan.model.status.generation import is_refusal_outdated, with_observed_generation
from sampan.model.status.job_status import JobStatus
from sampan.model.status.reasons import MemberWord
from sampan.model.values.timestamp import to_rfc3339
from unit.controller.hub.refusal_scene import REGION, ROOM, scene

pytestmark = pytest.mark.looptime


async def test_a_job_that_just_came_is_not_bothered() -> None:
    async with scene() as sc:
        sc.add(ago=0)
        sc.hear()
        await asyncio.sleep(1.5)
        assert sc.writes == []
        await asyncio.sleep(2)
        assert sc.told() == [("u1", str(ROOM))]


async def test_why_a_job_waits_goes_with_what_befell_its_last_attempt() -> None:
    async with scene() as sc:
        attempt = {"number": 2, "offer": {"namespace": "prov-a", "name": "lingang"}, "pool": "h100", "endedAt": to_rfc3339(NOW - 60_000)}
        lost = {**attempt, "outcome": "Rejected", "reason": "OutOfcpu", "message": "node h-1 has no room"}
        sc.add(status={"phase": "Pending", "attempts": [lost]})
        sc.hear()
        await asyncio.sleep(4)
        told = next(c for c in shown(sc.state.jobs["u1"].status)["conditions"] if c["type"] == "Scheduled")
        assert told["message"].endswith("; attempt 2 in prov-a/lingang pool h100 was rejected: OutOfcpu: node h-1 has no room")


async def test_the_same_reason_is_told_once_and_a_new_one_only_after_ten_minutes() -> None:
    async with scene() as sc:
        sc.add()
        sc.hear()
        await asyncio.sleep(650)
        assert len(sc.writes) == 1
        sc.hear(REGION)
        await asyncio.sleep(5)
        sc.hear(ROOM)
        await asyncio.sleep(300)
        assert sc.told() == [("u1", str(ROOM)), ("u1", str(REGION))], "back to the first reason within ten minutes: silence"
        await asyncio.sleep(400)
        assert len(sc.writes) == 3
        assert sc.writes[2][0] - sc.writes[1][0] >= 600


async def test_other_reasons_beside_the_same_one_are_told_after_ten_minutes_and_other_numbers_never() -> None:
    async with scene() as sc:
        sc.add()
        sc.hear(counts={ROOM: 1, REGION: 2})
        await asyncio.sleep(10)
        sc.hear(counts={ROOM: 3, REGION: 1})
        await asyncio.sleep(1200)
        assert len(sc.writes) == 1
        sc.start()
        sc.hear(counts={ROOM: 3, REGION: 1})
        await asyncio.sleep(1200)
        assert len(sc.writes) == 1, "a restart reads what was told"
        sc.hear(counts={ROOM: 1, Reason.TOO_LARGE: 1})
        await asyncio.sleep(1200)
        assert sc.told() == [("u1", str(ROOM)), ("u1", str(ROOM))]
        message = next(c for c in shown(sc.state.jobs["u1"].status)["conditions"] if c["type"] == "Scheduled")["message"]
        assert "1 pool TooLarge (" in message


async def test_a_job_without_any_offer_is_told_so() -> None:
    async with scene() as sc:
        sc.add()
        sc.hear(None)
        await asyncio.sleep(3)
        assert sc.told() == [("u1", "NoOffers")]
        (condition,) = shown(sc.state.jobs["u1"].status)["conditions"]
        assert condition["message"]


async def test_a_passing_reason_is_corrected_soon_by_one_that_is_not() -> None:
    async with scene() as sc:
        sc.add()
        sc.hear(Reason.OFFER_NOT_ACCEPTING)
        await asyncio.sleep(3)
        sc.hear(Reason.TOO_LARGE)
        await asyncio.sleep(15)
        assert sc.told() == [("u1", "OfferNotAccepting"), ("u1", "TooLarge")]


async def test_a_reason_that_does_not_last_is_not_told() -> None:
    async with scene() as sc:
        sc.add()
        for reason in (Reason.OFFER_NOT_ACCEPTING, Reason.TOO_LARGE) * 5:
            sc.hear(reason)
            await asyncio.sleep(1)
        assert sc.told() == []


async def test_no_more_than_five_a_second_in_all() -> None:
    async with scene() as sc:
        for number in range(50):
            sc.add(f"u{number}")
        sc.hear()
        await asyncio.sleep(30)
        times = [moment for moment, _, _ in sc.writes]
        assert len({uid for _, uid, _ in sc.writes}) == len(times) == 50
        assert all(later - earlier >= 0.99 for earlier, later in zip(times, times[5:], strict=False))


async def test_a_restart_writes_nothing_that_is_written_already() -> None:
    async with scene() as sc:
        sc.add()
        sc.hear()
        await asyncio.sleep(5)
        sc.start()
        sc.hear()
        await asyncio.sleep(650)
        assert len(sc.writes) == 1


async def test_a_job_that_waits_again_after_an_attempt_is_told_why_though_the_reason_is_old() -> None:
    async with scene() as sc:
        sc.add()
        sc.hear()
        await asyncio.sleep(5)
        ended = bound_status().attempt_ended(Ending(outcome=Outcome.DISRUPTED, reason=MemberWord("NodeLost"), ended_at=NOW))
        freed = ended.released(Event.REQUEUED, reason=MemberWord("NodeLost"), message="", at=NOW)
        sc.add(resourceVersion="200", status=freed)
        sc.version = 300
        sc.hear()
        await asyncio.sleep(700)
        assert sc.told() == [("u1", str(ROOM))] * 2
        (condition,) = (c for c in shown(sc.state.jobs["u1"].status)["conditions"] if c["type"] == "Scheduled")
        assert condition["reason"] == str(ROOM)


async def test_a_write_that_lost_is_tried_again_and_not_at_once() -> None:
    async with scene() as sc:
        sc.fail = 1
        sc.add()
        sc.hear()
        await asyncio.sleep(5)
        assert len(sc.writes) == 1
        await asyncio.sleep(30)
        assert len(sc.writes) == 2
        assert shown(sc.state.jobs["u1"].status)["conditions"][0]["reason"] == str(ROOM)


async def test_a_job_that_was_placed_or_deleted_meanwhile_is_left_alone() -> None:
    async with scene() as sc:
        sc.add("u1", ago=0)
        sc.add("u2", ago=0)
        sc.hear()
        sc.add("u1", resourceVersion="11", status=bound_status())
        sc.state.remove_job("u2")
        await asyncio.sleep(60)
        assert sc.writes == []


async def test_a_promised_start_is_in_the_status_at_once_and_an_earlier_one_seldom() -> None:
    promise = Reservation(
        job_uid="u1", priority=0, cell=(OFFER, "h100-x8"), demand=0, nodes=(), start=NOW + 900_000, published=NOW + 900_000, made=NOW
    )
    async with scene() as sc:
        sc.add()
        sc.hear()
        await asyncio.sleep(5)
        assert sc.told() == [("u1", ROOM)]
        sc.state.reservations.apply(Plan(reservations=(promise,)))
        sc.hear()
        await asyncio.sleep(15)
        status = sc.state.jobs["u1"].status
        assert shown(status)["reservation"]["startAtLatest"] == to_rfc3339(promise.start + 999)
        assert "starts by" in str(status.message)
        sc.state.reservations.apply(Plan(reservations=(replace(promise, start=NOW + 800_000),)))
        sc.hear()
        await asyncio.sleep(500)
        assert len(sc.writes) == 2, "an earlier start is no news to write for at once"
        await asyncio.sleep(200)
        assert shown(sc.state.jobs["u1"].status)["reservation"]["startAtLatest"] == to_rfc3339(NOW + 800_999)
        sc.state.reservations.apply(Plan(unknown_starts={"u1": StartUnknown.NO_DECLARED_END}))
        sc.hear()
        await asyncio.sleep(70)
        assert sc.state.jobs["u1"].status.reservation is None
        assert "start not known" in str(sc.state.jobs["u1"].status.message)


async def test_of_very_many_each_gets_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sampan.controller.hub.refusal_writer.MAX_EXAMINED", 3)
    async with scene() as sc:
        for number in range(8):
            sc.add(f"u{number}")
        for _ in range(40):
            sc.hear()
            await asyncio.sleep(1)
        assert sorted(uid for uid, _ in sc.told()) == [f"u{number}" for number in range(8)]


async def test_an_edited_job_is_told_again_soon_though_the_reason_is_the_same_and_only_once() -> None:
    async with scene() as sc:
        sc.add()
        sc.hear()
        await asyncio.sleep(5)
        status = with_observed_generation(sc.state.jobs["u1"].status, JobStatus(), 1)
        sc.add(resourceVersion="200", generation=2, status=status)
        await asyncio.sleep(5)
        assert len(sc.writes) == 1, "what was refused is the spec before"
        sc.version = 300
        sc.hear()
        await asyncio.sleep(5)
        assert len(sc.writes) == 2
        assert not is_refusal_outdated(sc.state.jobs["u1"].status, 2)
        sc.hear()
        await asyncio.sleep(60)
        assert len(sc.writes) == 2


async def test_an_edit_whose_write_is_lost_is_not_tried_again_at_once() -> None:
    async with scene() as sc:
        status = with_observed_generation(JobStatus().refused(reason=ROOM, message="", at=NOW), JobStatus(), 1)
        sc.add(generation=2, status=status)
        sc.fail = 1
        sc.hear()
        await asyncio.sleep(5)
        assert len(sc.writes) == 1
        await asyncio.sleep(10)
        assert len(sc.writes) == 2


async def test_a_job_that_ends_while_its_refusal_is_written_stays_gone() -> None:
    async with scene() as sc:
        sc.add()
        sc.hear()
        write = sc.write_status

        async def ends_meanwhile(record: JobRecord, status: JobStatus) -> dict[str, Any]:
            reply = await write(record, status)
            sc.state.remove_job(record.uid)
            return reply

        sc.write_status = ends_meanwhile  # type: ignore[method-assign]
        await asyncio.sleep(10)
        assert sc.told() == [("u1", str(ROOM))]
        assert not sc.state.jobs


async def test_a_job_that_the_hub_does_not_have_is_forgotten() -> None:
    async with scene() as sc:
        sc.add()
        sc.hear()

        async def missing(record: JobRecord, status: JobStatus) -> dict[str, Any]:
            raise NotFound(404, "NotFound", "no such job")

        sc.write_status = missing  # type: ignore[method-assign]
        await asyncio.sleep(10)
        assert not sc.state.jobs


@pytest.mark.parametrize("broken", ["headline", "is_refusal_outdated"], ids=["in the words", "in the look"])
async def test_a_job_that_cannot_be_told_of_silences_no_other(monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    once = iter([True])

    def poisoned(*args: Any) -> Any:
        if next(once, False):
            raise ValueError("poison")
        return plain(*args)

    plain = getattr(module, broken)
    monkeypatch.setattr(module, broken, poisoned)
    async with scene() as sc:
        sc.add("u1")
        sc.add("u2")
        sc.hear()
        await asyncio.sleep(10)
        assert sc.told() == [("u2", str(ROOM))]
        await asyncio.sleep(QUARANTINE / 1000)
        assert sc.task is not None
        assert not sc.task.done()
        assert sc.told() == [("u2", str(ROOM)), ("u1", str(ROOM))]
