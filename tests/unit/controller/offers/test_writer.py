"""Few writes, in turn, the newest state only; conditions at once, counts every five seconds."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, cast

import pytest

from sampan.controller.offers.writer import OfferWriter, Write
from sampan.kube.errors import Invalid, NotFound, ServerError
from sampan.kube.transport.client import Client
from sampan.kube.transport.paths import ResourcePath
from sampan.model.members.offer import OfferKey

KEY = OfferKey("prov-a", "one")


class FakeHub:
    """Takes patches, or fails as told."""

    def __init__(self) -> None:
        self.taken: list[tuple[float, str, Any]] = []
        self.failures: list[Exception] = []

    async def patch(self, path: ResourcePath, body: Any, **_: Any) -> Mapping[str, Any]:
        if self.failures:
            raise self.failures.pop()
        self.taken.append((asyncio.get_running_loop().time(), path.url, body))
        return {"body": body}


class FakeManager:
    """Renders what a test wants written."""

    def __init__(self) -> None:
        self.wanted: dict[str, Write] = {}
        self.counts: list[Any] = []
        """Bodies that say no more than counts."""
        self.counted = 0
        """How often an offer's pools were counted."""
        self.written: list[Mapping[str, Any]] = []
        self.refused: list[str] = []
        self.poisoned: set[str] = set()

    def render(self, uid: str, counts: bool) -> Write | None:
        if uid in self.poisoned:
            raise ValueError("secret-value")
        write = self.wanted.get(uid)
        if not counts and (write is None or write.body in self.counts):
            return None
        self.counted += 1
        return write

    def note(self, body: Mapping[str, Any]) -> None:
        self.written.append(body)
        self.wanted = {uid: write for uid, write in self.wanted.items() if write.body != body["body"]}


@contextmanager
def running(hub: FakeHub, manager: FakeManager) -> Iterator[OfferWriter]:
    writer = OfferWriter(cast(Client, hub), manager.render, manager.note, refused=manager.refused.append)
    task = asyncio.get_running_loop().create_task(writer.run())
    try:
        yield writer
    finally:
        task.cancel()


@pytest.mark.looptime
async def test_conditions_go_at_once_and_counts_wait() -> None:
    hub, manager = FakeHub(), FakeManager()
    with running(hub, manager) as writer:
        manager.wanted["u"] = Write(key=KEY, body=1, subresource="status")
        writer.enqueue("u")
        await asyncio.sleep(1)
        assert [body for _, _, body in hub.taken] == [1]
        assert manager.written == [{"body": 1}]
        manager.counts = [2, 3]
        manager.wanted["u"] = Write(key=KEY, body=2)
        writer.enqueue("u")
        await asyncio.sleep(1)
        manager.wanted["u"] = Write(key=KEY, body=3)
        writer.enqueue("u")
        await asyncio.sleep(10)
        assert [body for _, _, body in hub.taken] == [1, 3], "the newest only"
        assert hub.taken[1][0] - hub.taken[0][0] >= 5
        manager.wanted["u"] = Write(key=KEY, body=4)
        writer.enqueue("u")
        await asyncio.sleep(1)
        assert hub.taken[-1][2] == 4


@pytest.mark.looptime
async def test_many_offers_are_written_ten_a_second() -> None:
    hub, manager = FakeHub(), FakeManager()
    with running(hub, manager) as writer:
        for number in range(30):
            manager.wanted[f"u{number}"] = Write(key=OfferKey("prov-a", f"o{number}"), body=number)
            writer.enqueue(f"u{number}")
        await asyncio.sleep(10)
    assert len(hub.taken) == 30
    assert hub.taken[-1][0] - hub.taken[0][0] >= 2.8


@pytest.mark.looptime
async def test_counts_of_many_offers_are_written_in_turn_two_a_second() -> None:
    """However often each of them changes: with more offers there are not more writes, and none has to wait for ever."""
    hub, manager = FakeHub(), FakeManager()
    with running(hub, manager) as writer:
        for turn in range(60):
            for number in range(20):
                body = 100 * turn + number
                manager.counts.append(body)
                manager.wanted[f"u{number}"] = Write(key=OfferKey("prov-a", f"o{number}"), body=body)
                writer.enqueue(f"u{number}")
            await asyncio.sleep(0.5)
    times = [at for at, *_ in hub.taken]
    assert min(after - before for before, after in pairwise(times)) >= 0.5
    assert len(times) >= 40, "about two a second, of thirty"
    assert Counter(path for _, path, _ in hub.taken).most_common()[-1][1] >= 2, "all twenty have had two turns"
    assert len({path for _, path, _ in hub.taken}) == 20


@pytest.mark.looptime
async def test_a_failed_write_is_tried_again_later_and_a_missing_offer_is_not() -> None:
    hub, manager = FakeHub(), FakeManager()
    with running(hub, manager) as writer:
        hub.failures = [ServerError(503, "ServiceUnavailable", "")]
        manager.wanted["u"] = Write(key=KEY, body=1)
        writer.enqueue("u")
        await asyncio.sleep(3)
        assert not hub.taken
        await asyncio.sleep(4)
        assert len(hub.taken) == 1
        hub.failures = [NotFound(404, "NotFound", "")]
        manager.wanted["u"] = Write(key=KEY, body=2)
        writer.enqueue("u")
        await asyncio.sleep(20)
        assert len(hub.taken) == 1


@pytest.mark.looptime
async def test_a_forgotten_offer_is_not_written() -> None:
    hub, manager = FakeHub(), FakeManager()
    with running(hub, manager) as writer:
        manager.wanted["u"] = Write(key=KEY, body=1)
        writer.enqueue("u")
        writer.forget("u")
        await asyncio.sleep(5)
        assert not hub.taken


@pytest.mark.looptime
async def test_others_have_their_turn_between_two_looks() -> None:
    manager, turns, looks, all_looked = FakeManager(), 0, list[int](), asyncio.Event()

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    def render(uid: str, counts: bool) -> None:
        looks.append(turns)
        if len(looks) == 30:
            all_looked.set()

    manager.render = render  # type: ignore[method-assign]
    with running(FakeHub(), manager) as writer:
        for number in range(30):
            writer.enqueue(str(number))
        beside = asyncio.create_task(others())
        await all_looked.wait()
        beside.cancel()
    assert len(set(looks)) == 30


@pytest.mark.looptime
async def test_a_refused_status_is_told_and_tried_ever_more_rarely() -> None:
    hub, manager = FakeHub(), FakeManager()
    hub.failures = [Invalid(422, "Invalid", "status.pools[0].free") for _ in range(1000)]
    with running(hub, manager) as writer:
        manager.wanted["u"] = Write(key=KEY, body=1, subresource="status")
        writer.enqueue("u")
        await asyncio.sleep(3600)
        assert 10 < len(manager.refused) < 25, "5, 10, 20 … 300 s"
        hub.failures = []
        await asyncio.sleep(301)
        assert [body for _, _, body in hub.taken] == [1]


@pytest.mark.looptime
async def test_an_offer_that_cannot_be_rendered_hurts_no_other_and_is_looked_at_again(caplog: pytest.LogCaptureFixture) -> None:
    hub, manager = FakeHub(), FakeManager()
    manager.poisoned = {"bad"}
    with running(hub, manager) as writer:
        manager.wanted = {uid: Write(key=OfferKey("prov-a", uid), body=uid) for uid in ("bad", "good")}
        writer.enqueue("bad")
        writer.enqueue("good")
        await asyncio.sleep(3)
        assert [body for _, _, body in hub.taken] == ["good"]
        manager.poisoned = set()
        await asyncio.sleep(10)
        assert [body for _, _, body in hub.taken] == ["good", "bad"]
    faults = [record for record in caplog.records if record.message == "offer.quarantined"]
    assert [vars(record)["error"] for record in faults] == ["ValueError"]
    assert "secret-value" not in str([vars(record) for record in faults])


def test_a_write_goes_to_the_offer_or_its_status() -> None:
    base = "/apis/sampan.dev/v1alpha1/namespaces/prov-a/clusteroffers/one"
    assert Write(key=KEY, body={}).path.url == base
    assert Write(key=KEY, body={}, subresource="status").path.url == f"{base}/status"


@pytest.mark.looptime
async def test_what_may_not_be_written_yet_is_not_counted_either() -> None:
    hub, manager = FakeHub(), FakeManager()
    with running(hub, manager) as writer:
        manager.wanted["u"] = Write(key=KEY, body=0)
        writer.enqueue("u")
        await asyncio.sleep(1)
        manager.counts = list(range(1, 41))
        for body in manager.counts:
            manager.wanted["u"] = Write(key=KEY, body=body)
            writer.enqueue("u")
            await asyncio.sleep(0.1)
        await asyncio.sleep(10)
        assert [body for _, _, body in hub.taken] == [0, 40]
        assert manager.counted == 2, "once for each write"
