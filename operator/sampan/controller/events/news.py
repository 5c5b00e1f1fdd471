"""One thing to be told about a job or an offer, before anybody decides whether it is written. A value."""

from dataclasses import dataclass

from sampan.model.status.event_reasons import WARNINGS, EventReason


@dataclass(frozen=True, slots=True)
class Regarding:
    """What an Event is about: an object of ours on the hub."""

    kind: str
    namespace: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What happened."""

    regarding: Regarding
    reason: EventReason
    note: str
    about: str = ""
    """What tells it apart from other news of this reason about the object: news that are alike in it are one Event with a count."""

    @property
    def is_warning(self) -> bool:
        """Tell whether somebody may have to do something."""
        return self.reason in WARNINGS
