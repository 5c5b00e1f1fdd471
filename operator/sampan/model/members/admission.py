"""What a member's API server holds against pods and objects of a job namespace: ResourceQuotas and LimitRanges. Values only.

A resource that is not named is not limited; one that is named with 0 lets nothing through. Vectors cannot tell the two apart, so
nothing here is a Vector.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

Amounts = tuple[tuple[str, int], ...]
"""(resource, amount in base units), sorted by name; an amount may be 0."""

JOBS: Final = "count/jobs.batch"
ALL_PODS: Final = "count/pods"
"""Pods in whatever phase; `pods` counts those that have not ended."""
CONFIG_MAPS: Final = "count/configmaps"
SECRETS: Final = "count/secrets"
SERVICES: Final = "count/services"
CLAIMS: Final = "count/resourceclaims.resource.k8s.io"
CLAIM_TEMPLATES: Final = "count/resourceclaimtemplates.resource.k8s.io"
LIMITS: Final = "limits."
"""Prefix of what quotas call the limits of pods."""
REQUESTS: Final = "requests."
PER_CLASS: Final = ".deviceclass.resource.k8s.io/devices"
"""Suffix of what quotas call the devices claimed of a DeviceClass (kubernetes.io, Resource Quotas)."""
IMPLICIT_CLASS: Final = "deviceclass.resource.kubernetes.io/"
"""Prefix of the extended resource that stands for a DeviceClass."""
_COMPUTE: Final = ("cpu", "memory", "ephemeral-storage")
_OBJECTS: Final = {"configmaps": CONFIG_MAPS, "secrets": SECRETS, "services": SERVICES}
_COUNTED: Final = frozenset({JOBS, ALL_PODS, CONFIG_MAPS, SECRETS, SERVICES, CLAIMS, CLAIM_TEMPLATES})


def quota_key(name: str) -> str | None:
    """Return under which key a quota's entry counts what jobs take; None for an entry that counts nothing that we make.

    `cpu` and `requests.cpu` are one, and so are `services` and `count/services`. An extended resource is counted only as
    `requests.NAME`: the API server passes over it without the prefix (pkg/quota/v1/evaluator/core/pods.go).
    """
    plain = name.removeprefix(REQUESTS)
    if plain in _COMPUTE or plain.startswith("hugepages-"):
        return plain
    if name == "pods" or name in _COUNTED or name.endswith(PER_CLASS) or name.removeprefix(LIMITS) in _COMPUTE:
        return name
    if name in _OBJECTS:
        return _OBJECTS[name]
    extended = plain.startswith(IMPLICIT_CLASS) or ("/" in plain and "kubernetes.io/" not in plain)
    return plain if extended and plain != name else None


@dataclass(frozen=True, slots=True, kw_only=True)
class EffortScope:
    """Which pods a quota counts, as its scopes BestEffort and NotBestEffort say."""

    best_effort: bool | None = None
    """True: it counts only pods that ask for neither CPU nor memory; False: only others; None: all."""

    def counts(self, *, best_effort: bool) -> bool:
        """Tell whether it counts pods that ask for neither CPU nor memory, or others."""
        return self.best_effort in (None, best_effort)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota(EffortScope):
    """What one ResourceQuota leaves to our jobs, by `quota_key`."""

    name: str
    left: Mapping[str, int]
    """What is named and 0 or less lets nothing through."""
    hard: Mapping[str, int] = field(default_factory=dict)
    """All that there is, for words."""
    uncounted: frozenset[str] = frozenset()
    """Of `left`: whose use the member has not counted yet, so that its API server lets nothing through."""


class LimitType(StrEnum):
    """What an item of a LimitRange is about."""

    CONTAINER = "Container"
    POD = "Pod"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitItem:
    """One item of a LimitRange, as the API server stored it: with the defaults that it fills in itself."""

    range: str
    """Name of the LimitRange."""
    type: LimitType
    least: Amounts = ()
    most: Amounts = ()
    default: Amounts = ()
    """Limits of a container that names none."""
    default_request: Amounts = ()
    ratios: Amounts = ()
    """Greatest limit as a multiple of the request, in thousandths."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compulsory(EffortScope):
    """What a quota makes each container name, though it be 0 (`must specify limits.memory`)."""

    quota: str
    names: tuple[str, ...]
    """As the quota has them: cpu, requests.memory, limits.cpu."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What the API server asks of every pod of a namespace, whatever is left there."""

    limits: tuple[LimitItem, ...] = ()
    compulsory: tuple[Compulsory, ...] = ()


NO_ADMISSION: Final = Admission()
"""Nothing is asked, or nobody may look."""
