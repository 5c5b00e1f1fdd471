"""Every copy that a member ever had is told, though it is gone; and what is there is told as it is now."""

import threading
from collections.abc import Iterator

import pytest

from integration.support import wait_for
from sampan.cli.demo.check import MemberJob
from sampan.cli.demo.copies import CopyWatch
from sampan.client.access.events import Events
from sampan.client.access.hub import Object
from unit.cli.fakes import FakeEvents


def a_copy(uid: str = "copy-1", *, job: str = "job-1", attempt: int = 1, outcome: str = "") -> Object:
    """A batch/v1 Job as a server tells it."""
    conditions = [{"type": outcome, "status": "True"}] if outcome else []
    return {
        "metadata": {
            "uid": uid,
            "resourceVersion": outcome or "1",
            "labels": {"sampan.dev/job-uid": job, "sampan.dev/attempt": str(attempt)},
        },
        "status": {"conditions": conditions, "succeeded": int(outcome == "Complete")},
    }


class FakeMember:
    """`Watchable` in memory: what is there, and a script of watch events of which the last has been told once `done` is set."""

    def __init__(self, *there: Object, events: tuple[tuple[str, Object], ...] = ()) -> None:
        self.there = list(there)
        self.events = list(events)
        self.done = threading.Event()

    def list(self, plural: str, namespace: str | None) -> Object:
        """See `Watchable.list`."""
        assert (plural, namespace) == ("jobs", None)
        return {"metadata": {"resourceVersion": "1"}, "items": list(self.there)}

    def watch(self, plural: str, namespace: str | None, *, resource_version: str, seconds: int) -> Events:
        """See `Watchable.watch`."""
        return FakeEvents(self._scripted())

    def _scripted(self) -> Iterator[Object]:
        while self.events:
            kind, item = self.events.pop(0)
            yield {"type": kind, "object": item}
        self.done.set()
        threading.Event().wait(0.01)


def seen_by(**members: FakeMember) -> dict[str, list[MemberJob]]:
    """What is told once every member has told its script."""
    with CopyWatch([(name, f"uid-{name}", member) for name, member in members.items()]) as copies:
        for name, member in members.items():
            wait_for(member.done.is_set, f"the script of {name}", every=0.01)
        return copies.seen()


def test_a_copy_that_came_ended_and_went_is_told_as_it_was_last() -> None:
    script = (("ADDED", a_copy()), ("MODIFIED", a_copy(outcome="Complete")), ("DELETED", a_copy(outcome="Complete")))
    [copy] = seen_by(lingang=FakeMember(events=script))["job-1"]
    assert copy == MemberJob(member="lingang", cluster_uid="uid-lingang", succeeded=1, failed=0, outcome="Complete", attempt=1, gone=True)


def test_two_copies_are_two_though_one_is_gone() -> None:
    told = seen_by(
        lingang=FakeMember(events=(("ADDED", a_copy()), ("DELETED", a_copy()))), kunshan=FakeMember(a_copy("copy-2", outcome="Complete"))
    )
    assert [(copy.member, copy.gone, copy.outcome) for copy in told["job-1"]] == [("lingang", True, "Open"), ("kunshan", False, "Complete")]


def test_what_is_there_is_told_as_it_is_now_however_late_the_watch() -> None:
    member = FakeMember(a_copy())
    with CopyWatch([("lingang", "uid-a", member)]) as copies:
        assert [copy.outcome for copy in copies.seen()["job-1"]] == ["Open"]
        member.there = [a_copy(outcome="Failed"), a_copy("copy-9", job="job-9", attempt=3)]
        found = copies.seen()
    assert [(copy.outcome, copy.gone) for copy in found["job-1"]] == [("Failed", False)]
    assert [copy.attempt for copy in found["job-9"]] == [3]


def test_a_member_that_cannot_be_listed_ends_it() -> None:
    class Refusing(FakeMember):
        def list(self, plural: str, namespace: str | None) -> Object:
            """Refuse."""
            raise OSError("no such member")

    watch = CopyWatch([("lingang", "uid-a", Refusing())])
    with pytest.raises(OSError, match="no such member"), watch as copies:
        copies.seen()
