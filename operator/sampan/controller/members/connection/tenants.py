"""Whether jobs may run in the namespaces of tenants: one question about all rights in each, and one look at the namespace itself.

For a namespace that all share each right is asked about by itself (`access`); for many, that would be some twenty calls each.
"""

import asyncio
import logging
from collections.abc import Callable

from sampan.controller.members.connection.access import enforced_level, namespace_access
from sampan.controller.members.connection.probe import NEVER, now
from sampan.controller.members.memory import LinkMemory
from sampan.controller.members.tenants import NAME as LIST
from sampan.controller.members.terms import LinkSettings
from sampan.kube.access import Access
from sampan.kube.errors import Forbidden, KubeError, NotFound
from sampan.kube.objects.meta import ConfigMap, PartialObject, SelfSubjectRulesReview
from sampan.kube.transport.client import Client
from sampan.kube.transport.paths import resource_path

log = logging.getLogger(__name__)
_SHOWN = 3
"""Rights that a message names."""


class TenantReviews:
    """Looks at the namespaces of tenants in one connection: those with a problem more often, all of them when a list changed."""

    def __init__(self, client: Client, memory: LinkMemory, settings: LinkSettings, *, wake: Callable[[], None]) -> None:
        """Nothing was looked at yet. `wake` is called when there is something to look at."""
        self._client, self._memory, self._settings = client, memory, settings
        self._reviewed = NEVER
        self.wanted, self._wake = True, wake
        memory.tenants.changed = self._ask

    @property
    def due(self) -> bool:
        """Tell whether it is time to look."""
        memory, since = self._memory, now() - self._reviewed
        if not memory.offers.per_tenant:
            return False
        wanting = any(memory.tenants.problems.values())
        return self.wanted or since >= (self._settings.review_missing if wanting else self._settings.review_every)

    def _ask(self) -> None:
        self.wanted = True
        self._wake()

    async def first(self) -> None:
        """Read the lists, and look at what they name, before anything is watched. Raises KubeError."""
        memory = self._memory
        for name in sorted(memory.offers.per_tenant):
            try:
                path = resource_path("v1", "configmaps", namespace=name, name=LIST)
                memory.tenants.put(name, await self._client.get(path, into=ConfigMap))
            except NotFound:
                memory.tenants.put(name, None)
            except Forbidden:
                continue  # a right that is missing, and told as such
        if memory.offers.per_tenant:
            await self.run()

    async def run(self) -> None:
        """Look at each namespace that is one tenant's; what does not answer in time is looked at again later."""
        self.wanted = False
        memory, found, levels = self._memory, dict[str, str](), dict[str, str]()
        try:
            async with asyncio.timeout(self._settings.probe_timeout * 2):
                for name in memory.tenants.claimed(memory.offers):
                    found[name], level = await self._look(name)
                    levels |= {name: level} if level else {}
        except (KubeError, TimeoutError) as error:
            log.info("link.review_failed", extra={"error": type(error).__name__})
        self._reviewed = now()
        known = memory.tenants.problems if self._kept_all(found) else {}
        memory.tenants.problems = {**known, **found}
        memory.inventory.quotas.pod_security = {**memory.inventory.quotas.pod_security, **levels}
        memory.update_namespaces()

    def _kept_all(self, found: dict[str, str]) -> bool:
        """Tell whether some were not looked at now: what was known of them stands."""
        return len(found) < len(self._memory.tenants.claimed(self._memory.offers))

    async def _look(self, name: str) -> tuple[str, str]:
        """Return what is against a namespace, and the Pod Security level that it enforces, empty: nobody may look. Raises KubeError."""
        try:
            there = await self._client.get(resource_path("v1", "namespaces", name=name), into=PartialObject)
        except NotFound:
            return f"namespace {name} does not exist on the member: upgrade the member chart there", ""
        except Forbidden:
            there = None
        if there is not None and there.metadata.deletion_timestamp:
            return f"namespace {name} of the member is being deleted", ""
        allowed = await _review(self._client, name)
        missing = [str(access) for access, may in allowed.items() if not may]
        more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        return f"the credential may not {', '.join(missing[:_SHOWN])}{more}" if missing else "", "" if there is None else enforced_level(
            there
        )


async def _review(client: Client, namespace: str) -> dict[Access, bool]:
    """Return which rights that jobs need there we have: by one question, each apart where the server cannot list its rules."""
    path = resource_path("authorization.k8s.io/v1", "selfsubjectrulesreviews")
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": namespace}}
    found = (await client.create(path, body, into=SelfSubjectRulesReview)).status
    allowed = {access: access.allowed_by(found.resource_rules) for access in namespace_access(namespace)}
    unsure = [access for access, may in allowed.items() if not may] if found.incomplete else []
    return allowed | await client.review(unsure)
