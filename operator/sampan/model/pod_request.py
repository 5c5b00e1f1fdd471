"""What one pod holds of its node, as kube-scheduler counts it. Nothing about who the pod belongs to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sampan.model.values.vector import PODS, Vector

ONE_POD: Final = Vector(((PODS, 1),))


@dataclass(frozen=True, slots=True, kw_only=True)
class InitContainer:
    """An init container; a sidecar (restartPolicy Always) keeps running beside the containers."""

    request: Vector
    sidecar: bool = False


def pod_request(
    containers: Iterable[Vector], *, init: Sequence[InitContainer] = (), overhead: Vector = Vector(), level: Vector | None = None
) -> Vector:
    """Return what a pod holds, as kube-scheduler counts it, and one pod slot.

    max(containers + sidecars, each init container beside the sidecars started before it), or `level` (pod-level resources) where
    that names a resource; plus overhead.
    """
    sidecars, peak = Vector(), Vector()
    for container in init:
        if container.sidecar:
            sidecars = sidecars + container.request
            peak = _greatest(peak, sidecars)
        else:
            peak = _greatest(peak, sidecars + container.request)
    amounts = dict(_greatest(peak, Vector.total((sidecars, *containers))))
    amounts.update(dict(level or ()))
    return Vector.total((Vector.of(amounts), overhead, ONE_POD))


def _greatest(left: Vector, right: Vector) -> Vector:
    """Return the element-wise maximum."""
    names = {name for name, _ in (*left, *right)}
    return Vector.of({name: max(left[name], right[name]) for name in sorted(names)})
