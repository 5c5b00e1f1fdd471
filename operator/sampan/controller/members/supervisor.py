"""One link for each kubeconfig that offers name: started, ended, and found by the cluster that it leads to. No offer is judged here."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sampan.api.convert.offers import SecretRef
from sampan.controller.members.facts import LinkFacts
from sampan.controller.members.kubeconfig_secrets import SecretWatch
from sampan.controller.members.link import MemberLink
from sampan.controller.members.tenants import OfferNamespaces
from sampan.controller.members.terms import LinkCallbacks, LinkSettings
from sampan.kube.transport.client import Client


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisorCallbacks:
    """What is called of links that are in use, never of one that ended; all on the loop, none may block."""

    job_changed: Callable[[MemberLink, str], None]
    """(link, UID of the ComputeJob)."""
    capacity_changed: Callable[[MemberLink, frozenset[str]], None]
    """(link, names of the nodes)."""
    link_changed: Callable[[MemberLink], None]
    jobs_affected: Callable[[MemberLink], None]
    ended: Callable[[MemberLink], None]


class LinkSupervisor:
    """All links, by kubeconfig and by cluster."""

    def __init__(self, hub: Client, settings: LinkSettings, *, namespaces: Sequence[str], callbacks: SupervisorCallbacks) -> None:
        """`namespaces` are those whose Secrets may be read. Nothing runs before `run`."""
        self._settings, self._callbacks = settings, callbacks
        self._secrets = SecretWatch(hub, namespaces, changed=self._secret_changed)
        self._links: dict[SecretRef, MemberLink] = {}
        self._tasks: dict[SecretRef, asyncio.Task[None]] = {}
        self._by_cluster: dict[str, list[MemberLink]] = {}
        self._group: asyncio.TaskGroup | None = None
        self._followed: Mapping[SecretRef, OfferNamespaces] = {}
        self._link_callbacks = LinkCallbacks(
            job_changed=self._job_changed,
            capacity_changed=self._capacity_changed,
            link_changed=self._link_changed,
            jobs_affected=self._jobs_affected,
            refused=lambda link: self._secrets.reload(link.key),
        )

    def get(self, key: SecretRef) -> MemberLink | None:
        """Return the link of a kubeconfig."""
        return self._links.get(key)

    def facts(self, key: SecretRef) -> LinkFacts:
        """Return what is known of the link of a kubeconfig."""
        link = self._links.get(key)
        return LinkFacts() if link is None else link.facts

    def leading_to(self, cluster_uid: str) -> Sequence[MemberLink]:
        """Return the links that lead to a cluster, in no order."""
        return self._by_cluster.get(cluster_uid, ())

    def all(self) -> tuple[MemberLink, ...]:
        """Return every link, by kubeconfig."""
        return tuple(self._links[key] for key in sorted(self._links))

    def follow(self, wanted: Mapping[SecretRef, OfferNamespaces]) -> None:
        """Have one link for each of these kubeconfigs, and none else; with each, the namespaces of our jobs there."""
        if wanted is self._followed or wanted == self._followed:
            return
        self._followed = wanted
        for key in self._links.keys() - wanted.keys():
            self._end(key)
        new = [key for key in wanted if key not in self._links]
        for key in new:
            self._links[key] = MemberLink(key, self._settings, self._link_callbacks)
            self._start(key)
        for key, namespaces in wanted.items():
            self._links[key].follow(namespaces)
        self._secrets.set_wanted(wanted)
        for key in new:
            self._secret_changed(key)

    async def run(self) -> None:
        """Keep the links until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            for key in self._links:
                self._start(key)
            group.create_task(self._secrets.run(), name="secrets")

    def _start(self, key: SecretRef) -> None:
        if self._group is not None and key not in self._tasks:
            self._tasks[key] = self._group.create_task(self._links[key].run(), name=f"link {key}")

    def _end(self, key: SecretRef) -> None:
        link = self._links.pop(key)
        task = self._tasks.pop(key, None)
        if task is not None:
            task.cancel()
        if link.cluster_uid is not None:
            self._by_cluster[link.cluster_uid] = [other for other in self.leading_to(link.cluster_uid) if other is not link]
        self._callbacks.ended(link)

    def _secret_changed(self, ref: SecretRef) -> None:
        link = self._links.get(ref)
        if link is not None:
            link.set_source(self._secrets.read(ref))

    def _in_use(self, link: MemberLink) -> bool:
        """Tell whether a link has not ended; one that met its cluster is found by it from then on."""
        if self._links.get(link.key) is not link:
            return False
        if link.cluster_uid is not None:
            known = self._by_cluster.setdefault(link.cluster_uid, [])
            if link not in known:
                known.append(link)
        return True

    def _link_changed(self, link: MemberLink) -> None:
        if self._in_use(link):
            self._callbacks.link_changed(link)

    def _jobs_affected(self, link: MemberLink) -> None:
        if self._in_use(link):
            self._callbacks.jobs_affected(link)

    def _job_changed(self, link: MemberLink, job_uid: str) -> None:
        if self._in_use(link):
            self._callbacks.job_changed(link, job_uid)

    def _capacity_changed(self, link: MemberLink, nodes: frozenset[str]) -> None:
        if self._in_use(link):
            self._callbacks.capacity_changed(link, nodes)
