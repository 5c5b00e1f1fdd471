"""Kopf runs beside the core: every change is handed over once, it comes back when it ends, and it never writes anything."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import kopf
import pytest

from jobs import body
from sampan.controller.hub.client import KINDS
from sampan.controller.hub.handlers import registry_of
from sampan.controller.hub.kopf_thread import KopfThread, settings
from unit.controller.fake_cluster import FakeCluster, cluster
from unit.controller.fakes import JOBS, until

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
"""Kopf leaves connections open when it ends; the shell has the collector close them."""
FATAL = {"type": "ERROR", "object": {"kind": "Status", "code": 500, "reason": "InternalError", "message": "x"}}
"""After which Kopf ends itself."""
Heard = list[tuple[str, str | None, str, str]]


@asynccontextmanager
async def kopf_beside(api: FakeCluster) -> AsyncIterator[tuple[KopfThread, Heard]]:
    """Kopf watching the fake, and what it handed over."""
    heard: Heard = []

    def take(plural: str, event: str | None, found: dict[str, Any]) -> None:
        assert threading.current_thread() is threading.main_thread()
        heard.append((plural, event, found["metadata"]["uid"], found["metadata"]["resourceVersion"]))

    loop = asyncio.get_running_loop()
    shell = KopfThread(lambda: registry_of(KINDS, take, loop=loop, credentials=lambda: api.credentials))
    shell.start()
    try:
        yield shell, heard
    finally:
        await shell.stop()
        assert not shell.alive


async def test_every_change_is_handed_over_once_and_nothing_is_written() -> None:
    async with cluster() as api:
        api.put(JOBS, body("u1"))
        async with kopf_beside(api) as (shell, heard):
            await until(lambda: len(api.active_watches) == len(KINDS))
            await until(lambda: heard)
            assert heard == [(*("computejobs", None, "u1"), api.get(JOBS, "job-u1")["metadata"]["resourceVersion"])]
            for number in range(5):
                api.put(JOBS, body("u1", spec={"priority": number}))
            api.put(JOBS, body("u2"))
            api.drop(JOBS, "job-u1")
            await until(lambda: ("computejobs", "DELETED", "u1") in [h[:3] for h in heard])
            await until(lambda: ("computejobs", "ADDED", "u2") in [h[:3] for h in heard])
            assert len(set(heard)) == len(heard), "one call a change"
            assert shell.starts == 1
        assert {call.method for call in api.seen} <= {"GET", "WATCH"}


async def test_after_watches_die_there_is_one_watch_a_kind_and_one_call_a_change() -> None:
    async with cluster() as api, kopf_beside(api) as (shell, heard):
        await until(lambda: len(api.active_watches) == len(KINDS))
        for number, (death, restarts) in enumerate(((None, 0), (FATAL, 1))):
            before = shell.starts
            api.end_watches(death)
            await until(lambda want=before + restarts: shell.starts == want)  # type: ignore[misc]
            await until(lambda: len(api.active_watches) == len(KINDS))
            api.put(JOBS, body(f"u{number}"))
            await until(lambda uid=f"u{number}": [h for h in heard if h[2] == uid])  # type: ignore[misc]
        added = [h for h in heard if h[1] == "ADDED"]
        assert [uid for _, _, uid, _ in added] == ["u0", "u1"]
        assert ("computejobs", None, "u0") in [h[:3] for h in heard], "a new incarnation lists anew, and its list says so"
        assert len([t for t in threading.enumerate() if t.name == "kopf"]) == 1


async def test_a_shell_that_cannot_reach_the_hub_goes_on_trying_and_stops_when_told() -> None:
    async with cluster() as api:
        wrong = api.credentials

    def refused() -> Any:
        return wrong

    loop = asyncio.get_running_loop()
    shell = KopfThread(lambda: registry_of(KINDS, lambda *_: None, loop=loop, credentials=refused))
    shell.start()
    await until(lambda: shell.starts >= 1)
    assert shell.alive
    await shell.stop()
    assert not shell.alive


def test_kopf_keeps_and_posts_nothing() -> None:
    chosen = settings()
    assert not chosen.posting.enabled
    assert chosen.scanning.disabled
    assert chosen.peering.standalone
    diff, progress = chosen.persistence.diffbase_storage, chosen.persistence.progress_storage
    raw: Any = {"metadata": {"name": "x"}, "spec": {"secret": 1}}
    patch = kopf.Patch()
    diff.store(body=kopf.Body(raw), patch=patch, essence=diff.build(body=kopf.Body(raw)))
    progress.store(key=kopf.HandlerId("k"), record={}, body=kopf.Body(raw), patch=patch)
    progress.purge(key=kopf.HandlerId("k"), body=kopf.Body(raw), patch=patch)
    progress.touch(body=kopf.Body(raw), patch=patch, value="v")
    assert dict(patch) == {}
    assert diff.fetch(body=kopf.Body(raw)) is None
    assert progress.fetch(key=kopf.HandlerId("k"), body=kopf.Body(raw)) is None
    essence: Any = {"a": 1}
    assert progress.clear(essence=essence) == essence


def test_backoffs_never_run_out() -> None:
    backoffs = iter(settings().networking.error_backoffs)  # type: ignore[arg-type]
    found = [next(backoffs) for _ in range(200)]
    assert found[:5] == [1, 2, 4, 8, 15]
    assert set(found[4:]) == {15}


def test_objects_bodies_are_not_logged_at_debug() -> None:
    shell = KopfThread(kopf.OperatorRegistry)
    shell._stop.set()
    shell.start()
    shell._thread.join(5)
    assert not logging.getLogger("kopf.objects").isEnabledFor(logging.INFO)
