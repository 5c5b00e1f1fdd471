"""Events are written in a lane of their own: in turn, warnings first, slower while jobs are bound, and dropped where the hub is slow."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sampan.controller.events import recorder as r
from sampan.controller.events.correlator import REFRESH, Series
from sampan.controller.events.news import News, Regarding
from sampan.controller.events.recorder import EventRecorder, EventResult, event_body
from sampan.kube.errors import Forbidden, NotFound, Unreachable
from sampan.kube.transport.client import Client
from sampan.kube.transport.paths import ResourcePath
from sampan.model.status.event_reasons import EventReason

pytestmark = pytest.mark.looptime
NOW = 1_800_000_000_000
QPS = 500


class Hub:
    """Takes Events, or fails as told; its clock is the loop's."""

    def __init__(self) -> None:
        self.limits = SimpleNamespace(qps=QPS)
        self.written: list[tuple[float, Mapping[str, Any]]] = []
        self.patched: list[tuple[str, Mapping[str, Any]]] = []
        self.failures: list[Exception] = []
        self.busy = False
        self.answers = asyncio.Event()
        self.answers.set()

    async def create(self, path: ResourcePath, body: Mapping[str, Any], **_: Any) -> None:
        await self.answers.wait()
        if self.failures:
            raise self.failures.pop()
        assert path.url == "/apis/events.k8s.io/v1/namespaces/team-a/events"
        self.written.append((asyncio.get_running_loop().time(), body))

    async def patch(self, path: ResourcePath, body: Mapping[str, Any], **_: Any) -> None:
        if self.failures:
            raise self.failures.pop()
        self.patched.append((path.name or "", body))

    @property
    def reasons(self) -> list[str]:
        return [body["reason"] for _, body in self.written]

    def clock(self) -> int:
        return NOW + int(asyncio.get_running_loop().time() * 1000)


@asynccontextmanager
async def recorder(hub: Hub) -> AsyncIterator[EventRecorder]:
    """A recorder that writes."""
    made = EventRecorder(cast("Client", hub), clock=hub.clock, busy=lambda: hub.busy, instance="pod-1")
    task = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        task.cancel()


def news(uid: str = "u1", reason: EventReason = EventReason.BOUND, about: str = "1", note: str = "Bound.") -> News:
    """Return news of a job."""
    return News(regarding=Regarding("ComputeJob", "team-a", f"job-{uid}", uid), reason=reason, note=note, about=about)


async def test_an_event_is_what_kubectl_describe_looks_for() -> None:
    hub = Hub()
    async with recorder(hub) as told:
        told.record(news())
        await asyncio.sleep(1)
    ((_, body),) = hub.written
    assert body["metadata"]["namespace"] == body["regarding"]["namespace"] == "team-a"
    assert body["metadata"]["name"].startswith("job-u1.")
    assert body["regarding"] == {
        "apiVersion": "sampan.dev/v1alpha1",
        "kind": "ComputeJob",
        "namespace": "team-a",
        "name": "job-u1",
        "uid": "u1",
    }
    assert (body["reason"], body["type"], body["note"]) == ("Bound", "Normal", "Bound.")
    assert body["eventTime"].startswith("2027-01-15T08:00:00.")
    assert "series" not in body


async def test_the_same_again_adds_to_the_count_once_a_minute() -> None:
    hub = Hub()
    async with recorder(hub) as told:
        told.record(news())
        await asyncio.sleep(1)
        for _ in range(5):
            told.record(news())
        await asyncio.sleep(1)
        assert hub.patched == [], "told a moment ago"
        await asyncio.sleep(REFRESH / 1000)
        told.record(news())
        await asyncio.sleep(1)
    ((name, patch),) = hub.patched
    assert name == hub.written[0][1]["metadata"]["name"]
    assert patch["series"]["count"] == 7
    assert told.results == Counter({EventResult.WRITTEN: 2, EventResult.MERGED: 6})


async def test_an_event_that_the_hub_forgot_is_written_anew() -> None:
    hub = Hub()
    async with recorder(hub) as told:
        told.record(news())
        await asyncio.sleep(REFRESH / 1000 + 1)
        hub.failures.append(NotFound(404, "NotFound", ""))
        told.record(news())
        await asyncio.sleep(1)
    assert [body.get("series", {}).get("count") for _, body in hub.written] == [None, 2]
    assert len({body["metadata"]["name"] for _, body in hub.written}) == 2


@pytest.mark.parametrize(("busy", "share"), [(True, r.BUSY_SHARE), (False, r.IDLE_SHARE)])
async def test_events_take_a_share_of_the_calls_and_a_smaller_one_while_jobs_are_bound(busy: bool, share: float) -> None:
    hub = Hub()
    hub.busy = busy
    async with recorder(hub) as told:
        for number in range(200):
            told.record(news(f"u{number}"))
        await asyncio.sleep(1)
        assert len(hub.written) == pytest.approx(QPS * share, abs=2)


async def test_warnings_come_first() -> None:
    hub = Hub()
    async with recorder(hub) as told:
        for number in range(3):
            told.record(news(f"u{number}"))
        told.record(news("u9", EventReason.FAILED))
        await asyncio.sleep(1)
    assert hub.reasons == ["Failed", "Bound", "Bound", "Bound"]


async def test_a_hub_that_does_not_answer_holds_nobody_up_and_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(r, "MOST", 10)
    hub = Hub()
    hub.answers.clear()
    async with recorder(hub) as told:
        told.record(news("first"))
        await asyncio.sleep(1)
        for number in range(30):
            told.record(news(f"u{number}"))
        told.record(news("bad", EventReason.FAILED))
        assert len(told) == 10
        assert told.results[EventResult.DROPPED] == 21
        hub.answers.set()
        await asyncio.sleep(5)
    assert hub.reasons[:2] == ["Bound", "Failed"], "a warning takes the place of what is least missed"
    assert len(hub.written) == 11


async def test_one_object_cannot_have_everything_written() -> None:
    hub = Hub()
    async with recorder(hub) as told:
        for number in range(100):
            told.record(news(about=str(number)))
        await asyncio.sleep(10)
    assert len(hub.written) == 25
    assert told.results[EventResult.LIMITED] == 75


@pytest.mark.parametrize("error", [Forbidden(403, "Forbidden", "no"), Unreachable("Timeout", "no"), ValueError("no")])
async def test_what_cannot_be_written_is_counted_and_the_next_is_written(error: Exception) -> None:
    hub = Hub()
    hub.failures.append(error)
    async with recorder(hub) as told:
        told.record(news("u1"))
        told.record(news("u2"))
        await asyncio.sleep(r.RETRY_DELAY + 1)
    assert told.results == Counter({EventResult.FAILED: 1, EventResult.WRITTEN: 1})
    assert len(hub.written) == 1


def test_strangers_words_are_cut_and_names_stay_names() -> None:
    about = Regarding("ComputeJob", "team-a", f"{'x' * 199}.{'y' * 50}", "u1")
    long = News(regarding=about, reason=EventReason.REFUSED, note="a\nb" + "z" * 5000)
    body = event_body(Series(news=long, first=NOW, last=NOW), "name", instance="i" * 300)
    assert len(body["note"].encode()) <= 1024
    assert "\n" not in body["note"]
    assert len(body["reportingInstance"]) == 128
