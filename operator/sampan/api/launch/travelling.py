"""What of a job's namespace it takes along to the member: which ConfigMaps and Secrets, which keys of them, and what it may go without.

Lives here: the reading of a spec.
Must never live here: content of any object, and how the objects are named on the member.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sampan.api.fields.environment import EnvFrom, EnvVar
from sampan.api.fields.volumes import KeyToPath, Volume
from sampan.api.kinds.computejob import ComputeJobSpec
from sampan.api.launch.resolved_alternative import ResolvedAlternative

DOCKER_CONFIG: Final = ".dockerconfigjson"
"""The one key of a Secret with registry credentials."""


class TravelKind(StrEnum):
    """Kinds of the hub whose content travels."""

    CONFIG_MAP = "ConfigMap"
    SECRET = "Secret"  # noqa: S105  the name of a kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Travelling:
    """One object that travels."""

    kind: TravelKind
    name: str
    """The tenant's."""
    optional: bool
    """The job may start without it: all that names it says so."""
    keys: frozenset[str] | None
    """Keys that the job names, and no others travel; None: all do."""
    required: frozenset[str]
    """Keys without which the job cannot start."""
    pulls: bool = False
    """Images are pulled with it: a Secret of type kubernetes.io/dockerconfigjson."""

    def beside(self, other: "Travelling") -> "Travelling":
        """Return what both name, who name the same object."""
        return Travelling(
            kind=self.kind,
            name=self.name,
            optional=self.optional and other.optional,
            keys=None if self.keys is None or other.keys is None else self.keys | other.keys,
            required=self.required | other.required,
            pulls=self.pulls or other.pulls,
        )


def travelling(spec: ComputeJobSpec, run: ResolvedAlternative) -> tuple[Travelling, ...]:
    """Return what travels with a job that runs in one of its ways: each object once, ConfigMaps first, by their first mention."""
    found: dict[tuple[TravelKind, str], Travelling] = {}
    for each in _mentions(spec, run):
        known = found.get((each.kind, each.name))
        found[each.kind, each.name] = each if known is None else known.beside(each)
    return tuple(sorted(found.values(), key=lambda each: list(TravelKind).index(each.kind)))


def _mentions(spec: ComputeJobSpec, run: ResolvedAlternative) -> Iterator[Travelling]:
    template = spec.template
    for volume in template.volumes:
        yield from _of_volume(volume)
    for env, env_from in ((run.env, template.env_from), *((c.env, c.env_from) for c in template.init_containers)):
        yield from _of_environment(env, env_from)
    for secret in template.image_pull_secrets:
        key = frozenset((DOCKER_CONFIG,))
        yield Travelling(kind=TravelKind.SECRET, name=secret.name, optional=False, keys=key, required=key, pulls=True)


def _of_volume(volume: Volume) -> Iterator[Travelling]:
    if volume.config_map is not None:
        source = volume.config_map
        yield _projected(TravelKind.CONFIG_MAP, source.name, source.items, optional=source.optional)
    if volume.secret is not None:
        yield _projected(TravelKind.SECRET, volume.secret.secret_name, volume.secret.items, optional=volume.secret.optional)


def _projected(kind: TravelKind, name: str, items: tuple[KeyToPath, ...], *, optional: bool) -> Travelling:
    keys = frozenset(item.key for item in items)
    required = frozenset[str]() if optional else keys
    return Travelling(kind=kind, name=name, optional=optional, keys=keys or None, required=required)


def _of_environment(env: tuple[EnvVar, ...], env_from: tuple[EnvFrom, ...]) -> Iterator[Travelling]:
    for variable in env:
        source = variable.value_from
        if source is None:
            continue
        kind = TravelKind.SECRET if source.secret_key_ref is not None else TravelKind.CONFIG_MAP
        ref = source.secret_key_ref or source.config_map_key_ref
        assert ref is not None
        key = frozenset((ref.key,))
        required = frozenset[str]() if ref.optional else key
        yield Travelling(kind=kind, name=ref.name, optional=ref.optional, keys=key, required=required)
    for whole in env_from:
        kind = TravelKind.SECRET if whole.secret_ref is not None else TravelKind.CONFIG_MAP
        named = whole.secret_ref or whole.config_map_ref
        assert named is not None
        yield Travelling(kind=kind, name=named.name, optional=named.optional, keys=None, required=frozenset())
