"""A member link: from a kubeconfig to a live, verified view of one member, for as long as its offers exist.

Nothing it does or suffers can slow another link: its own client, limits, tasks and backoff. It never creates or deletes anything on
the member; it stops acting when the cluster behind the credentials is no longer the one it met first.
"""

import asyncio
import logging
import random
from collections.abc import Mapping

from sampan.api.convert.offers import SecretRef
from sampan.controller.members.connection.session import Session, SessionCallbacks
from sampan.controller.members.facts import LinkFacts
from sampan.controller.members.job_copies import JobCopies
from sampan.controller.members.kubeconfig_secrets import SecretProblem
from sampan.controller.members.memory import LinkMemory
from sampan.controller.members.terms import (
    ConditionText,
    LinkCallbacks,
    LinkSettings,
    ReconnectError,
    WrongClusterError,
    describe,
    first_error,
    leave_if_cancelled,
)
from sampan.controller.observation.outage import Outage, outage_after
from sampan.faults import log_fault
from sampan.inventory.in_flight import PodUse
from sampan.inventory.member import Inventory
from sampan.kube.credentials import kubeconfig
from sampan.kube.errors import KubeError, Unauthorized
from sampan.kube.objects import workloads as kube
from sampan.kube.transport.client import Client
from sampan.kube.watch.backoff import Backoff
from sampan.model.members.cluster import Node
from sampan.model.members.offer_reasons import OfferReason, invalid_kubeconfig

log = logging.getLogger(__name__)

_LONG_ENOUGH = 60.0
"""Seconds after which a connection that ends is not counted as one more failure."""


class MemberLink:
    """One link per kubeconfig Secret and key; all offers of its namespace that name it share it."""

    def __init__(self, key: SecretRef, settings: LinkSettings, callbacks: LinkCallbacks) -> None:
        """Nothing is opened before `run`."""
        self.key = key
        self.facts = LinkFacts()
        self._outages: dict[str, Outage] = {}
        self._settings, self._callbacks = settings, callbacks
        self._memory = LinkMemory(
            inventory=Inventory(settings.hub_id, self._capacity_changed),
            copies=JobCopies(settings.hub_id, self._job_changed),
        )
        self._session: Session | None = None
        self._source: ConditionText | None = SecretProblem.PENDING.reason, SecretProblem.PENDING.message(key)
        self._problem: ConditionText | None = None
        self._new_credentials = asyncio.Event()
        self._unreported_jobs: set[str] = set()
        self._ready = False
        self._lost_nodes: set[str] = set()

    @property
    def cluster_uid(self) -> str | None:
        """Return the kube-system UID of the first cluster met; it never changes."""
        return self._memory.cluster_uid

    @property
    def client(self) -> Client:
        """Return the member's client; only while `connected`."""
        if self._session is None:
            raise RuntimeError("the link has no client: look at connected first")
        return self._session.client

    @property
    def connected(self) -> bool:
        """Tell whether the member answers, is the one it was, and what concerns all its jobs is known: see `follows` for one job."""
        return self._session is not None and self._session.fresh and self._session.synced

    def follows(self, namespace: str) -> bool:
        """Tell whether it is connected, and what is known of our objects in a namespace is current: then, and only then, act on them."""
        return self.connected and self._session is not None and namespace not in self._session.behind

    def outage(self, namespace: str) -> Outage | None:
        """Return since when and why the jobs of a namespace cannot be worked with; None where they can, or where that is not known yet."""
        return self._outages.get(namespace if namespace in self._memory.namespaces else "")

    @property
    def version(self) -> str:
        """Return the member's version, such as v1.36.3."""
        return self._memory.version

    @property
    def missing_permissions(self) -> tuple[str, ...]:
        """Return the rights that the credential lacks; empty before the first review."""
        return self._memory.access.missing if self._memory.access else ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return what the platform team should know: `OverPrivileged`."""
        return (OfferReason.OVER_PRIVILEGED,) if self._memory.access and self._memory.access.over_privileged else ()

    @property
    def inventory(self) -> Inventory:
        """Return nodes and pods, node by node."""
        return self._memory.inventory

    @property
    def nodes(self) -> Mapping[str, Node]:
        """Return the nodes by name, live."""
        return self._memory.inventory.nodes

    @property
    def pods(self) -> Mapping[str, PodUse]:
        """Return the pods of all namespaces that hold room on a node, by pod UID, live."""
        return self._memory.inventory.pods

    @property
    def jobs(self) -> dict[str, kube.Job]:
        """Return our Jobs by the UID of their ComputeJob, live; answers of the API server may be put in."""
        return self._memory.copies.jobs

    @property
    def ended_jobs(self) -> dict[str, kube.Job]:
        """Return the last picture of our Jobs that went with a result, by the UID of the ComputeJob; to be taken out."""
        return self._memory.copies.ended_jobs

    @property
    def own_pods(self) -> dict[str, dict[str, kube.Pod]]:
        """Return our pods of all phases by the UID of their ComputeJob, then by pod UID, live."""
        return self._memory.copies.own_pods

    def has_remnants(self, job_uid: str) -> bool:
        """Tell whether a Job or pod of this ComputeJob is known to be there, of any attempt."""
        return self._memory.copies.has_remnants(job_uid)

    def set_source(self, source: bytes | SecretProblem) -> None:
        """Take what the Secret holds now. What cannot be used is reported, and the last good kubeconfig stays in use."""
        if isinstance(source, SecretProblem):
            self._source = source.reason, source.message(self.key)
            return self._update_facts()
        try:
            parsed = kubeconfig.parse(source, policy=self._settings.policy)
        except kubeconfig.InvalidKubeconfig as error:
            reason = invalid_kubeconfig(error.code)
            self._source = reason, f"{reason}: Secret {self.key}: {error.message}"
            return self._update_facts()
        self._source = None
        if self._memory.newest is None or self._memory.newest.fingerprint != parsed.fingerprint:
            self._memory.newest = parsed
            self._new_credentials.set()
            if self._session is not None:
                self._session.new_credentials()
        return self._update_facts()

    def follow(self, namespaces: frozenset[str]) -> None:
        """Watch our objects in these namespaces of the member, and ask for our rights there."""
        if namespaces != self._memory.namespaces:
            self._memory.namespaces = namespaces
            if self._session is not None:
                self._session.follow()

    def request_review(self) -> None:
        """Look at the member and our rights there at once: a call was refused, or went unanswered."""
        if self._session is not None:
            self._session.request_review()

    async def run(self) -> None:
        """Connect, and connect again, until cancelled."""
        backoff = Backoff(random.uniform, base=self._settings.retry_base)
        loop = asyncio.get_running_loop()
        while True:
            while self._memory.newest is None:
                await self._pause(None)
            began = loop.time()
            try:
                await asyncio.create_task(self._connect(), name=f"connection {self.key}")
            except* ReconnectError:
                backoff.reset()
            except* Exception as group:  # noqa: BLE001  a fault in here must not end the other links
                self._on_failure(first_error(group))
            leave_if_cancelled()
            if loop.time() - began > _LONG_ENOUGH:
                backoff.reset()
            await self._pause(backoff.next())

    async def _pause(self, seconds: float | None) -> None:
        """Wait, but not when there are new credentials to try."""
        try:
            async with asyncio.timeout(seconds):
                await self._new_credentials.wait()
        except TimeoutError:
            return
        self._new_credentials.clear()

    async def _connect(self) -> None:
        """Hold one connection until something ends it."""
        chosen = self._memory.choice()
        assert chosen is not None
        self._new_credentials.clear()
        listener = SessionCallbacks(changed=self._update_facts, refused=lambda: self._callbacks.refused(self))
        try:
            async with Client(chosen, limits=self._settings.limits, observe=self._settings.observe) as client:
                self._session = Session(client, self._memory, settings=self._settings, callbacks=listener)
                await self._session.run()
        except Exception as error:
            cause = first_error(error) if isinstance(error, ExceptionGroup) else error
            self._memory.note_failure(self._session.client.credentials if self._session else chosen, cause)
            raise
        finally:
            self._session = None
            self._update_facts()

    def _on_failure(self, error: BaseException) -> None:
        self._problem = describe(error)
        log.warning("link.disconnected", extra={"link": str(self.key), "reason": str(self._problem[0])})
        if not isinstance(error, KubeError | WrongClusterError):
            log_fault(log, "link.crashed", error, link=str(self.key))
        if isinstance(error, Unauthorized):
            self._callbacks.refused(self)
        self._update_facts()

    def _job_changed(self, job_uid: str) -> None:
        if self._session is not None and self._session.verified:
            self._callbacks.job_changed(self, job_uid)
        else:
            self._unreported_jobs.add(job_uid)

    def _capacity_changed(self, nodes: frozenset[str]) -> None:
        """Tell of changed nodes, and of our jobs on those that were lost or came back: their pods need not say so themselves."""
        self._callbacks.capacity_changed(self, nodes)
        inventory = self._memory.inventory
        for name in nodes:
            node, uses = inventory.nodes.get(name), inventory.pods_on(name)
            lost = bool(uses) if node is None else not node.ready  # names of nodes that went with all their pods must not pile up
            if lost != (name in self._lost_nodes):
                (self._lost_nodes.add if lost else self._lost_nodes.discard)(name)
                for job_uid in sorted({use.job_uid for use in uses if use.job_uid}):
                    self._job_changed(job_uid)

    def _update_facts(self) -> None:
        if self._session is not None and self._session.verified and self._unreported_jobs:
            held, self._unreported_jobs = self._unreported_jobs, set()
            for job_uid in sorted(held):
                self._callbacks.job_changed(self, job_uid)
        facts, ready = self._facts(), self.connected
        silent = self._session.silent_for if self._session is not None and facts.reason == OfferReason.UNREACHABLE else 0.0
        heard = self._settings.clock() - int(silent * 1000)
        found = {name: outage_after(facts.of(name), self._outages.get(name), heard=heard) for name in ("", *self._memory.namespaces)}
        outages = {name: outage for name, outage in found.items() if outage is not None}
        if facts != self.facts or outages != self._outages or (ready and not self._ready):
            self.facts, self._outages, self._ready = facts, outages, ready
            self._callbacks.link_changed(self)
        self._ready = ready

    def _facts(self) -> LinkFacts:
        session, rights = self._session, self._memory.access
        followed = session is not None and session.synced and session.stalled is None
        up = session is not None and session.alive and (followed or bool(rights and LinkFacts(missing=rights.missing).of("").missing))
        if up:
            self._problem = None
        published = self._memory.published
        current = published is None or published.fresh
        reason, message = self._condition(session, up=up) if current or not up else (OfferReason.CAPACITY_STALE, "")
        if up and published is not None:
            message = "; ".join(part for part in (message, published.description) if part)
        return LinkFacts(
            connected=up and current,
            reason=reason,
            message=message,
            cluster_uid=self.cluster_uid,
            version=self.version,
            missing=rights.missing if rights else None,
            absent=rights.absent if rights else (),
            behind=tuple(sorted((name, *why) for name, why in session.behind.items())) if session else (),
            over_privileged=bool(self.warnings),
            fingerprint=session.client.credentials.fingerprint[:12] if session else self.facts.fingerprint,
            pod_security=tuple(sorted(self._memory.inventory.quotas.pod_security.items())),
            unseen=self._memory.optional.unseen,
        )

    def _condition(self, session: Session | None, *, up: bool) -> ConditionText:
        doubtful = self._source or (session.rotation_problem if session else None)
        if up:
            kept = "; the last good kubeconfig stays in use"
            return (doubtful[0], doubtful[1] + kept) if doubtful else (OfferReason.CONNECTED, "")
        if doubtful and self._memory.newest is None:
            return doubtful
        trouble = (session.problem or session.stalled if session else None) or self._problem
        trouble = trouble or ((OfferReason.SYNCING, "reading what is there") if session else (OfferReason.CONNECTING, ""))
        return (doubtful[0], f"{doubtful[1]}; with the last good kubeconfig: {trouble[0]}") if doubtful else trouble
