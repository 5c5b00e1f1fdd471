"""Which namespace of a member is whose, where its provider keeps tenants apart: what ConfigMap `sampan-tenants` says, and what of it holds.

The provider alone says it (the member chart writes the list): the hub makes no namespace and guesses no name. No I/O and no clock.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from sampan.kube.objects.meta import ConfigMap

NAME: Final = "sampan-tenants"
MAX_TENANTS: Final = 64
"""Tenants of one list that are heard, by name: each has watches of its own. The member chart takes no more."""
_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
PENDING: Final = "it was not looked at yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferNamespaces:
    """The namespaces of one member that offers name."""

    named: frozenset[str] = frozenset()
    """All of them."""
    per_tenant: frozenset[str] = frozenset()
    """Those of them whose list of tenants says where jobs run."""


NONE_NAMED: Final = OfferNamespaces()


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantNamespace:
    """One entry of a list."""

    listed_in: str
    """Namespace of the list."""
    tenant: str
    """A namespace of the hub."""
    namespace: str
    """On the member."""
    problem: str = ""
    """Why no job may run there; empty where jobs may."""


@dataclass(slots=True, kw_only=True)
class TenantNamespaces:
    """The lists of one member, and what is known of the namespaces in them."""

    offers: OfferNamespaces = NONE_NAMED
    """Namespaces that offers name."""
    followed: frozenset[str] = frozenset()
    """Namespaces where our jobs run."""
    changed: Callable[[], None] = lambda: None
    """Called when a list says something else."""
    problems: dict[str, str] = field(default_factory=dict)
    """By namespace, what was found when it was looked at; empty: nothing is against it."""
    _lists: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def put(self, namespace: str, holder: ConfigMap | None) -> None:
        """Take the list in a namespace as it is now; None: there is none."""
        fresh = dict(_entries({} if holder is None else holder.data))
        if self._lists.get(namespace, {}) != fresh:
            self._lists[namespace] = fresh
            self.changed()

    def listed(self, namespace: str) -> frozenset[str]:
        """Return the namespaces of tenants in one list."""
        return frozenset(self._lists.get(namespace, {}).values())

    def claimed(self, offers: OfferNamespaces) -> tuple[str, ...]:
        """Return the namespaces that are one tenant's and no more, by name: those to look at."""
        return tuple(sorted(each.namespace for each in self._entries(offers) if not each.problem))

    def all(self, offers: OfferNamespaces) -> tuple[TenantNamespace, ...]:
        """Return every entry of the lists that offers go by, with what is against it, by list and tenant."""
        return tuple(
            TenantNamespace(
                listed_in=each.listed_in,
                tenant=each.tenant,
                namespace=each.namespace,
                problem=each.problem or self.problems.get(each.namespace, PENDING),
            )
            for each in self._entries(offers)
        )

    def ready(self, offers: OfferNamespaces) -> frozenset[str]:
        """Return the namespaces of tenants where jobs may run."""
        return frozenset(each.namespace for each in self.all(offers) if not each.problem)

    def _entries(self, offers: OfferNamespaces) -> Iterator[TenantNamespace]:
        lists = {name: self._lists.get(name, {}) for name in sorted(offers.per_tenant)}
        owners: dict[str, set[str]] = {}
        for listed in lists.values():
            for tenant, namespace in listed.items():
                owners.setdefault(namespace, set()).add(tenant)
        for name, listed in lists.items():
            for tenant, namespace in listed.items():
                problem = ""
                if namespace in offers.named:
                    problem = f"{namespace} is remoteNamespace of an offer: give {tenant} another one in tenants of the member chart"
                elif len(owners[namespace]) > 1:
                    others = " and ".join(sorted(owners[namespace]))
                    problem = f"{namespace} is listed for {others}: give each its own in tenants of the member chart"
                yield TenantNamespace(listed_in=name, tenant=tenant, namespace=namespace, problem=problem)


def _entries(data: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """Return the entries that can be: both are names of namespaces. The rest is nobody's."""
    plain = [(tenant, namespace) for tenant, namespace in sorted(data.items()) if _LABEL.fullmatch(tenant) and _LABEL.fullmatch(namespace)]
    return plain[:MAX_TENANTS]
