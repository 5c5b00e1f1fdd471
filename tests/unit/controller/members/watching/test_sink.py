"""A sink of functions: lists are announced first, deletions forget, unreadable changes keep what was known."""

from typing import Any

from sampan.controller.members.watching.sink import Sink
from sampan.kube.transport.wire import Unreadable


def test_each_word_of_a_watch_goes_to_its_function() -> None:
    said: list[Any] = []
    sink = Sink[Any](
        replace=lambda items, bad: said.append(("replace", list(items), list(bad))),
        put=lambda item: said.append(("put", item)),
        drop=lambda item: said.append(("drop", item)),
        lost=lambda bad: said.append(("lost", bad.name)),
        listed=lambda: said.append("listed"),
    )
    broken = Unreadable(name="x", namespace="", uid="u", resource_version="1", problem="")
    sink.on_replace(["a"], [])
    sink.on_event("MODIFIED", "b")
    sink.on_event("DELETED", "c")
    sink.on_unreadable("MODIFIED", broken)
    sink.on_unreadable("DELETED", broken)
    assert said == ["listed", ("replace", ["a"], []), ("put", "b"), ("drop", "c"), ("lost", "x")]
