"""Tells a waiting job's tenant why it waits: one condition with the dominant reason, seldom enough to cost nothing.

At most one write in ten minutes a job unless the reason changed for good, and five a second in all.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from sampan.api import status as job_status
from sampan.controller.hub import Hub
from sampan.controller.jobs import JobRecord
from sampan.controller.state import State
from sampan.kube.errors import KubeError
from sampan.model.plan import Refusal
from sampan.model.reason import Reason
from sampan.scheduling.explain import headline

log = logging.getLogger(__name__)

PATIENCE = 2_000
"""Milliseconds a job must have waited before it is told why."""
CORRECTION = 10_000
"""The same where a reason that passes by itself gave way to one that does not: the tenant would wait in vain."""
SELDOM = 600_000
"""Least milliseconds between two such writes for one job."""
AGAIN = 10_000
"""Milliseconds before a write that failed is tried again."""
NO_OFFERS = "NoOffers"
_REASONS = frozenset({NO_OFFERS, *map(str, Reason)})

IDLE = 1.0
"""Seconds between two looks where nothing is due."""
RATE = 5
"""Such writes a second in all."""


class RefusalWriter:
    """Keeps the newest refusal of each waiting job and writes the due ones."""

    def __init__(self, state: State, hub: Hub, clock: Callable[[], int]) -> None:
        """`clock` gives milliseconds since the epoch."""
        self._state, self._hub, self._clock = state, hub, clock
        self._newest: dict[str, Refusal] = {}
        self._written: dict[str, int] = {}
        self._since: dict[str, tuple[str, int]] = {}

    def hear(self, refusals: tuple[Refusal, ...]) -> None:
        """Take in the refusals of one cycle; jobs no longer refused drop out."""
        self._newest = {job.uid: replace(refusal, job=job, rest=()) for refusal in refusals for job in refusal.jobs}
        now = self._clock()
        self._since = {uid: self._stable(uid, _word(refusal), now) for uid, refusal in self._newest.items()}
        self._written = {uid: told for uid, told in self._written.items() if uid in self._state.jobs}

    def _stable(self, uid: str, word: str, now: int) -> tuple[str, int]:
        """Return the dominant reason and since when it has been that: one that passes at once is not told."""
        known = self._since.get(uid)
        return known if known is not None and known[0] == word else (word, now)

    async def run(self) -> None:
        """Write what is due until cancelled."""
        while True:
            refusal = next((r for r in self._newest.values() if self._due(r)), None)
            if refusal is not None:
                await self._tell(refusal)
            await asyncio.sleep(1 / RATE if refusal is not None else IDLE)

    def _due(self, refusal: Refusal) -> bool:
        uid, now = refusal.job.uid, self._clock()
        record, (word, stable_since) = self._state.jobs.get(uid), self._since[uid]
        if record is None or not record.waits or now - refusal.job.created < PATIENCE or now - stable_since < PATIENCE:
            return False
        since, told = _told(record)
        since = self._written.get(uid, since)
        seldom = CORRECTION if _passes(told) and not _passes(word) else SELDOM
        return told != word and now - since >= seldom

    async def _tell(self, refusal: Refusal) -> None:
        uid = refusal.job.uid
        record = self._state.jobs[uid]
        reason = _word(refusal)
        self._written[uid] = self._clock()
        status = job_status.refused(record.status, reason=reason, message=headline(refusal), at=self._clock())
        try:
            self._state.apply_job(await self._hub.write_status(record, status))
        except KubeError as error:
            self._written[uid] = self._clock() - SELDOM + AGAIN
            log.warning("refusal.unwritten", extra={"uid": uid, "reason": error.reason})


def _word(refusal: Refusal) -> str:
    return str(refusal.dominant or NO_OFFERS)


def _passes(word: str) -> bool:
    """Tell whether a reason may be over soon without the tenant: it is about the offers, or about room."""
    if word == NO_OFFERS:
        return True
    return word in _REASONS and (
        Reason(word).passing or Reason.POLICY_NOT_FOUND.severity < Reason(word).severity < Reason.TERMS_EXCLUDED.severity
    )


def _told(record: JobRecord) -> tuple[int, str]:
    """Return when and what the object itself says, so that a restart writes nothing anew; (0, "") where it says nothing of waiting."""
    told = next((c for c in record.status.get("conditions") or () if c["type"] == "Scheduled" and c["status"] == "False"), None)
    if told is None or told["reason"] not in _REASONS:
        return 0, ""  # what ended an earlier attempt is no word about waiting
    return job_status.from_rfc3339(told["lastTransitionTime"]) or 0, str(told["reason"])
