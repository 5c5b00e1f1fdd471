"""List, watch, resume: every change is told once, whatever happens to the watch."""

import threading
from collections.abc import Iterator

import pytest
from kubernetes.client.exceptions import ApiException

from sampan.client.access.hub import Object
from sampan.client.access.watch import Change, ObjectWatch
from unit.cli.fakes import FakeApi, a_job, modified

PATIENCE = 5.0


def told(feed: ObjectWatch, count: int) -> list[tuple[str, str, str]]:
    """The next so many changes as (kind, name, resourceVersion)."""
    found: list[tuple[str, str, str]] = []
    for _ in range(count):
        change = feed.next(PATIENCE)
        assert isinstance(change, Change), f"only {found}"
        metadata = change.object["metadata"]
        found.append((change.kind, metadata["name"], metadata["resourceVersion"]))
    return found


def test_first_the_list_then_the_watch() -> None:
    api = FakeApi()
    api.objects["computejobs"] = [a_job("a"), a_job("b")]
    api.events = [modified(a_job("a")), {"type": "DELETED", "object": a_job("b")}]
    with ObjectWatch(api, "computejobs", "team-a") as feed:
        assert told(feed, 4) == [("ADDED", "a", "1"), ("ADDED", "b", "1"), ("MODIFIED", "a", "11"), ("DELETED", "b", "1")]
        assert feed.next(0.01) is None
    assert api.lists == 1


def test_a_bookmark_is_not_told() -> None:
    api = FakeApi()
    api.events = [{"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "20"}}}, modified(a_job("a"))]
    with ObjectWatch(api, "computejobs", None) as feed:
        assert told(feed, 1) == [("MODIFIED", "a", "11")]


@pytest.mark.parametrize(
    "end",
    [{"type": "ERROR", "object": {"code": 410}}, ApiException(status=410), ConnectionResetError()],
    ids=["an ERROR event", "410 raised", "a lost connection"],
)
def test_after_a_lost_watch_the_difference_is_told(end: Object | Exception) -> None:
    api = FakeApi()
    stays, goes, changes = a_job("stays"), a_job("goes"), a_job("changes")
    api.objects["computejobs"] = [stays, goes, changes]

    def meanwhile() -> None:
        later = [modified(stays, version=12)["object"], modified(changes, version=13)["object"], a_job("new")]
        api.objects["computejobs"] = later

    api.events = [modified(stays, version=12), meanwhile, end]
    with ObjectWatch(api, "computejobs", None) as feed:
        told(feed, 3)
        rest = told(feed, 4)
        assert feed.next(0.05) is None
    assert rest[0] == ("MODIFIED", "stays", "12")
    assert sorted(rest[1:]) == [("ADDED", "new", "1"), ("DELETED", "goes", "1"), ("MODIFIED", "changes", "13")]


def test_what_was_known_and_is_gone_by_the_first_list_is_told_as_deleted() -> None:
    with ObjectWatch(FakeApi(), "computejobs", None, known=[a_job("a")]) as feed:
        assert told(feed, 1) == [("DELETED", "a", "1")]


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_a_hub_that_never_answered_is_reported_at_once(status: int) -> None:
    api = FakeApi()
    api.list_error = ApiException(status=status)
    with ObjectWatch(api, "computejobs", None) as feed, pytest.raises(ApiException) as raised:
        feed.next(PATIENCE)
    assert raised.value.status == status


def test_a_right_taken_away_later_is_reported() -> None:
    api = FakeApi()
    api.events = [ApiException(status=403)]
    with ObjectWatch(api, "computejobs", None) as feed, pytest.raises(ApiException):
        feed.next(PATIENCE)
    assert feed.listed.is_set()


class Silent:
    """`Events` of a server that says nothing until they are closed."""

    def __init__(self) -> None:
        self.waited_for, self.closed = threading.Event(), threading.Event()

    def __iter__(self) -> Iterator[Object]:
        self.waited_for.set()
        self.closed.wait()
        return iter(())

    def close(self) -> None:
        """Let the reader go."""
        self.closed.set()


def test_no_thread_is_left_behind_that_waits_for_a_silent_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that waits in compiled code when the interpreter ends takes the process with it, and the exit code of a script."""
    api, silent, before = FakeApi(), Silent(), set(threading.enumerate())
    monkeypatch.setattr(api, "watch", lambda *_, **__: silent)
    with ObjectWatch(api, "computejobs", None) as feed:
        assert silent.waited_for.wait(60)
        (thread,) = set(threading.enumerate()) - before
    thread.join(60)
    assert not thread.is_alive()
    assert feed.next(0.0) is None
