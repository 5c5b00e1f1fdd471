"""What a write of a job means whose object is not there any more: one rule for all who write."""

from collections.abc import Iterator
from contextlib import contextmanager

from sampan.controller.state.store import State
from sampan.kube.errors import NotFound


@contextmanager
def forgotten_if_missing(state: State, uid: str) -> Iterator[None]:
    """Forget a job of which a write says that it is not there, and raise NotFound on: else it would be planned and written for ever."""
    try:
        yield
    except NotFound:
        state.remove_job(uid)
        raise
