"""What one watch of the publisher holds: trimmed objects by key, and word of real changes only. Never what they mean."""

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from sampan.kube.objects.meta import HasMeta
from sampan.kube.transport.wire import Unreadable
from sampan.kube.watch.reflector import EventType

T = TypeVar("T", bound=HasMeta)


class WatchCache(Generic[T]):
    """A reflector's sink. `trim` says what is kept of an object; `changed` is called when that differs from before."""

    def __init__(self, trim: Callable[[T], T], changed: Callable[[], None]) -> None:
        """Start empty."""
        self._trim, self._changed = trim, changed
        self._items: dict[str, T] = {}

    @property
    def items(self) -> list[T]:
        """Return what is there, in order of names."""
        return [self._items[key] for key in sorted(self._items)]

    def on_replace(self, items: Sequence[T], unreadable: Sequence[Unreadable]) -> None:
        """Take a full list; of objects that cannot be read the last reading stands."""
        fresh = {item.metadata.key: self._trim(item) for item in items}
        fresh |= {key: self._items[key] for key in _known(unreadable) if key in self._items}
        if fresh != self._items:
            self._items = fresh
            self._changed()

    def on_event(self, event: EventType, item: T) -> None:
        """Take one change."""
        key = item.metadata.key
        before = self._items.pop(key, None)
        if event != "DELETED":
            self._items[key] = self._trim(item)
        if self._items.get(key) != before:
            self._changed()

    def on_unreadable(self, event: EventType, item: Unreadable) -> None:
        """Forget an object that went; what was known of one that changed stands."""
        if event == "DELETED" and self._items.pop(item.key, None) is not None:
            self._changed()


def _known(unreadable: Iterable[Unreadable]) -> list[str]:
    return [each.key for each in unreadable]
