"""A member link: from a kubeconfig to a live, verified view of one member, for as long as its offers exist.

Nothing it does or suffers can slow another link: its own client, limits, tasks and backoff. It never creates or deletes anything on
the member; it stops acting when the cluster behind the credentials is no longer the one it met first.
"""

import logging
from collections.abc import Mapping

from sampan.api.convert.offers import SecretRef
from sampan.controller.members.changed_jobs import ChangedJobs
from sampan.controller.members.connection.access import NETWORK_POLICIES
from sampan.controller.members.connection.reconnect import ConnectionCallbacks, Connections
from sampan.controller.members.credentials import LinkCredentials
from sampan.controller.members.facts import LinkFacts
from sampan.controller.members.job_copies import JobCopies
from sampan.controller.members.kubeconfig_secrets import SecretProblem
from sampan.controller.members.link_report import LinkReport
from sampan.controller.members.memory import LinkMemory
from sampan.controller.members.outage import Outage
from sampan.controller.members.tenants import OfferNamespaces
from sampan.controller.members.terms import LinkCallbacks, LinkSettings, WrongClusterError, describe
from sampan.faults import log_fault
from sampan.inventory.member import Inventory
from sampan.kube.credentials import kubeconfig
from sampan.kube.errors import KubeError, Unauthorized
from sampan.kube.transport.client import Client
from sampan.model.members.cluster import Node
from sampan.model.members.offer_reasons import invalid_kubeconfig
from sampan.model.values.distribution import Distribution

log = logging.getLogger(__name__)


class MemberLink:
    """One link per kubeconfig Secret and key; all offers of its namespace that name it share it."""

    def __init__(self, key: SecretRef, settings: LinkSettings, callbacks: LinkCallbacks) -> None:
        """Nothing is opened before `run`."""
        self.key = key
        self._settings, self._callbacks = settings, callbacks
        self._changed_jobs = ChangedJobs(lambda uid: callbacks.job_changed(self, uid), may_tell=lambda: self._verified)
        self._memory = LinkMemory(
            inventory=Inventory(settings.hub_id, self._capacity_changed),
            copies=JobCopies(settings.hub_id, self._changed_jobs.add),
            credentials=LinkCredentials(key=key, tokens=settings.tokens),
        )
        heard = ConnectionCallbacks(changed=self._update_facts, refused=lambda: callbacks.refused(self), failed=self._on_failure)
        self._connections = Connections(str(key), self._memory, settings=settings, callbacks=heard)
        self._report = LinkReport((SecretProblem.PENDING.reason, SecretProblem.PENDING.message(key)))
        self._lost_nodes: set[str] = set()

    @property
    def facts(self) -> LinkFacts:
        """Return what is known of the link, as it was told last."""
        return self._report.facts

    @property
    def cluster_uid(self) -> str | None:
        """Return the kube-system UID of the first cluster met; it never changes."""
        return self._memory.cluster_uid

    @property
    def client(self) -> Client:
        """Return the member's client; only while `connected`."""
        if self._connections.session is None:
            raise RuntimeError("the link has no client: look at connected first")
        return self._connections.session.client

    @property
    def connected(self) -> bool:
        """Tell whether the member answers, is the one it was, and what concerns all its jobs is known: see `follows` for one job."""
        session = self._connections.session
        return session is not None and session.fresh and session.synced

    def follows(self, namespace: str) -> bool:
        """Tell whether it is connected, and what is known of our objects in a namespace is current: then, and only then, act on them."""
        session = self._connections.session
        return session is not None and session.follows(namespace)

    def isolates(self, namespace: str) -> bool:
        """Tell whether pods in a namespace of our jobs reach each other only where a NetworkPolicy of ours says so."""
        return namespace in self._memory.offers.named and NETWORK_POLICIES in self._memory.optional.resources

    def outage(self, namespace: str) -> Outage | None:
        """Return since when and why the jobs of a namespace cannot be worked with; None where they can, or where that is not known yet."""
        return self._report.outages.get(namespace if namespace in self._memory.namespaces else "")

    @property
    def call_seconds(self) -> Distribution:
        """Return how long calls to the member took, since the link was made."""
        return self._connections.call_seconds

    @property
    def inventory(self) -> Inventory:
        """Return nodes and pods, node by node."""
        return self._memory.inventory

    @property
    def nodes(self) -> Mapping[str, Node]:
        """Return the nodes by name, live."""
        return self._memory.inventory.nodes

    @property
    def copies(self) -> JobCopies:
        """Return our Jobs and pods there: live, and open to the API server's answers."""
        return self._memory.copies

    def set_source(self, source: bytes | SecretProblem) -> None:
        """Take what the Secret holds now. What cannot be used is reported, and the last good kubeconfig stays in use."""
        if isinstance(source, SecretProblem):
            self._report.source = source.reason, source.message(self.key)
            return self._update_facts()
        try:
            parsed = kubeconfig.parse(source, policy=self._settings.policy, context=self.key.context)
        except kubeconfig.InvalidKubeconfig as error:
            reason = invalid_kubeconfig(error.code)
            self._report.source = reason, f"{reason}: Secret {self.key}: {error.message}"
            return self._update_facts()
        self._report.source = None
        if self._memory.credentials.take(parsed):
            self._connections.new_credentials()
        return self._update_facts()

    def follow(self, offers: OfferNamespaces) -> None:
        """Watch our objects in the namespaces of the member that offers name, and in those of tenants that lists there name."""
        if offers != self._memory.offers:
            self._memory.tenants.offers = offers
            self._memory.update_namespaces()
            if self._connections.session is not None:
                self._connections.session.follow()

    def request_review(self) -> None:
        """Look at the member and our rights there at once: a call was refused, or went unanswered."""
        if self._connections.session is not None:
            self._connections.session.request_review()

    async def run(self) -> None:
        """Connect, and connect again, until cancelled."""
        await self._connections.run()

    def _on_failure(self, error: BaseException) -> None:
        self._report.problem = reason, _ = describe(error)
        log.warning("link.disconnected", extra={"link": str(self.key), "reason": str(reason)})
        if not isinstance(error, KubeError | WrongClusterError):
            log_fault(log, "link.crashed", error, link=str(self.key))
        if isinstance(error, Unauthorized):
            self._callbacks.refused(self)
        self._update_facts()

    @property
    def _verified(self) -> bool:
        return self._connections.session is not None and self._connections.session.verified

    def _capacity_changed(self, nodes: frozenset[str]) -> None:
        """Tell of changed nodes, and of our jobs on those that were lost or came back: their pods need not say so themselves."""
        self._callbacks.capacity_changed(self, nodes)
        inventory = self._memory.inventory
        for name in nodes:
            node, known = inventory.nodes.get(name), name in self._lost_nodes
            if node is not None and node.ready and not known:
                continue  # by far the most: no pod is looked at for them
            uses = inventory.pods_on(name)
            lost = bool(uses) if node is None else not node.ready  # names of nodes that went with all their pods must not pile up
            if lost != known:
                (self._lost_nodes.add if lost else self._lost_nodes.discard)(name)
                for job_uid in sorted({use.job_uid for use in uses if use.job_uid}):
                    self._changed_jobs.add(job_uid)

    def _update_facts(self) -> None:
        self._changed_jobs.release()
        changes = self._report.update(self._connections.session, self._memory, now=self._settings.clock(), ready=self.connected)
        if changes.facts:
            self._callbacks.link_changed(self)
        if changes.jobs:
            self._callbacks.jobs_affected(self)
