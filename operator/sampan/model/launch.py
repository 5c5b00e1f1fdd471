"""A launch recipe: what a pod needs beyond its devices on certain clusters or chips. Rendering is in `api`."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sampan.model.values.vector import Vector


class PodSecurity(StrEnum):
    """Pod Security Standard level, strictest first."""

    RESTRICTED = "restricted"
    BASELINE = "baseline"
    PRIVILEGED = "privileged"

    def allows(self, needed: "PodSecurity") -> bool:
        """Tell whether a namespace that enforces this level admits a pod that needs the other."""
        order = tuple(PodSecurity)
        return order.index(needed) <= order.index(self)


DEFAULT_USER: Final = 1000
"""User, group and volume group of a restricted pod that names none: images built for root would otherwise be refused (docs/decisions)."""
ROOT: Final = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPath:
    """A read-only folder of the node that the stack needs, such as Hygon's /opt/hyhal."""

    path: str
    mount_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """Every field empty: nothing is added."""

    scheduler_name: str = ""
    runtime_class: str = ""
    pod_labels: tuple[tuple[str, str], ...] = ()
    pod_annotations: tuple[tuple[str, str], ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    host_paths: tuple[HostPath, ...] = ()
    extra_resources: Vector = Vector()
    """Extended resources each replica takes besides its devices, such as `rdma/hca: 1`."""
    supplemental_groups: tuple[int, ...] = ()
    pod_security: PodSecurity = PodSecurity.RESTRICTED
    """Level that a pod with this recipe needs."""
    users: tuple[int, int] | None = None
    """Lowest and highest user that pods may run as; None: jobs may not choose where `pod_security` is restricted, and may elsewhere."""
    backend: str = ""
    """torch.distributed backend that gangs use here, such as `nccl` or `hccl`; told to the program, never enforced."""

    def under(self, last: "Launch | None") -> "Launch":
        """Return this recipe with another's word over it: maps merge by key, scalars are replaced where the other names one."""
        if last is None:
            return self
        return Launch(
            scheduler_name=last.scheduler_name or self.scheduler_name,
            runtime_class=last.runtime_class or self.runtime_class,
            pod_labels=_merged(self.pod_labels, last.pod_labels),
            pod_annotations=_merged(self.pod_annotations, last.pod_annotations),
            env=_merged(self.env, last.env),
            host_paths=tuple({each.mount_path: each for each in (*self.host_paths, *last.host_paths)}.values()),
            extra_resources=Vector.of({**dict(self.extra_resources), **dict(last.extra_resources)}),
            supplemental_groups=tuple(sorted({*self.supplemental_groups, *last.supplemental_groups})),
            pod_security=max(self.pod_security, last.pod_security, key=tuple(PodSecurity).index),
            users=self.users if last.users is None else last.users,
            backend=last.backend or self.backend,
        )

    def admits_user(self, asked: int | None) -> bool:
        """Tell whether a job that names this user, or none, may run here."""
        if asked is None:
            return True
        if self.users is not None:
            return self.users[0] <= asked <= self.users[1]
        return asked == DEFAULT_USER or self.pod_security is not PodSecurity.RESTRICTED

    def user(self, asked: int | None) -> int | None:
        """Return the user of a pod; None: the image's own."""
        if asked is not None:
            return asked
        if self.users is not None:
            return min(max(DEFAULT_USER, self.users[0]), self.users[1])
        return DEFAULT_USER if self.pod_security is PodSecurity.RESTRICTED else None

    def security_of(self, asked: int | None) -> PodSecurity:
        """Return the level that a pod of such a job needs: `restricted` has no root."""
        needed = PodSecurity.BASELINE if self.user(asked) == ROOT else PodSecurity.RESTRICTED
        return max(self.pod_security, needed, key=tuple(PodSecurity).index)


NO_LAUNCH: Final = Launch()
"""Nothing is added."""


def _merged(first: tuple[tuple[str, str], ...], last: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted({**dict(first), **dict(last)}.items()))
