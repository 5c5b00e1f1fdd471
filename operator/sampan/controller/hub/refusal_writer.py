"""Tells a waiting job's tenant why it waits and by when it starts: one condition and one reservation, seldom enough to cost nothing.

At most one write in ten minutes a job unless the reason changed for good, and five a second in all. Nothing is written anew because
only numbers changed. Nothing is told before the members of the offers were met for the first time: until then a job waits for them.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from itertools import islice

from sampan.controller.hub.client import HubClient
from sampan.controller.hub.missing_jobs import forgotten_if_missing
from sampan.controller.hub.refusal_facts import facts_in, facts_of
from sampan.controller.state.pending import QUARANTINE
from sampan.controller.state.record import JobRecord
from sampan.controller.state.reservations import place_changed
from sampan.controller.state.store import State
from sampan.faults import log_fault
from sampan.kube.errors import KubeError, NotFound
from sampan.kube.text import clean_text
from sampan.model.job import Job
from sampan.model.plan import Refusal
from sampan.model.reason import Reason
from sampan.model.status.condition import IS_FALSE
from sampan.model.status.generation import is_refusal_outdated
from sampan.model.status.reasons import JobConditionType, JobReason
from sampan.model.status.remote import ReservedPlace
from sampan.model.values.timestamp import to_rfc3339
from sampan.scheduling.answers.start_wording import start_words
from sampan.scheduling.answers.wording import headline
from sampan.scheduling.queueing.order import next_eligible_at

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


@dataclass(slots=True)
class _ReportState:
    """What is kept of one job from one cycle to the next."""

    reason: str = ""
    """Its dominant one, as of the last cycle that looked at it; empty where that did not refuse it."""
    since: int = 0
    """Since when it has been that: one that passes at once is not told."""
    written_at: int | None = None
    """When this process last wrote it."""
    facts: Set[str] | None = None
    """The reasons, and the names that nobody knows, that the job's message tells; None: not looked at yet."""
    not_before: int = 0
    """Of the next write, after one that failed."""

    def found(self, reason: str, now: int) -> None:
        """Hear of the dominant reason in a cycle."""
        if reason != self.reason:
            self.reason, self.since = reason, now

    def facts_shown(self, message: str) -> Set[str]:
        """Return what the job's message tells, which a restart finds there."""
        if self.facts is None:
            self.facts = facts_in(message)
        return self.facts


class RefusalWriter:
    """Keeps the newest refusal of each waiting job and writes the due ones."""

    def __init__(self, state: State, hub: HubClient, clock: Callable[[], int], *, members_met: Callable[[], bool]) -> None:
        """`clock` gives milliseconds since the epoch; `members_met` tells whether no offer waits for its member's first word."""
        self._state, self._hub, self._clock, self._members_met = state, hub, clock, members_met
        self.on_never_fits: list[Callable[[str], None]] = []
        """Called with the UID of a job that was told that it waits in vain: it may want to fail."""
        self._started = False
        self._newest: dict[str, tuple[Job, Refusal]] = {}
        """Each job as the scheduler saw it."""
        self._cursor = 0
        self._states: dict[str, _ReportState] = {}

    def report(self, refusals: tuple[Refusal, ...]) -> None:
        """Take in the refusals of one cycle; jobs no longer refused drop out. Of very many, some are looked at each time."""
        if not self._started and not self._members_met():
            return  # that there are no offers is true of every job now, and of none in a moment
        now, start = self._clock(), self._cursor
        self._newest = dict(self._examined(refusals))
        if self._cursor == 0:  # every job had its turn
            self._states = {uid: state for uid, state in self._states.items() if uid in self._state.jobs}
        if start == self._cursor == 0:  # in this very cycle
            for uid in self._states.keys() - self._newest.keys():
                self._states[uid].reason = ""
        for uid, (_, refusal) in self._newest.items():
            self._states.setdefault(uid, _ReportState()).found(_reason_of(refusal), now)

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

    async def run(self) -> None:
        """Write what is due until cancelled."""
        await self._start()
        while True:
            uid = next((uid for uid in self._newest if self._looked_at(uid)), None)
            if uid is not None:
                with self._quarantined(uid):
                    await self._write(uid, self._newest[uid][1])
            await asyncio.sleep(1 / WRITES_PER_SECOND if uid is not None else IDLE)

    async def _start(self) -> None:
        """Return once the members of all offers were met, or did not answer in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(START_PATIENCE):
                while not self._members_met():  # noqa: ASYNC110  asked, not told: several parts know a bit of it each
                    await asyncio.sleep(START_LOOK)
        self._started = True

    @contextlib.contextmanager
    def _quarantined(self, uid: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001  one job that cannot be told of must not silence the others
            log_fault(log, "refusal.quarantined", error, uid=uid)
            latest = self._states.setdefault(uid, _ReportState())
            latest.written_at, latest.facts, latest.not_before = None, None, self._clock() + QUARANTINE

    def _looked_at(self, uid: str) -> bool:
        """Tell whether it is to be told of a job now; of one that raised an error, not for a while."""
        with self._quarantined(uid):
            return self._clock() >= self._states[uid].not_before and self._due(uid)
        return False

    def _due(self, uid: str) -> bool:
        now, record, latest = self._clock(), self._state.jobs.get(uid), self._states[uid]
        if record is None or not record.waits or now - record.created < MIN_WAIT or now - latest.since < MIN_WAIT:
            return False
        if is_refusal_outdated(record.status, record.generation):
            return self._newest[uid][0].resource_version == record.resource_version  # edited, and looked at again
        never, told = never_fits(*self._newest[uid], now), record.status.condition(JobConditionType.NEVER_FITS)
        changed = never != (told is not None and told.is_true)
        since, shown_reason, message = _written_refusal(record)
        since = since if latest.written_at is None else latest.written_at
        view, shown = self._state.reservations.status_view(uid), record.status.reservation
        same = shown_reason == latest.reason and shown == view and not changed
        if same and facts_of(self._newest[uid][1]) == latest.facts_shown(message):
            return False  # how many pools gave each reason, and how much room there is, may be out of date
        soon = (
            (changed and never)
            or (view is not None and shown is None)
            or (_is_transient(shown_reason) and not _is_transient(latest.reason))
        )
        return now - since >= (CORRECTION_INTERVAL if soon else MOVED_INTERVAL if place_changed(shown, view) else WRITE_INTERVAL)

    async def _write(self, uid: str, refusal: Refusal) -> None:
        record, reservations = self._state.jobs[uid], self._state.reservations
        latest = self._states[uid]
        latest.written_at, latest.facts = self._clock(), facts_of(refusal)
        place = reservations.status_view(uid)
        start = start_words(at_latest=_shown(place), unknown=self._state.table[uid].start_unknown)
        message = clean_text(headline(refusal) + start + record.setback(), 1000)
        never = never_fits(self._newest[uid][0], refusal, self._clock()) if uid in self._newest else False
        status = record.status.reserved(place).refused(reason=_reason_of(refusal), message=message, at=self._clock(), never=never)
        try:
            with forgotten_if_missing(self._state, uid):
                self._state.take_reply(await self._hub.write_status(record, status))
                for listener in self.on_never_fits if never else ():
                    listener(uid)
        except NotFound:
            return  # gone before the watch says so, and forgotten
        except KubeError as error:
            latest.written_at, latest.facts = self._clock() - WRITE_INTERVAL, None
            latest.not_before = self._clock() + RETRY_AFTER
            log.warning("refusal.write_failed", extra={"uid": uid, "reason": error.reason})


def never_fits(job: Job, refusal: Refusal, now: int) -> bool:
    """Tell whether a job waits in vain: no pool lacks only room or its provider's care, and no further alternative ripens."""
    return bool(refusal.counts) and all(reason.never for reason in refusal.counts) and next_eligible_at(job, now) is None


def _shown(place: ReservedPlace | None) -> str | None:
    return None if place is None or place.start_at_latest is None else to_rfc3339(place.start_at_latest)


def _reason_of(refusal: Refusal) -> Reason | JobReason:
    return refusal.dominant or JobReason.NO_OFFERS


def _is_transient(word: str) -> bool:
    """Tell whether a reason may be over soon without the tenant: it is about the offers, or about room."""
    if word == JobReason.NO_OFFERS:
        return True
    return word in _REASONS and (
        Reason(word).passing or Reason.POLICY_NOT_FOUND.severity < Reason(word).severity < Reason.TERMS_EXCLUDED.severity
    )


def _written_refusal(record: JobRecord) -> tuple[int, str, str]:
    """Return when, which reason and what the object itself says, so that a restart writes nothing anew; empty where it says nothing."""
    shown = record.status.condition(JobConditionType.SCHEDULED)
    if shown is None or shown.status != IS_FALSE or shown.reason not in _REASONS:
        return 0, "", ""  # what ended an earlier attempt is no word about waiting
    return shown.since or 0, shown.reason, shown.message
