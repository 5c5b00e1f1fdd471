"""Changes become news; what cannot be told is logged and hurts nobody."""

from dataclasses import replace
from typing import Any, cast

import pytest

from jobs import OFFER, bound_status, record
from sampan.api.convert.offers import DeclaredOffer
from sampan.controller.events.news import News
from sampan.controller.events.tellers import JobTeller, OfferTeller
from sampan.model.status.event_reasons import EventReason
from sampan.model.status.job_status import JobStatus

CONNECTED = {"conditions": [{"type": "Connected", "status": "True", "reason": "Connected"}]}


class FakeOffer:
    """As much of an offer as is named."""

    key = OFFER
    uid = "o1"


OFFERED = cast("DeclaredOffer", FakeOffer())


def test_a_job_is_told_when_it_changes_and_not_when_it_is_first_seen_or_gone() -> None:
    told: list[News] = []
    teller, job = JobTeller(told.append), record(status=JobStatus())
    bound = replace(job, status=bound_status())
    for before, after in ((None, bound), (bound, None)):
        teller.changed(before, after)
    assert told == []
    teller.changed(job, bound)
    assert [news.reason for news in told] == [EventReason.BOUND]


def test_an_offer_is_told_likewise() -> None:
    told: list[News] = []
    teller = OfferTeller(told.append)
    teller.changed(OFFERED, None, CONNECTED)
    assert told == []
    teller.changed(OFFERED, {}, CONNECTED)
    assert [(news.reason, news.regarding.name) for news in told] == [(EventReason.MEMBER_CONNECTED, OFFER.name)]


def test_what_cannot_be_told_is_logged_with_the_objects_name(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: Any) -> None:
        raise ValueError("canary")

    job = record(status=JobStatus())
    JobTeller(broken).changed(job, replace(job, status=bound_status()))
    OfferTeller(broken).changed(OFFERED, {}, CONNECTED)
    first, second = (vars(line) for line in caplog.records)
    assert (first["msg"], first["job"]) == ("event.lost", "team-a/job-u1")
    assert (second["msg"], second["offer"]) == ("event.lost", "prov-a/lingang")
    assert "canary" not in caplog.text
