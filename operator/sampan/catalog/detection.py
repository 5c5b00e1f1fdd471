"""How an AcceleratorClass object tells its devices on a node. A value only: `catalog.py` applies it."""

import fnmatch
from dataclasses import dataclass

from sampan.model.values.selector import Selector


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """A node that publishes one of the resources and carries the labels has devices of the class.

    Without resources every device resource of the class's vendor is meant; without both nothing is detected, and the object
    only corrects the facts of its class.
    """

    resources: tuple[str, ...] = ()
    """Extended resources; `*` stands for any run of characters."""
    labels: Selector = Selector()

    def names(self, resource: str) -> bool:
        """Tell whether a resource is among those named."""
        return any(fnmatch.fnmatchcase(resource, name) for name in self.resources)  # never backtracks, however many stars

    @property
    def empty(self) -> bool:
        """Tell whether this detects nothing."""
        return not self.resources and not self.labels.expressions
