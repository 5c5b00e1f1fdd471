"""One object of the hub that cannot be read, or breaks who reads it, hurts no other: it is told, and left as it was known."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sampan.api.convert.offers import InvalidObjectError
from sampan.faults import log_fault

log = logging.getLogger(__name__)


@contextmanager
def quarantine(plural: str, uid: str) -> Iterator[None]:
    """Log what taking in an object of this kind raises, and go on."""
    try:
        yield
    except InvalidObjectError as error:
        log.warning("object.invalid", extra={"kind": plural, "reason": str(error)})
    except Exception as error:  # noqa: BLE001  one poisoned object must not end the watch
        log_fault(log, "object.quarantined", error, kind=plural, uid=uid)
