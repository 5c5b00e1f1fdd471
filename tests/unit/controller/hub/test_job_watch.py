"""The watch of ComputeJobs: what is news is handed over once, echoes of our own writes are not, and deaths of the watch lose nothing."""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from jobs import body, bound_status
from sampan.controller.hub.job_watch import JobSink, WatchedJob, watch_jobs
from sampan.controller.state.record import record_of
from sampan.kube.transport.client import Client
from unit.controller.fake_cluster import FakeCluster, cluster
from unit.controller.fakes import JOBS, until

GONE = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired", "message": "x"}}
"""After which everything is listed anew."""


class Scene:
    """A watch over the fake, what it handed over, and what the operator knows."""

    def __init__(self) -> None:
        self.heard: list[tuple[str | None, str]] = []
        self.known: dict[str, str] = {}
        self.lists = 0
        self.count = Counter[str]()
        self.sink = JobSink(self._take, is_known=self._is_known, listed=self._listed, count=self.count)

    def _take(self, plural: str, event: str | None, found: dict[str, Any]) -> None:
        assert plural == "computejobs"
        meta = found["metadata"]
        self.known[meta["uid"]] = meta.get("resourceVersion", "0")
        self.heard.append((event, meta["uid"]))

    def _is_known(self, uid: str, version: str) -> bool:
        return int(version) <= int(self.known.get(uid, "0"))

    def _listed(self) -> None:
        self.lists += 1


@asynccontextmanager
async def watching(api: FakeCluster) -> AsyncIterator[Scene]:
    """A watch that stands."""
    made = Scene()
    async with Client(api.credentials) as client:
        task = asyncio.create_task(watch_jobs(client, made.sink).run())
        await until(lambda: api.active_watches)
        try:
            yield made
        finally:
            task.cancel()
            await asyncio.wait({task})


async def test_every_change_is_handed_over_once_and_nothing_is_written() -> None:
    async with cluster() as api:
        api.put(JOBS, body("u1"))
        async with watching(api) as sc:
            assert sc.heard == [(None, "u1")]
            for number in range(3):
                api.put(JOBS, body("u1", spec={"priority": number}))
            api.put(JOBS, body("u2"))
            api.drop(JOBS, "job-u1")
            await until(lambda: sc.heard[-1] == ("DELETED", "u1"))
        assert sc.heard == [(None, "u1"), *[("MODIFIED", "u1")] * 3, ("ADDED", "u2"), ("DELETED", "u1")]
        assert sc.count["computejobs"] == 6
        assert {call.method for call in api.seen} == {"GET", "WATCH"}


async def test_an_echo_of_our_own_write_is_counted_and_not_handed_over() -> None:
    async with cluster() as api, watching(api) as sc:
        api.put(JOBS, body("u1"))
        await until(lambda: sc.heard)
        written = api.put(JOBS, body("u1", status=bound_status()))
        sc.known["u1"] = written["metadata"]["resourceVersion"]  # as the reply of the write told
        api.put(JOBS, body("u2"))
        await until(lambda: ("ADDED", "u2") in sc.heard)
        assert sc.heard == [("ADDED", "u1"), ("ADDED", "u2")]
        assert sc.count["computejobs"] == 3


@pytest.mark.parametrize(("death", "lists"), [(None, 1), (GONE, 2)], ids=["ended", "expired"])
async def test_after_a_watch_died_one_stands_and_a_new_list_says_so(death: dict[str, Any] | None, lists: int) -> None:
    async with cluster() as api, watching(api) as sc:
        api.put(JOBS, body("u1"))
        await until(lambda: sc.heard)
        api.end_watches(death)
        api.put(JOBS, body("u2"))
        await until(lambda: len(api.active_watches) == 1 and len(sc.heard) == 2)
        assert {uid for _, uid in sc.heard} == {"u1", "u2"}
        assert sc.lists == lists


@pytest.mark.parametrize(
    "found",
    [
        body("u1"),
        body("u1", status=bound_status(), finalizers=["sampan.dev/remote-cleanup"], generation=3),
        body("u1", deletionTimestamp="2027-01-15T08:00:00Z", labels={"a": "b"}),
        {**body("u1"), "spec": {"priority": 3, "unknown": ["ü", None]}, "status": {}},
    ],
    ids=["new", "bound", "deleted", "odd"],
)
def test_a_job_is_read_as_a_list_shows_it(found: dict[str, Any]) -> None:
    watched = msgspec.json.decode(json.dumps({"apiVersion": "sampan.dev/v1alpha1", "kind": "ComputeJob", **found}), type=WatchedJob)
    assert record_of(watched.body(), None) == record_of(found, None)


async def test_a_job_that_cannot_be_read_hurts_no_other(caplog: pytest.LogCaptureFixture) -> None:
    async with cluster() as api, watching(api) as sc:
        api.put(JOBS, body("bad", generation="many"))
        api.put(JOBS, body("u1"))
        await until(lambda: ("ADDED", "u1") in sc.heard)
        assert [(entry.message, entry.__dict__["uid"]) for entry in caplog.records if entry.levelno == logging.WARNING] == [
            ("object.invalid", "bad")
        ]
        api.drop(JOBS, "job-bad")
        await until(lambda: ("DELETED", "bad") in sc.heard)
