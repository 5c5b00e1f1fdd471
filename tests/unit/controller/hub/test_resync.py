"""What a watch missed is found: by the count, or after Kopf listed anew; and nothing is listed where nothing is missing."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from jobs import body
from sampan.controller.hub import resync as module
from sampan.controller.hub.client import KINDS, HubClient
from sampan.controller.hub.job_watch import JobSink, load_jobs
from sampan.controller.hub.resync import KnownUids, Resync
from sampan.kube.transport.client import Client
from unit.controller.fake_cluster import FakeCluster, cluster
from unit.controller.fakes import JOBS, until
from unit.kube.fake_api import replying


class Scene:
    """A hub, and what the operator holds of it."""

    def __init__(self, api: FakeCluster, client: Client, interval: float) -> None:
        self.api, self.known = api, KnownUids()
        self.heard: list[tuple[str, str | None, str]] = []
        self.worked_on: list[str] = []
        self.client = client
        self.resync = Resync(HubClient(client), self.known, self.take, interval=interval, jobs=self.worked_on)

    async def load(self) -> str:
        """Take in everything, as at a start; returns the version of the jobs."""
        await self.resync.load()
        sink = JobSink(self.take, is_known=lambda uid, version: False, listed=lambda: None, count=Counter())
        return await load_jobs(self.client, sink)

    def take(self, plural: str, event: str | None, found: dict[str, Any]) -> None:
        if self.known.observe(plural, event, found):
            self.heard.append((plural, event, found["metadata"]["uid"]))


@asynccontextmanager
async def scene(interval: float = 0.05) -> AsyncIterator[Scene]:
    async with cluster() as api, Client(api.credentials) as client:
        yield Scene(api, client, interval)


@asynccontextmanager
async def running(sc: Scene) -> AsyncIterator[None]:
    task = asyncio.create_task(sc.resync.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


def fill(api: FakeCluster, count: int = 3) -> None:
    for number in range(count):
        api.put(JOBS, body(f"u{number}"))
    api.put("sampan.dev/v1alpha1/clusteroffers", {"metadata": {"name": "o", "namespace": "p", "uid": "offer"}})


async def test_everything_is_loaded_jobs_last() -> None:
    async with scene() as sc:
        fill(sc.api)
        await sc.load()
        assert sc.heard == [("clusteroffers", None, "offer"), *(("computejobs", None, f"u{n}") for n in range(3))]
        assert sc.known.uids["computejobs"] == {"u0", "u1", "u2"}


async def test_pages_are_all_read(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene() as sc:
        fill(sc.api, 1203)
        await sc.load()
        assert len(sc.known.uids["computejobs"]) == 1203
        assert len(sc.api.calls("GET", "computejobs")) == 3


async def test_nothing_is_listed_where_the_counts_agree() -> None:
    async with scene() as sc:
        fill(sc.api)
        await sc.load()
        sc.api.seen.clear()
        async with running(sc):
            await until(lambda: len(sc.api.seen) >= 2 * len(KINDS))
        assert all("limit=1" in call.path and "limit=500" not in call.path for call in sc.api.seen)
        assert sc.resync.gaps == 0


async def test_a_deletion_that_a_watch_missed_is_found_by_the_count() -> None:
    async with scene() as sc:
        fill(sc.api)
        await sc.load()
        sc.api.drop(JOBS, "job-u1")
        async with running(sc):
            await until(lambda: sc.resync.gaps)
        assert sc.heard[-1] == ("computejobs", "DELETED", "u1")
        assert sc.resync.gaps == 1
        assert sc.known.uids["computejobs"] == {"u0", "u2"}


async def test_an_object_that_a_watch_missed_is_handed_over_whole() -> None:
    async with scene() as sc:
        fill(sc.api)
        await sc.load()
        sc.api.put(JOBS, body("late"))
        async with running(sc):
            await until(lambda: "late" in sc.known.uids["computejobs"])
        assert ("computejobs", "MODIFIED", "late") in sc.heard
        assert sc.resync.gaps == 0


async def test_after_kopf_listed_anew_names_are_compared_though_the_counts_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SETTLE", 0.01)
    async with scene(interval=3600) as sc:
        fill(sc.api)
        await sc.load()
        sc.api.drop(JOBS, "job-u1")
        sc.api.put(JOBS, body("u9"))
        async with running(sc):
            for uid in ("u0", "u2", "u9"):  # what Kopf's new list tells
                sc.take("computejobs", None, body(uid))
                sc.resync.on_relist("computejobs")
            await until(lambda: sc.resync.gaps)
        assert sc.known.uids["computejobs"] == {"u0", "u2", "u9"}


async def test_a_hub_that_fails_is_asked_again_and_what_was_due_stays_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SETTLE", 0.01)
    async with scene() as sc:
        fill(sc.api)
        await sc.load()
        sc.api.drop(JOBS, "job-u1")
        sc.api.put(JOBS, body("u9"))
        sc.take("computejobs", None, body("u9"))
        sc.api.fault("GET", "/computejobs", replying(500, "InternalError"))
        async with running(sc):
            sc.resync.on_relist("computejobs")
            await until(lambda: sc.resync.gaps)
        assert "u1" not in sc.known.uids["computejobs"]


def test_known_takes_in_events_of_each_kind() -> None:
    known = KnownUids()
    known.observe("providers", "ADDED", {"metadata": {"uid": "a"}})
    known.observe("computejobs", None, {"metadata": {"uid": "a"}})
    known.observe("providers", "DELETED", {"metadata": {"uid": "a"}})
    known.observe("providers", "DELETED", {"metadata": {"uid": "a"}})
    assert (known.uids["providers"], known.uids["computejobs"]) == (set(), {"a"})


def test_an_old_picture_of_an_object_that_ended_brings_nothing_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that was under way while objects were deleted still shows them."""
    monkeypatch.setattr(module, "MAX_ENDED", 2)
    known = KnownUids()
    for uid in ("u1", "u2", "u3"):
        assert known.observe("computejobs", "ADDED", body(uid))
    assert known.observe("computejobs", "DELETED", body("u1"))
    assert not known.observe("computejobs", "MODIFIED", body("u1"))
    assert not known.observe("computejobs", None, body("u1"))
    assert known.uids["computejobs"] == {"u2", "u3"}
    for uid in ("u2", "u3"):
        known.observe("computejobs", "DELETED", body(uid))
    assert known.observe("computejobs", "ADDED", body("u1")), "only the last ends are remembered"


async def test_a_job_that_is_worked_on_and_gone_is_found_though_no_watch_knows_of_it() -> None:
    """However it came into the state: its end is handed over."""
    async with scene() as sc:
        fill(sc.api)
        await sc.load()
        sc.worked_on += ["u1", "ghost"]
        async with running(sc):
            await until(lambda: sc.resync.gaps)
        assert sc.heard[-1] == ("computejobs", "DELETED", "ghost")
        assert sc.known.uids["computejobs"] == {"u0", "u1", "u2"}


async def test_a_check_that_raises_an_error_nobody_foresaw_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene() as sc:
        fill(sc.api)
        await sc.load()
        sc.api.drop(JOBS, "job-u1")
        raised, take = iter([True]), sc.take

        def fragile(plural: str, event: str | None, found: dict[str, Any]) -> None:
            if next(raised, False):
                raise ZeroDivisionError
            take(plural, event, found)

        sc.resync._handover = fragile
        async with running(sc):
            await until(lambda: "u1" not in sc.known.uids["computejobs"])
        assert sc.resync.gaps == 2
