"""A reflector's sink made of functions: what every watch on a member does with what it hears. No watch is opened here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sampan.kube.objects.meta import HasMeta
from sampan.kube.transport.wire import Unreadable
from sampan.kube.watch.listing import Collection
from sampan.kube.watch.reflector import EventType

T = TypeVar("T", bound=HasMeta)


@dataclass(frozen=True, kw_only=True)  # no slots: with Generic, Python 3.11 cannot make instances of such a class
class Sink(Generic[T]):
    """A reflector's sink made of functions."""

    replace: Callable[[Sequence[T], Sequence[Unreadable]], None]
    put: Callable[[T], None]
    drop: Callable[[T], None]
    lost: Callable[[Unreadable], None]
    listed: Callable[[], None]

    def on_replace(self, items: Sequence[T], unreadable: Sequence[Unreadable]) -> None:
        """Announce a full list, then take it."""
        self.listed()
        self.replace(items, unreadable)

    def on_event(self, event: EventType, item: T) -> None:
        """Take one change."""
        if event == "DELETED":
            self.drop(item)
        else:
            self.put(item)

    def on_unreadable(self, event: EventType, item: Unreadable) -> None:
        """Keep what was known of an object that changed: it is still there; forget one that went."""
        if event == "DELETED":
            self.lost(item)

    def then(self, other: "Sink[T]") -> "Sink[T]":
        """Return a sink that hands all it hears to this one and then to another, whose lists are announced here."""

        def replace(items: Sequence[T], unreadable: Sequence[Unreadable]) -> None:
            self.replace(items, unreadable)
            other.replace(items, unreadable)

        def put(item: T) -> None:
            self.put(item)
            other.put(item)

        def drop(item: T) -> None:
            self.drop(item)
            other.drop(item)

        def lost(item: Unreadable) -> None:
            self.lost(item)
            other.lost(item)

        return Sink(replace=replace, put=put, drop=drop, lost=lost, listed=self.listed)


PlannedWatch = tuple[str, Collection[Any], Sink[Any]]
"""Name of a watch, what it lists, where it goes."""
Listed = Callable[[str], None]
"""Called with the name of a watch before its full list is taken."""
