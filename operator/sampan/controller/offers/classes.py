"""AcceleratorClasses as the hub has them. What nodes' devices are is told by the catalogue that is made with them."""

import logging
from collections.abc import Mapping
from typing import Any

from sampan.api.convert.classes import ClassDeclaration, class_of
from sampan.api.convert.offers import InvalidObjectError

log = logging.getLogger(__name__)


class ClassRegistry:
    """Declared classes by the UID of their object."""

    def __init__(self) -> None:
        """Start empty."""
        self._classes: dict[str, ClassDeclaration] = {}

    def apply(self, body: Mapping[str, Any]) -> None:
        """Take an AcceleratorClass. One that does not parse is left out."""
        uid = body["metadata"]["uid"]
        try:
            self._classes[uid] = class_of(body)
        except InvalidObjectError as error:
            log.warning("acceleratorclass.invalid", extra={"problem": str(error)})
            self._classes.pop(uid, None)

    def remove(self, uid: str) -> None:
        """Forget an AcceleratorClass."""
        self._classes.pop(uid, None)

    def all(self) -> tuple[ClassDeclaration, ...]:
        """Return the declared classes by name; of two with one name the later is impossible on one hub."""
        return tuple(sorted(self._classes.values(), key=lambda each: each.accelerator.name))
