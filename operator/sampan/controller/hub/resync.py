"""Takes in every kind but jobs at the start and finds, every few minutes, what a watch missed. Reads only."""

import asyncio
import logging
from collections.abc import Collection, Mapping
from typing import Any

from sampan.controller.hub.client import JOBS, KINDS, KOPF_KINDS, Handover, HubClient
from sampan.faults import log_fault
from sampan.kube.errors import KubeError

log = logging.getLogger(__name__)

SETTLE = 3.0
"""Seconds between a list by Kopf and our look for what it could not tell: deletions in the gap."""


MAX_ENDED = 50_000
"""Deleted UIDs that are remembered, so that a list which began before brings nothing back."""


class KnownUids:
    """UIDs of the objects of each kind that the operator holds, and of those that ended lately."""

    def __init__(self) -> None:
        """Start empty."""
        self.uids: dict[str, set[str]] = {plural: set() for plural in KINDS}
        self._ended: dict[str, None] = {}

    def observe(self, plural: str, event: str | None, body: Mapping[str, Any]) -> bool:
        """Take in one event. Returns False for an object that is known to be deleted: a UID never comes back."""
        uid = body["metadata"]["uid"]
        if event == "DELETED":
            self.uids[plural].discard(uid)
            self._ended[uid] = None
            while len(self._ended) > MAX_ENDED:
                del self._ended[next(iter(self._ended))]
        elif uid in self._ended:
            return False
        else:
            self.uids[plural].add(uid)
        return True


class Resync:
    """Compares what is known with what is there: counts first, names only where the count differs or Kopf listed anew."""

    def __init__(self, hub: HubClient, known_uids: KnownUids, handover: Handover, *, interval: float, jobs: Collection[str] = ()) -> None:
        """`interval` in seconds; `handover` as for the watches; `jobs`: a live view of the UIDs of those that are worked on."""
        self._jobs = jobs
        self._hub, self._known_uids, self._handover, self._interval = hub, known_uids, handover, interval
        self._listed: set[str] = set()
        self._wake = asyncio.Event()
        self.gaps = 0

    def on_relist(self, plural: str) -> None:
        """Kopf listed a kind again: deletions since its last list are unknown to it."""
        self._listed.add(plural)
        self._wake.set()

    async def load(self) -> None:
        """Hand over every object of every kind but jobs, which `load_jobs` takes in; raises `KubeError`s."""
        for plural in KOPF_KINDS:
            for body in await self._hub.list_objects(plural):
                self._handover(plural, None, body)

    async def run(self) -> None:
        """Look for gaps until cancelled."""
        while True:
            await self._pause()
            listed, self._listed = self._listed, set()
            for plural in KINDS:
                try:
                    await self._check(plural, listed_anew=plural in listed)
                except KubeError as error:
                    log.warning("resync.failed", extra={"kind": plural, "reason": error.reason})
                    self._listed |= listed & {plural}
                except Exception as error:  # noqa: BLE001  an answer that nobody foresaw must not end the operator
                    log_fault(log, "resync.failed", error, kind=plural)
                    self._listed |= listed & {plural}

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._interval):
                await self._wake.wait()
        except TimeoutError:
            return
        self._wake.clear()
        await asyncio.sleep(SETTLE)

    async def _check(self, plural: str, *, listed_anew: bool) -> None:
        if not listed_anew and await self._hub.count(plural) == len(self._held(plural)):
            return
        before = self._held(plural)
        there = {item.metadata.uid for item in await self._hub.list_metadata(plural)}
        for uid in before - there:
            self.gaps += 1
            log.warning("resync.missed_deletion", extra={"kind": plural, "uid": uid})
            self._handover(plural, "DELETED", {"metadata": {"uid": uid}})
        if there - self._held(plural):
            for body in await self._hub.list_objects(plural):
                self._handover(plural, "MODIFIED", body)

    def _held(self, plural: str) -> frozenset[str]:
        """Return what is known of a kind: of jobs also those that are worked on though no watch told of them, or told of their end."""
        return frozenset(self._known_uids.uids[plural]).union(self._jobs if plural == JOBS else ())
