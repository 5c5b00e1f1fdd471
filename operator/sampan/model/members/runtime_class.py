"""A RuntimeClass of a member: what it adds to a pod that names it, and where such a pod may go."""

from dataclasses import dataclass

from sampan.model.members.taint import Toleration
from sampan.model.values.vector import Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeClass:
    """As its member's API server applies it at admission (plugin RuntimeClass)."""

    name: str
    overhead: Vector = Vector()
    """Added to what each pod asks for: by the scheduler, by quotas, and on the node."""
    selector: tuple[tuple[str, str], ...] = ()
    """Labels that a node must carry."""
    tolerations: tuple[Toleration, ...] = ()
