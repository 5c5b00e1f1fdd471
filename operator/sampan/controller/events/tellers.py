"""From changes of what the operator knows to news. What goes wrong here is logged, and never hurts the change itself."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from sampan.api.convert.offers import DeclaredOffer
from sampan.controller.events.job_news import job_news
from sampan.controller.events.news import News, Regarding
from sampan.controller.events.offer_news import KIND, offer_news
from sampan.controller.state.record import JobRecord
from sampan.faults import log_fault

log = logging.getLogger(__name__)
Record = Callable[[News], None]


class JobTeller:
    """Tells of jobs; one that is new to this process, or gone, is no news."""

    def __init__(self, record: Record) -> None:
        """`record` takes the news."""
        self._record = record

    def changed(self, before: JobRecord | None, after: JobRecord | None) -> None:
        """Hear of two pictures of a job."""
        if before is None or after is None:
            return
        try:
            for news in job_news(before, after):
                self._record(news)
        except Exception as error:  # noqa: BLE001  a status of another version must not keep the job from being taken in
            log_fault(log, "event.lost", error, job=f"{after.namespace}/{after.name}", uid=after.uid)


class OfferTeller:
    """Tells of offers; one that is new to this process is no news."""

    def __init__(self, record: Record) -> None:
        """`record` takes the news."""
        self._record = record

    def changed(self, offer: DeclaredOffer, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> None:
        """Hear of two statuses of an offer."""
        if before is None:
            return
        try:
            for news in offer_news(Regarding(KIND, offer.key.namespace, offer.key.name, offer.uid), before, after):
                self._record(news)
        except Exception as error:  # noqa: BLE001  as above
            log_fault(log, "event.lost", error, offer=str(offer.key))
