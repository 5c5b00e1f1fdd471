"""Which version of a group of APIs to speak: the newest that a server serves a resource in, by discovery."""

import re
from collections.abc import Iterable
from typing import Final

from sampan.kube.objects.meta import ApiResourceList
from sampan.kube.objects.quotas import ApiGroup
from sampan.kube.transport.client import Client
from sampan.kube.transport.paths import discovery_path

_VERSION: Final = re.compile(r"v([0-9]{1,3})(?:(alpha|beta)([0-9]{1,3}))?")
_STABLE: Final = 2


def priority(version: str) -> tuple[int, int, int]:
    """Return what versions order by, the greatest first to be tried: v2, v1, v1beta2, v1beta1, v1alpha1 (kubernetes.io, CRD versioning)."""
    match = _VERSION.fullmatch(version)
    if match is None:
        return (-1, 0, 0)
    kind, minor = match.group(2), int(match.group(3) or 0)
    return (_STABLE if kind is None else int(kind == "beta"), int(match.group(1)), minor)


async def served_in(client: Client, groups: Iterable[ApiGroup], *, group: str, resource: str) -> str:
    """Return the newest group version in which a server has a resource; empty: none. Raises KubeError."""
    told = [each.group_version for found in groups if found.name == group for each in found.versions]
    ordered = sorted(told, key=lambda each: priority(each.rpartition("/")[2]), reverse=True)
    for version in ordered:
        if priority(version.rpartition("/")[2])[0] < 0:
            continue
        resources = (await client.get(discovery_path(version), into=ApiResourceList)).resources
        if any(each.name == resource for each in resources):
            return version
    return ""
