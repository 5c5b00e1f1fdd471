"""A member link: from a kubeconfig to a live, verified picture of one member, for as long as its offers exist.

Nothing it does or suffers can slow another link: its own client, limits, tasks and backoff. It never creates or deletes anything on
the member; it stops acting when the cluster behind the credentials is no longer the one it met first.
"""

import asyncio
import logging
import random
from collections.abc import Mapping

from sampan.api.conditions import OfferReason as Why
from sampan.api.conditions import invalid_kubeconfig
from sampan.api.convert_offer import SecretRef
from sampan.controller.members.facts import LinkFacts
from sampan.controller.members.job_copies import OwnJobs
from sampan.controller.members.kubeconfig_secrets import SecretProblem
from sampan.controller.members.memory import Known
from sampan.controller.members.session import Listener, Session
from sampan.controller.members.terms import (
    BeginAgainError,
    LinkEvents,
    LinkSettings,
    Shown,
    StrangerError,
    first_of,
    leave_if_cancelled,
    shown,
)
from sampan.controller.observation.outage import Outage, outage_after
from sampan.faults import log_fault
from sampan.inventory.in_flight import PodUse
from sampan.inventory.member import Inventory
from sampan.kube import kubeconfig
from sampan.kube import workloads as kube
from sampan.kube.backoff import Backoff
from sampan.kube.client import Client
from sampan.kube.errors import KubeError, Unauthorized
from sampan.model.cluster import Node

log = logging.getLogger(__name__)

_LONG_ENOUGH = 60.0
"""Seconds after which a connection that ends is not counted as one more failure."""


class MemberLink:
    """One link per kubeconfig Secret and key; all offers of its namespace that name it share it."""

    def __init__(self, key: SecretRef, settings: LinkSettings, events: LinkEvents) -> None:
        """Nothing is opened before `run`."""
        self.key = key
        self.facts = LinkFacts()
        self._outages: dict[str, Outage] = {}
        self._settings, self._events = settings, events
        self._known = Known(
            inventory=Inventory(settings.hub_id, self._capacity_changed),
            own=OwnJobs(settings.hub_id, self._job_changed),
        )
        self._session: Session | None = None
        self._source: Shown | None = SecretProblem.PENDING.reason, SecretProblem.PENDING.message(key)
        self._trouble: Shown | None = None
        self._news = asyncio.Event()
        self._held: set[str] = set()
        self._ready = False
        self._lost_nodes: set[str] = set()

    @property
    def cluster_uid(self) -> str | None:
        """Return the kube-system UID of the first cluster met; it never changes."""
        return self._known.cluster_uid

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
        return self._outages.get(namespace if namespace in self._known.namespaces else "")

    @property
    def version(self) -> str:
        """Return the member's version, such as v1.36.3."""
        return self._known.version

    @property
    def missing_permissions(self) -> tuple[str, ...]:
        """Return the rights that the credential lacks; empty before the first review."""
        return self._known.rights.missing if self._known.rights else ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return what the platform team should know: `OverPrivileged`."""
        return ("OverPrivileged",) if self._known.rights and self._known.rights.over_privileged else ()

    @property
    def inventory(self) -> Inventory:
        """Return nodes and pods, node by node."""
        return self._known.inventory

    @property
    def nodes(self) -> Mapping[str, Node]:
        """Return the nodes by name, live."""
        return self._known.inventory.nodes

    @property
    def pods(self) -> Mapping[str, PodUse]:
        """Return the pods of all namespaces that hold room on a node, by pod UID, live."""
        return self._known.inventory.pods

    @property
    def jobs(self) -> dict[str, kube.Job]:
        """Return our Jobs by the UID of their ComputeJob, live; answers of the API server may be put in."""
        return self._known.own.jobs

    @property
    def ended_jobs(self) -> dict[str, kube.Job]:
        """Return the last picture of our Jobs that went with a result, by the UID of the ComputeJob; to be taken out."""
        return self._known.own.ended_jobs

    @property
    def own_pods(self) -> dict[str, dict[str, kube.Pod]]:
        """Return our pods of all phases by the UID of their ComputeJob, then by pod UID, live."""
        return self._known.own.own_pods

    def traces(self, job_uid: str) -> bool:
        """Tell whether a Job or pod of this ComputeJob is known to be there, of any attempt."""
        return self._known.own.traces(job_uid)

    def use(self, source: bytes | SecretProblem) -> None:
        """Take what the Secret holds now. What cannot be used is reported, and the last good kubeconfig stays in use."""
        if isinstance(source, SecretProblem):
            self._source = source.reason, source.message(self.key)
            return self._tell()
        try:
            parsed = kubeconfig.parse(source, policy=self._settings.policy)
        except kubeconfig.InvalidKubeconfig as error:
            reason = invalid_kubeconfig(error.code)
            self._source = reason, f"{reason}: Secret {self.key}: {error.message}"
            return self._tell()
        self._source = None
        if self._known.wanted is None or self._known.wanted.fingerprint != parsed.fingerprint:
            self._known.wanted = parsed
            self._news.set()
            if self._session is not None:
                self._session.rotate()
        return self._tell()

    def follow(self, namespaces: frozenset[str]) -> None:
        """Watch our objects in these namespaces of the member, and ask for our rights there."""
        if namespaces != self._known.namespaces:
            self._known.namespaces = namespaces
            if self._session is not None:
                self._session.follow()

    def doubt(self) -> None:
        """Look at the member and our rights there at once: a call was refused, or went unanswered."""
        if self._session is not None:
            self._session.doubt()

    async def run(self) -> None:
        """Connect, and connect again, until cancelled."""
        backoff = Backoff(random.uniform, base=self._settings.retry_base)
        loop = asyncio.get_running_loop()
        while True:
            while self._known.wanted is None:
                await self._pause(None)
            began = loop.time()
            try:
                await asyncio.create_task(self._connect(), name=f"connection {self.key}")
            except* BeginAgainError:
                backoff.reset()
            except* Exception as group:  # noqa: BLE001  a fault in here must not end the other links
                self._ended(first_of(group))
            leave_if_cancelled()
            if loop.time() - began > _LONG_ENOUGH:
                backoff.reset()
            await self._pause(backoff.next())

    async def _pause(self, seconds: float | None) -> None:
        """Wait, but not when there are new credentials to try."""
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return
        self._news.clear()

    async def _connect(self) -> None:
        """Hold one connection until something ends it."""
        chosen = self._known.choice()
        assert chosen is not None
        self._news.clear()
        listener = Listener(changed=self._tell, refused=lambda: self._events.refused(self))
        try:
            async with Client(chosen, limits=self._settings.limits, observe=self._settings.observe) as client:
                self._session = Session(client, self._known, settings=self._settings, listener=listener)
                await self._session.run()
        except Exception as error:
            cause = first_of(error) if isinstance(error, ExceptionGroup) else error
            self._known.note_failure(self._session.client.credentials if self._session else chosen, cause)
            raise
        finally:
            self._session = None
            self._tell()

    def _ended(self, error: BaseException) -> None:
        self._trouble = shown(error)
        log.warning("link.broken", extra={"link": str(self.key), "reason": str(self._trouble[0])})
        if not isinstance(error, KubeError | StrangerError):
            log_fault(log, "link.crashed", error, link=str(self.key))
        if isinstance(error, Unauthorized):
            self._events.refused(self)
        self._tell()

    def _job_changed(self, job_uid: str) -> None:
        if self._session is not None and self._session.verified:
            self._events.job_changed(self, job_uid)
        else:
            self._held.add(job_uid)

    def _capacity_changed(self, nodes: frozenset[str]) -> None:
        """Tell of changed nodes, and of our jobs on those that were lost or came back: their pods need not say so themselves."""
        self._events.capacity_changed(self, nodes)
        inventory = self._known.inventory
        for name in nodes:
            node, uses = inventory.nodes.get(name), inventory.pods_on(name)
            lost = bool(uses) if node is None else not node.ready  # names of nodes that went with all their pods must not pile up
            if lost != (name in self._lost_nodes):
                (self._lost_nodes.add if lost else self._lost_nodes.discard)(name)
                for job_uid in sorted({use.job_uid for use in uses if use.job_uid}):
                    self._job_changed(job_uid)

    def _tell(self) -> None:
        if self._session is not None and self._session.verified and self._held:
            held, self._held = self._held, set()
            for job_uid in sorted(held):
                self._events.job_changed(self, job_uid)
        facts, ready = self._facts(), self.connected
        silent = self._session.silent_for if self._session is not None and facts.reason == Why.UNREACHABLE else 0.0
        heard = self._settings.clock() - int(silent * 1000)
        found = {name: outage_after(facts.of(name), self._outages.get(name), heard=heard) for name in ("", *self._known.namespaces)}
        outages = {name: outage for name, outage in found.items() if outage is not None}
        if facts != self.facts or outages != self._outages or (ready and not self._ready):
            self.facts, self._outages, self._ready = facts, outages, ready
            self._events.link_changed(self)
        self._ready = ready

    def _facts(self) -> LinkFacts:
        session, rights = self._session, self._known.rights
        followed = session is not None and session.synced and session.stalled is None
        up = session is not None and session.alive and (followed or bool(rights and LinkFacts(missing=rights.missing).of("").missing))
        if up:
            self._trouble = None
        published = self._known.published
        current = published is None or published.fresh
        reason, message = self._why(session, up=up) if current or not up else (Why.CAPACITY_STALE, "")
        if up and published is not None:
            message = "; ".join(part for part in (message, published.told) if part)
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
            levels=tuple(sorted(self._known.inventory.layers.levels.items())),
            unseen=self._known.extras.unseen,
        )

    def _why(self, session: Session | None, *, up: bool) -> Shown:
        doubtful = self._source or (session.rotation if session else None)
        if up:
            kept = "; the last good kubeconfig stays in use"
            return (doubtful[0], doubtful[1] + kept) if doubtful else (Why.CONNECTED, "")
        if doubtful and self._known.wanted is None:
            return doubtful
        trouble = (session.trouble or session.stalled if session else None) or self._trouble
        trouble = trouble or ((Why.SYNCING, "reading what is there") if session else (Why.CONNECTING, ""))
        return (doubtful[0], f"{doubtful[1]}; with the last good kubeconfig: {trouble[0]}") if doubtful else trouble
