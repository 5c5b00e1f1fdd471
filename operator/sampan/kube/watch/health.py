"""How well a collection is followed: what a reflector knows of its own watch, for those who rely on the picture that it keeps.

No I/O and no clock: moments are the event loop's time and are told.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from sampan.kube.errors import Gone, KubeError, Unreachable


@dataclass(slots=True)
class LastHeard:
    """When something was last heard of a server: shared by its watches, so that nobody need look at each of them."""

    at: float = 0.0


class WatchHealth:
    """The health of one watch.

    ``synced`` is set once the sink has a whole list of this server; ``last_heard`` is when something (a bookmark at least) last
    came; ``last_error`` is the reason of the last failure, empty once a watch is open again; ``failing_since`` is since when the
    picture has not been followed, None while it is: a watch that was opened, said nothing and was given up does not count as
    followed before the next one says something or ends as it should; ``restarts`` counts failures, ``unreadable`` objects that
    could not be taken.
    """

    def __init__(self) -> None:
        """Nothing was tried yet."""
        self.synced = asyncio.Event()
        self.last_heard = LastHeard()
        self.last_error = ""
        self.failing_since: float | None = None
        self.restarts = 0
        self.unreadable = 0
        self._changed: Callable[[], None] = lambda: None
        self._silent, self._mute = False, False  # the watch that is open has said nothing; the last one never did

    def share(self, last_heard: LastHeard, changed: Callable[[], None]) -> None:
        """Note what is heard here from now on, and call `changed` whenever anything else changed."""
        self.last_heard, self._changed = last_heard, changed

    def server_changed(self) -> None:
        """The credentials lead to another server: nothing is known of its collection."""
        self.synced.clear()
        self._changed()

    def listed(self, at: float, *, unreadable: int) -> None:
        """The sink has a whole list."""
        self.last_heard.at = at
        self.unreadable += unreadable
        self.synced.set()
        self._changed()

    def opened(self, at: float) -> None:
        """A watch is open."""
        self.last_error, self.last_heard.at, self._silent = "", at, True
        if not self._mute:
            self.failing_since = None
        self._changed()

    def heard(self, at: float) -> None:
        """The open watch says something."""
        self.last_heard.at = at
        if self._silent:
            self.followed()

    def followed(self) -> None:
        """The watch speaks, or ended as it should."""
        self.failing_since, self._silent, self._mute = None, False, False
        self._changed()

    def failed(self, error: KubeError, at: float) -> None:
        """The list or the watch failed."""
        self.restarts += 1
        self.last_error = error.reason
        self._mute, self._silent = self._silent and isinstance(error, Unreachable) and error.reason == "Timeout", False
        if self.failing_since is None and not isinstance(error, Gone):  # listing anew is no fault
            self.failing_since = at
        self._changed()
