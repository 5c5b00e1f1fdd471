"""Tells a waiting job's tenant why it waits and by when it starts: one condition and one reservation, seldom enough to cost nothing.

At most one write in ten minutes a job unless the reason changed for good, and five a second in all. Nothing is written anew because
only numbers changed. Nothing is told before the members of the offers were met for the first time: until then a job waits for them.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator, Set
from itertools import islice

from sampan.controller.hub.client import HubClient
from sampan.controller.hub.refusal_facts import facts_in, facts_of
from sampan.controller.state.record import JobRecord
from sampan.controller.state.reservations import place_changed
from sampan.controller.state.store import State
from sampan.kube.errors import KubeError
from sampan.kube.text import clean_text
from sampan.model.job import Job
from sampan.model.plan import Refusal
from sampan.model.reason import Reason
from sampan.model.status.condition import HOLDS_NOT
from sampan.model.status.generation import is_refusal_outdated
from sampan.model.status.reasons import JobConditionType, JobReason
from sampan.model.status.remote import ReservedPlace
from sampan.model.values.timestamp import to_rfc3339
from sampan.scheduling.answers.start_wording import start_words
from sampan.scheduling.answers.wording import headline

log = logging.getLogger(__name__)

MIN_WAIT = 2_000
"""Milliseconds a job must have waited before it is told why."""
CORRECTION_INTERVAL = 10_000
"""The same where a reason that passes by itself gave way to one that does not: the tenant would wait in vain."""
WRITE_INTERVAL = 600_000
"""Least milliseconds between two such writes for one job."""
MOVED_INTERVAL = 60_000
"""The same where a reservation moved, or was lost."""
RETRY_AFTER = 10_000
"""Milliseconds before a write that failed is tried again."""
_REASONS = frozenset({JobReason.NO_OFFERS, *map(str, Reason)})

START_PATIENCE = 30.0
"""Seconds after the start in which nothing is told while members are still being met: one that does not answer must not silence all."""
START_LOOK = 0.1
"""Seconds between two looks whether they are."""
IDLE = 1.0
"""Seconds between two looks where nothing is due."""
MAX_EXAMINED = 500
"""Jobs of one cycle that are looked at: with very many waiting, the cycle must not pay for all of them."""
WRITES_PER_SECOND = 5
"""Such writes a second in all."""


class RefusalWriter:
    """Keeps the newest refusal of each waiting job and writes the due ones."""

    def __init__(self, state: State, hub: HubClient, clock: Callable[[], int], *, members_met: Callable[[], bool]) -> None:
        """`clock` gives milliseconds since the epoch; `members_met` tells whether no offer waits for its member's first word."""
        self._state, self._hub, self._clock, self._members_met = state, hub, clock, members_met
        self._started = False
        self._newest: dict[str, tuple[Job, Refusal]] = {}
        """Each job as the scheduler saw it."""
        self._cursor = 0
        self._written: dict[str, int] = {}
        self._facts: dict[str, Set[str]] = {}
        """The reasons, and the names that nobody knows, that each job's message tells."""
        self._not_before: dict[str, int] = {}
        self._reason_since: dict[str, tuple[str, int]] = {}

    def report(self, refusals: tuple[Refusal, ...]) -> None:
        """Take in the refusals of one cycle; jobs no longer refused drop out. Of very many, some are looked at each time."""
        if not self._started and not self._members_met():
            return  # that there are no offers is true of every job now, and of none in a moment
        now, start = self._clock(), self._cursor
        self._newest = dict(self._examined(refusals))
        since = {uid: self._stable_since(uid, _reason_of(refusal), now) for uid, (_, refusal) in self._newest.items()}
        self._reason_since = self._reason_since | since if start or self._cursor else since
        if self._cursor == 0:  # every job had its turn
            self._reason_since = {uid: word for uid, word in self._reason_since.items() if uid in self._state.jobs}
            self._written = {uid: told for uid, told in self._written.items() if uid in self._state.jobs}
            self._facts = {uid: named for uid, named in self._facts.items() if uid in self._state.jobs}
            self._not_before = {uid: at for uid, at in self._not_before.items() if uid in self._state.jobs}

    def _examined(self, refusals: tuple[Refusal, ...]) -> Iterator[tuple[str, tuple[Job, Refusal]]]:
        """Yield those who hold a reservation, and the next jobs in turn."""
        for refusal in refusals:
            if self._state.reservations.status_view(refusal.job.uid) is not None:
                yield refusal.job.uid, (refusal.job, refusal)
        pairs = ((job.uid, (job, refusal)) for refusal in refusals for job in refusal.jobs)
        everyone = sum(map(len, refusals))
        start = self._cursor if self._cursor < everyone else 0
        self._cursor = start + MAX_EXAMINED if start + MAX_EXAMINED < everyone else 0
        yield from islice(pairs, start, start + MAX_EXAMINED)

    def _stable_since(self, uid: str, word: str, now: int) -> tuple[str, int]:
        """Return the dominant reason and since when it has been that: one that passes at once is not told."""
        known = self._reason_since.get(uid)
        return known if known is not None and known[0] == word else (word, now)

    async def run(self) -> None:
        """Write what is due until cancelled."""
        await self._start()
        while True:
            uid = next((uid for uid in self._newest if self._due(uid)), None)
            if uid is not None:
                await self._write(uid, self._newest[uid][1])
            await asyncio.sleep(1 / WRITES_PER_SECOND if uid is not None else IDLE)

    async def _start(self) -> None:
        """Return once the members of all offers were met, or did not answer in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(START_PATIENCE):
                while not self._members_met():  # noqa: ASYNC110  asked, not told: several parts know a bit of it each
                    await asyncio.sleep(START_LOOK)
        self._started = True

    def _due(self, uid: str) -> bool:
        now, record, (word, stable_since) = self._clock(), self._state.jobs.get(uid), self._reason_since[uid]
        if record is None or not record.waits or now - record.created < MIN_WAIT or now - stable_since < MIN_WAIT:
            return False
        if now < self._not_before.get(uid, 0):
            return False
        if is_refusal_outdated(record.status, record.generation):
            return self._newest[uid][0].resource_version == record.resource_version  # edited, and looked at again
        since, told, message = _written_refusal(record)
        since = self._written.get(uid, since)
        view, shown = self._state.reservations.status_view(uid), record.status.reservation
        if told == word and shown == view and facts_of(self._newest[uid][1]) == self._facts_in(uid, message):
            return False
        soon = (view is not None and shown is None) or (_is_transient(told) and not _is_transient(word))
        return now - since >= (CORRECTION_INTERVAL if soon else MOVED_INTERVAL if place_changed(shown, view) else WRITE_INTERVAL)

    def _facts_in(self, uid: str, message: str) -> Set[str]:
        """Return what a job was told of; how many pools gave each reason, and how much room there is, may be out of date."""
        if uid not in self._facts:
            self._facts[uid] = facts_in(message)
        return self._facts[uid]

    async def _write(self, uid: str, refusal: Refusal) -> None:
        record, reservations = self._state.jobs[uid], self._state.reservations
        self._written[uid], self._facts[uid] = self._clock(), facts_of(refusal)
        place = reservations.status_view(uid)
        start = start_words(at_latest=_shown(place), unknown=self._state.table[uid].start_unknown)
        message = clean_text(headline(refusal) + start + record.setback(), 1000)
        status = record.status.reserved(place).refused(reason=_reason_of(refusal), message=message, at=self._clock())
        try:
            self._state.apply_job(await self._hub.write_status(record, status))
        except KubeError as error:
            self._written[uid] = self._clock() - WRITE_INTERVAL
            self._facts.pop(uid, None)
            self._not_before[uid] = self._clock() + RETRY_AFTER
            log.warning("refusal.write_failed", extra={"uid": uid, "reason": error.reason})


def _shown(place: ReservedPlace | None) -> str | None:
    return None if place is None or place.start_at_latest is None else to_rfc3339(place.start_at_latest)


def _reason_of(refusal: Refusal) -> str:
    return str(refusal.dominant or JobReason.NO_OFFERS)


def _is_transient(word: str) -> bool:
    """Tell whether a reason may be over soon without the tenant: it is about the offers, or about room."""
    if word == JobReason.NO_OFFERS:
        return True
    return word in _REASONS and (
        Reason(word).passing or Reason.POLICY_NOT_FOUND.severity < Reason(word).severity < Reason.TERMS_EXCLUDED.severity
    )


def _written_refusal(record: JobRecord) -> tuple[int, str, str]:
    """Return when, which reason and what the object itself says, so that a restart writes nothing anew; empty where it says nothing."""
    told = record.status.condition(JobConditionType.SCHEDULED)
    if told is None or told.status != HOLDS_NOT or told.reason not in _REASONS:
        return 0, "", ""  # what ended an earlier attempt is no word about waiting
    return told.since or 0, told.reason, told.message
