"""Which rights Sampan needs on a member, and whether a credential has them.

The list here equals what the member chart grants and what is called; nothing else may say what we need. No decisions about offers.
"""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sampan.controller.members.tenants import NAME as TENANTS
from sampan.kube.access import Access
from sampan.kube.errors import Forbidden, NotFound
from sampan.kube.objects.meta import PartialObject
from sampan.kube.objects.quotas import ApiGroups
from sampan.kube.objects.summary import NAME as SUMMARY
from sampan.kube.transport.client import Client
from sampan.kube.transport.paths import API_GROUPS, resource_path
from sampan.kube.transport.served import served_in
from sampan.model.launch import PodSecurity

_IDENTITY: Final = Access(verb="get", resource="namespaces", name="kube-system")
_KUBE_SYSTEM: Final = resource_path("v1", "namespaces", name="kube-system")
_DIRECT: Final = (
    Access(verb="list", resource="nodes"),
    Access(verb="watch", resource="nodes"),
    Access(verb="list", resource="pods"),
    Access(verb="watch", resource="pods"),
)
_PER_NAMESPACE: Final = (
    ("batch", "jobs", ("get", "list", "watch", "create", "patch", "delete")),
    ("", "pods", ("list", "watch", "deletecollection")),
    ("", "services", ("create", "get", "deletecollection")),
    ("", "configmaps", ("create", "get", "deletecollection")),
    ("", "secrets", ("create", "deletecollection")),
    ("resource.k8s.io", "resourceclaimtemplates", ("create", "get", "deletecollection")),
)
KUEUE: Final = "kueue.x-k8s.io"
NETWORKING: Final = "networking.k8s.io"
NETWORK_POLICIES: Final = "networkpolicies"
_OPTIONAL: Final = (
    ("resource.k8s.io/v1", "resourceslices", False),
    ("resource.k8s.io/v1", "resourceclaims", False),
    (f"{KUEUE}/*", "clusterqueues", False),
    ("node.k8s.io/v1", "runtimeclasses", False),
    (f"{KUEUE}/*", "localqueues", True),
    ("v1", "resourcequotas", True),
    ("v1", "limitranges", True),
    ("scheduling.k8s.io/v1", "priorityclasses", False),
    ("v1", "namespaces", True),
    (f"{NETWORKING}/v1", NETWORK_POLICIES, True),
)
"""(group and version, resource, in the jobs' namespaces only): what tells more of a member, where served and granted; *: any version.

NetworkPolicies tell nothing: the right to make them says that the provider isolates pods, and that a gang needs one to reach itself.
"""
_LIMITING: Final = ("limitranges", "priorityclasses", "resourcequotas")
"""Without these nobody knows before a create what a member's API server will refuse."""
_ENFORCED: Final = "pod-security.kubernetes.io/enforce"
_ANYTHING: Final = Access(verb="*", resource="*", group="*")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessReview:
    """What a review found."""

    missing: tuple[str, ...] = ()
    """As people write it: `create jobs.batch in sampan-jobs`."""
    absent: tuple[tuple[str, str], ...] = ()
    """Namespaces for our jobs that are not there, or about to go: the name and the fact in words."""
    over_privileged: bool = False
    """The credential may do anything: more than a hub should ever hold."""
    published: str = ""
    """Namespace of the summary that stands for nodes and pods, where those may not be read; empty: they are read directly."""

    def is_unblocked_by(self, after: "AccessReview") -> bool:
        """Tell whether something that was in the way is so no longer."""
        return bool(set(self.missing) - set(after.missing) or {name for name, _ in self.absent} - {name for name, _ in after.absent})


def tenants_access(namespace: str) -> tuple[Access, ...]:
    """Return the rights on the list of tenants in a namespace."""
    return tuple(Access(verb=verb, resource="configmaps", namespace=namespace, name=TENANTS) for verb in ("list", "watch"))


def namespace_access(namespace: str) -> tuple[Access, ...]:
    """Return every right that jobs need in their namespace."""
    return _in([namespace])


def required_access(namespaces: Iterable[str]) -> tuple[Access, ...]:
    """Return every right that Sampan uses on a member whose jobs run in these namespaces."""
    return (_IDENTITY, *_DIRECT, *_in(namespaces))


def summary_access(namespace: str) -> tuple[Access, ...]:
    """Return the rights on the summary of a member that publishes its capacity: they stand for those on nodes and pods."""
    return tuple(Access(verb=verb, resource="configmaps", namespace=namespace, name=SUMMARY) for verb in ("get", "list", "watch"))


def _in(namespaces: Iterable[str]) -> tuple[Access, ...]:
    return tuple(
        Access(verb=verb, resource=resource, group=group, namespace=namespace)
        for namespace in sorted(namespaces)
        for group, resource, verbs in _PER_NAMESPACE
        for verb in verbs
    )


def optional_access(group: str, resource: str, namespaces: Iterable[str]) -> tuple[Access, ...]:
    """Return the rights to follow one of the optional resources."""
    narrow = any(own for version, name, own in _OPTIONAL if (version.rpartition("/")[0], name) == (group, resource))
    places = sorted(namespaces) if narrow else [""]
    if resource == "namespaces":
        return tuple(Access(verb="get", resource=resource, namespace=place, name=place) for place in places)
    verbs = ("create", "get", "deletecollection") if resource == NETWORK_POLICIES else ("list", "watch")
    return tuple(Access(verb=verb, resource=resource, group=group, namespace=place) for place in places for verb in verbs)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionalResources:
    """What more of a member may be followed."""

    resources: frozenset[str] = frozenset()
    """Resources."""
    unseen: tuple[str, ...] = ()
    """Of what limits pods: resources that may not be looked at."""
    groups: tuple[str, ...] = ()
    """Groups of APIs that the member serves."""
    kueue: str = ""
    """The newest version in which it serves Kueue's queues; empty: it has no Kueue."""


NO_OPTIONAL_RESOURCES: Final = OptionalResources()


async def optional_resources(client: Client, namespaces: Iterable[str]) -> OptionalResources:
    """Return which optional resources a member serves and lets us follow. Raises KubeError."""
    groups, names = (await client.get(API_GROUPS, into=ApiGroups)).groups, tuple(namespaces)
    kueue = await served_in(client, groups, group=KUEUE, resource="localqueues")
    versions = {"v1", *(each.group_version for group in groups for each in group.versions), *([f"{KUEUE}/*"] if kueue else [])}
    there = [(version.rpartition("/")[0], resource) for version, resource, _ in _OPTIONAL if version in versions]
    wanted = {resource: optional_access(group, resource, names) for group, resource in there}
    allowed = await client.review(tuple(access for accesses in wanted.values() for access in accesses))
    more = frozenset(resource for resource, accesses in wanted.items() if all(allowed[access] for access in accesses))
    unseen = tuple(resource for resource in _LIMITING if resource in wanted and resource not in more)
    return OptionalResources(resources=more, unseen=unseen, groups=tuple(sorted(group.name for group in groups)), kueue=kueue)


async def review(client: Client, namespaces: Iterable[str], *, per_tenant: Iterable[str] = ()) -> AccessReview:
    """Ask the member about each right, and so whether its capacity is read directly or published. Raises KubeError.

    `per_tenant`: those of the namespaces that have a list of tenants.
    """
    names = sorted(namespaces)
    wanted = (*required_access(names), *(access for name in sorted(per_tenant) for access in tenants_access(name)))
    allowed = await client.review((*wanted, _ANYTHING, *(access for name in names for access in summary_access(name))))
    direct = any(allowed[access] for access in _DIRECT)  # with some of them, the others are missing
    published = "" if direct else next((name for name in names if all(allowed[access] for access in summary_access(name))), "")
    missing = tuple(str(each) for each in wanted if not allowed[each] and not (published and each in _DIRECT))
    gone = [(name, words) for name in names if (words := await _absence(client, name))]
    return AccessReview(missing=missing, absent=tuple(gone), over_privileged=allowed[_ANYTHING], published=published)


async def _absence(client: Client, name: str) -> str:
    """Return why no job can be made in a namespace, where we may look; empty where nothing is known against it."""
    try:
        found = await client.get(resource_path("v1", "namespaces", name=name), into=PartialObject)
    except NotFound:
        return f"namespace {name} does not exist on the member: install the member chart there again"
    except Forbidden:
        return ""
    since = found.metadata.deletion_timestamp
    return f"namespace {name} of the member is being deleted since {since}; nothing can be made there" if since else ""


async def identity(client: Client) -> str:
    """Return the UID of the member's kube-system namespace. Raises KubeError."""
    return (await client.get(_KUBE_SYSTEM, into=PartialObject)).metadata.uid


async def pod_security_levels(client: Client, namespaces: Iterable[str]) -> dict[str, str]:
    """Return the Pod Security level that each of these namespaces enforces: `privileged` where none is set. Raises KubeError."""
    found: dict[str, str] = {}
    for name in sorted(namespaces):
        with contextlib.suppress(NotFound):  # one that is gone has none, and is told of apart
            there = await client.get(resource_path("v1", "namespaces", name=name), into=PartialObject)
            found[name] = enforced_level(there)
    return found


def enforced_level(namespace: PartialObject) -> str:
    """Return the Pod Security level that a namespace enforces: `privileged` where none is set."""
    return namespace.metadata.labels.get(_ENFORCED, PodSecurity.PRIVILEGED)
