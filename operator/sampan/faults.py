"""The one way to log an error that nobody foresaw: what it is and the way it came through the code, never its text.

What must never live here: the message of an error, a traceback, or anything else that may hold a value. An error of ours or of a library
may quote a token, a tenant's environment or a stranger's words, and what is logged is read by more people than may see those.
"""

import logging
from collections import deque
from collections.abc import Iterator
from pathlib import PurePath
from traceback import walk_tb

MAX_PLACES = 8
"""The last places of the way are the ones that tell most."""


def log_fault(log: logging.Logger, event: str, error: BaseException, **about: object) -> None:
    """Log an unforeseen error under a stable event name, with what it is about; of a group, one line for each error in it.

    `about` is logged as it is: names and counts, never an error's text.
    """
    for leaf in leaves(error):
        log.error(event, extra={**about, **fault_of(leaf)})


def fault_of(error: BaseException) -> dict[str, str]:
    """Return what may be told of an error: its type, where it was raised, and the last places on the way there, outermost first."""
    way = (f"{PurePath(frame.f_code.co_filename).name}:{line}" for frame, line in walk_tb(error.__traceback__))
    places = deque(way, maxlen=MAX_PLACES)
    return {"error": type(error).__name__, "where": places[-1] if places else "", "way": " > ".join(places)}


def leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield the errors in a group of groups; of any other error, itself."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from leaves(inner)
    else:
        yield error
