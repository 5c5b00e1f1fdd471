"""Paths of API resources, the only place that puts names into a URL.

Lives here: validation and quoting of each segment.
Must never live here: a function that takes a ready path from outside.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_VERSION = re.compile(r"v[0-9]{1,3}((alpha|beta)[0-9]{1,3})?")
_RESOURCE = re.compile(r"[a-z][a-z0-9]{0,62}")
# Names of RBAC objects are path segments: no slash, no percent sign, not a dot or two.
_SEGMENT = re.compile(r"[A-Za-z0-9_:.@-]{1,253}")


@dataclass(frozen=True, slots=True)
class ResourcePath:
    """A checked path and the words metrics know it by. Made only by the functions of this module."""

    url: str
    resource: str  # "jobs" or "computejobs/status"
    namespace: str | None = None
    name: str | None = None

    def __str__(self) -> str:
        """What messages call it: the resource with its namespace and name, no group."""
        return "/".join(part for part in (self.resource, self.namespace, self.name) if part)


VERSION = ResourcePath("/version", "version")
API_GROUPS = ResourcePath("/apis", "discovery")


def resource_path(
    group_version: str,
    resource: str,
    *,
    namespace: str | None = None,
    name: str | None = None,
    subresource: str | None = None,
) -> ResourcePath:
    """The path of a collection, an object or a subresource; ``group_version`` is ``v1`` or ``batch/v1``.

    Raises ValueError, naming the part and not its value, where a part is not what Kubernetes would accept there.
    """
    parts = [_root(group_version)]
    if namespace is not None:
        parts += ["namespaces", _checked("namespace", namespace, _LABEL)]
    parts.append(_checked("resource", resource, _RESOURCE))
    if name is not None:
        parts.append(_checked_name(name))
    if subresource is not None:
        if name is None:
            raise ValueError("a subresource needs the name of an object")
        parts.append(_checked("subresource", subresource, _RESOURCE))
    shown = resource if subresource is None else f"{resource}/{subresource}"
    return ResourcePath("/".join(parts), shown, namespace, name)


def discovery_path(group_version: str) -> ResourcePath:
    """Where the server lists the resources of a group and version."""
    return ResourcePath(_root(group_version), "discovery")


@lru_cache(maxsize=256)
def _root(group_version: str) -> str:
    """``/api/v1`` or ``/apis/GROUP/VERSION``."""
    group, _, version = group_version.rpartition("/")
    _checked("version", version, _VERSION)
    if not group:
        if version != "v1":
            raise ValueError("the core group has the version v1 only")
        return "/api/v1"
    if len(group) > 253:
        raise ValueError("group is longer than 253 characters")
    return f"/apis/{_checked('group', group, _SUBDOMAIN)}/{version}"


def _checked_name(name: str) -> str:
    """A name as one segment; a dot or two would climb."""
    if name in {".", ".."}:
        raise ValueError("name is not one the API accepts")
    return _checked("name", name, _SEGMENT)


@lru_cache(maxsize=8192)
def _checked(part: str, value: str, pattern: re.Pattern[str]) -> str:
    """``value`` quoted, if all of it matches; remembered, because the same names come with each call about an object."""
    if len(value) > 253 or not pattern.fullmatch(value):
        raise ValueError(f"{part} is not one the API accepts")
    return quote(value, safe="")
