"""A member's events about a copy that does not start: the newest that tells why, and nothing where we may not read them."""

import asyncio
from typing import Any

import msgspec

from jobs import NOW, copy
from sampan.controller.reconcile.inquiry import FORBIDDEN_MILLIS, GAP_MILLIS, Inquiry, newest
from sampan.kube.objects.events import Event
from sampan.kube.objects.workloads import Pod
from sampan.kube.transport.client import Client
from unit.controller.fake_cluster import cluster
from unit.kube.fake_api import replying


def event(reason: str, at: int, message: str = "", *, kind: str = "Warning") -> Event:
    """An event of so many seconds past the hour."""
    return Event(type=kind, reason=reason, message=message, last_timestamp=f"2026-01-01T00:00:{at:02d}Z")


def pod(name: str, phase: str = "Pending") -> Pod:
    """A pod."""
    return msgspec.convert({"metadata": {"name": name, "uid": f"uid-{name}"}, "status": {"phase": phase}}, Pod)


def put(api: Any, uid: str, reason: str, message: str = "") -> None:
    """Write a warning about an object."""
    meta = {"name": f"{uid}-{reason}", "namespace": "sampan-jobs"}
    api.put("v1/events", {"metadata": meta, "involvedObject": {"uid": uid}, "type": "Warning", "reason": reason, "message": message})


def test_the_newest_warning_counts_and_work_that_takes_a_while() -> None:
    assert newest([event("FailedMount", 1, "no such Secret"), event("FailedScheduling", 0)]) == ("FailedMount", "no such Secret")
    assert newest([event("FailedMount", 1), event("Pulling", 2, "Pulling image a:1", kind="Normal")]) == ("Pulling", "Pulling image a:1")
    assert newest([event("Scheduled", 1, kind="Normal")]) == ("", "")
    assert newest([]) == ("", "")


def test_words_of_a_member_are_cut_and_cleaned() -> None:
    reason, message = newest([event("not a word!", 1, "a\x00\n" + "b" * 999)])
    assert reason == "Unknown"
    assert len(message.encode()) <= 256
    assert "\x00" not in message


async def test_the_job_and_its_first_pending_pod_are_asked_about() -> None:
    async with cluster() as api, Client(api.credentials) as client:
        put(api, "uid-b", "FailedMount", "not this one")
        put(api, "uid-a", "FailedMount", "Secret token not found")
        moments = [NOW]
        asked = Inquiry(lambda: moments[0])
        found = await asked.ask(client, "c-1", copy(), pods=[pod("b"), pod("a"), pod("0", "Running")])
        assert found == ("FailedMount", "Secret token not found")
        assert len(api.seen) == 2
        put(api, "remote-1", "FailedCreate", "exceeded quota")
        moments[0] += GAP_MILLIS
        assert await asked.ask(client, "c-1", copy(), pods=[]) == ("FailedCreate", "exceeded quota")


async def test_a_member_that_lets_us_list_none_is_left_alone_for_a_while() -> None:
    async with cluster() as api, Client(api.credentials) as client:
        moments = [NOW]
        asked = Inquiry(lambda: moments[0])
        api.fault("GET", "/events", replying(403, "Forbidden"))
        for _ in range(3):
            assert await asked.ask(client, "c-1", copy(), pods=[]) == ("", "")
        assert len(api.seen) == 1
        await asked.ask(client, "c-2", copy(), pods=[])
        assert len(api.seen) == 2, "another member"
        moments[0] += FORBIDDEN_MILLIS
        await asked.ask(client, "c-1", copy(), pods=[])
        assert len(api.seen) == 3


async def test_of_many_jobs_that_wait_at_once_one_is_asked_about_at_a_time() -> None:
    async with cluster() as api, Client(api.credentials) as client:
        put(api, "remote-1", "FailedCreate", "exceeded quota")
        moments = [NOW]
        asked = Inquiry(lambda: moments[0])
        told = await asyncio.gather(*(asked.ask(client, "c-1", copy(), pods=[]) for _ in range(50)))
        assert sorted(told)[-1] == ("FailedCreate", "exceeded quota")
        assert len(api.seen) == 1
        assert await asked.ask(client, "c-1", copy(), pods=[]) == ("", "")
        moments[0] += GAP_MILLIS
        await asked.ask(client, "c-1", copy(), pods=[])
        assert len(api.seen) == 2
