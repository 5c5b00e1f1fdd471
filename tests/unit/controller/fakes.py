"""The world around the operator's core in one process: a hub and members that are fakes, the parts between them that are real.

Lives here: fakes of the Protocols of `state` and `observation`, and a World that wires them to the real reconciler.
Must never live here: assertions.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

import builders as b
from jobs import CLUSTER, HUB, NOW, OFFER, body
from sampan.controller.hub.client import HubClient
from sampan.controller.members.job_copies import JobCopies, attempt_of
from sampan.controller.members.outage import Outage
from sampan.controller.reconcile.dependencies import ReconcilerDeps
from sampan.controller.reconcile.job_specs import JobSpecs
from sampan.controller.reconcile.reconciler import JobReconciler
from sampan.controller.reconcile.view.member_view import MemberView
from sampan.controller.runtime.settings import Settings
from sampan.controller.state.store import State
from sampan.inventory.cluster import InFlightSource
from sampan.kube.objects.workloads import Job as RemoteJob
from sampan.kube.objects.workloads import Pod
from sampan.kube.transport.client import Client
from sampan.kube.transport.limits import Limits
from sampan.model.members.accelerator import AcceleratorClass
from sampan.model.members.cluster import Cell, Cluster, Node, Pool
from sampan.model.members.offer import Offer, OfferKey
from sampan.model.plan import Assignment
from sampan.model.status.attempt import Binding
from sampan.model.values.names import LABEL_JOB_UID, remote_name
from unit.controller.fake_cluster import FakeCluster, cluster
from unit.controller.fake_outputs import FakeOutputs

JOBS = "sampan.dev/v1alpha1/computejobs"
REMOTE = "batch/v1/jobs"
H100_JOB: dict[str, Any] = {"alternatives": [{"accelerator": {"class": b.H100, "count": 8}}]}


def pool(name: str = "h100-x8", nodes: tuple[str, ...] = ("n1", "n2")) -> Pool:
    """A pool of the member."""
    return replace(b.pool(name, members=nodes), cluster_uid=CLUSTER)


class FakeMemberSource:
    """What `State` asks of the members."""

    def __init__(self, *pools: Pool) -> None:
        self.pools = pools or (pool(),)
        self.copies: dict[str, RemoteJob] = {}

    def offers(self) -> Mapping[OfferKey, Offer]:
        return {OFFER: b.offer(OFFER.name, namespace=OFFER.namespace, cluster_uid=CLUSTER)}

    def cells(self) -> tuple[Cell, ...]:
        return tuple(Cell(offer=OFFER, pool=each) for each in self.pools)

    def classes(self) -> Mapping[str, AcceleratorClass]:
        return {}

    def clusters(self, in_flight: InFlightSource) -> Mapping[str, Cluster]:
        return self._clusters()

    def _clusters(self) -> Mapping[str, Cluster]:
        nodes = {name: replace(b.node(name), hostname=f"{name}.example") for each in self.pools for name in each.nodes}
        return {CLUSTER: Cluster(uid=CLUSTER, nodes=nodes)}

    def nodes(self, cluster_uid: str) -> Mapping[str, Node]:
        cluster = self._clusters().get(cluster_uid)
        return cluster.nodes if cluster is not None else {}

    def remote_job(self, binding: Binding, job_uid: str) -> RemoteJob | None:
        return self.copies.get(job_uid) if binding.cluster_uid == CLUSTER else None


@dataclass(slots=True)
class FakeLink:
    """A member link whose caches a test fills."""

    client: Client
    copies: JobCopies = field(default_factory=lambda: JobCopies(HUB, lambda uid: None))
    nodes: dict[str, Node] = field(default_factory=dict)
    connected: bool = True
    doubts: int = 0
    behind: set[str] = field(default_factory=set)
    isolating: bool = False

    def show(self, copy: RemoteJob, uid: str = "u1") -> None:
        """Show this copy of a job and no other."""
        self.copies.jobs[uid] = {(attempt_of(copy.metadata.labels), copy.metadata.namespace): copy}

    def show_pods(self, pods: Mapping[str, Pod], uid: str = "u1") -> None:
        """Show these pods of a job, by their UID, and no others."""
        self.copies.pods._known.replace(uid, pods)

    def follows(self, namespace: str) -> bool:
        """Connected, and that namespace is followed."""
        return self.connected and namespace not in self.behind

    def isolates(self, namespace: str) -> bool:
        return self.isolating

    def request_review(self) -> None:
        """Count."""
        self.doubts += 1


class FakeMembers:
    """One member, behind OFFER, and those that a test adds."""

    def __init__(self, link: FakeLink) -> None:
        self.link: FakeLink | None = link
        self.others: dict[str, FakeLink] = {}
        self.exists, self.draining = True, False
        self.lost: Outage | None = None
        self.targets: dict[OfferKey, str | None] = {OFFER: "sampan-jobs"}

    def link_of(self, cluster_uid: str) -> FakeLink | None:
        return self.link if cluster_uid == CLUSTER else self.others.get(cluster_uid)

    def outage(self, cluster_uid: str, offer: OfferKey, namespace: str) -> Outage | None:
        return self.lost

    def offer_state(self, offer: OfferKey) -> tuple[bool, bool]:
        return self.exists and offer == OFFER, self.draining

    def remote_namespace(self, offer: OfferKey, tenant: str) -> str | None:
        return self.targets[offer]

    def pull_secrets(self, offer: OfferKey) -> tuple[str, ...]:
        return ("pull",)


async def until(found: Callable[[], Any], seconds: float = 180) -> None:
    """Wait for a condition that other tasks or threads bring about."""
    async with asyncio.timeout(seconds):
        while not found():  # noqa: ASYNC110  what is waited for knows no event
            await asyncio.sleep(0.002)


class World:
    """A hub, a member, and the reconciler between them; `watch` plays both watches, `settle` waits until the reconciler rests."""

    def __init__(self, hub: FakeCluster, member: FakeCluster, clients: tuple[Client, Client], **settings: Any) -> None:
        self.hub, self.member = hub, member
        self.now = NOW
        self.source = FakeMemberSource()
        self.link = FakeLink(clients[1])
        self.members = FakeMembers(self.link)
        self.settings = Settings(**settings)
        self.waited = 0
        self.outputs = FakeOutputs()
        self._clients = clients
        self.restart()

    def restart(self) -> None:
        """Start the operator's parts anew, as after a crash: nothing of its memory is left, the caches are read again."""
        clock = lambda: self.now  # noqa: E731
        self.state = State(self.source, currency="CNY", cooldown=int(self.settings.cooldown * 1000))
        self.state.on_pending.append(self._count)
        self.view = MemberView(self.members, clock)
        hub = HubClient(self._clients[0])
        tools = ReconcilerDeps(
            state=self.state,
            members=self.members,
            hub=hub,
            specs=JobSpecs(self.state.allocations, hub, HUB, namespace="sampan-system"),
            view=self.view,
            outputs=self.outputs,
            settings=self.settings,
            clock=clock,
        )
        self.reconciler = JobReconciler(tools)

    def _count(self) -> None:
        self.waited += 1

    def add(self, uid: str = "u1", **kwargs: Any) -> None:
        """Create a ComputeJob on the hub and let the watch tell of it."""
        made = self.hub.put(JOBS, body(uid, **kwargs))
        self.state.apply_job(json.loads(json.dumps(made)))

    def job(self, uid: str = "u1") -> dict[str, Any]:
        """The ComputeJob on the hub."""
        return self.hub.get(JOBS, f"job-{uid}")

    def status(self, uid: str = "u1") -> dict[str, Any]:
        """Its status."""
        found: dict[str, Any] = self.job(uid)["status"]
        return found

    def change(self, uid: str = "u1", *, spec: Mapping[str, Any] | None = None, **meta: Any) -> None:
        """Change a ComputeJob as a user; the watch has not told of it yet."""
        new = json.loads(json.dumps(self.job(uid)))
        new["metadata"] |= meta
        if spec is not None:
            new["spec"] |= spec
            new["metadata"]["generation"] += 1
        self.hub.put(JOBS, new)

    def assignment(self, uid: str = "u1") -> Assignment:
        """What the scheduler would assign this job to now."""
        record = self.state.jobs[uid]
        job = record.to_job(frozenset())
        demand = job.shape.demands[0]
        return Assignment(
            job=job,
            offer=OFFER,
            cluster_uid=CLUSTER,
            pool="h100-x8",
            demand=demand,
            replicas=demand.replicas,
            nodes=(("n1", demand.replicas),),
        )

    async def bind(self, *uids: str) -> None:
        """Assign jobs and wait until the reconciler rests."""
        for uid in uids or ("u1",):
            self.reconciler.bind(self.assignment(uid))
        await self.settle()

    def watch(self) -> None:
        """Bring both sides' watches up to date."""
        there = {item["metadata"]["uid"]: item for item in self.hub.of(JOBS)}
        for uid in set(self.state.jobs) - set(there):
            self.state.remove_job(uid)
            self.reconciler.enqueue(uid)
        for item in there.values():
            self.state.apply_job(json.loads(json.dumps(item)))
        names = {remote_name(HUB, uid): uid for uid in there}
        copies = {
            item["metadata"]["labels"].get(LABEL_JOB_UID): item for item in self.member.of(REMOTE) if item["metadata"]["name"] in names
        }
        self.link.copies.jobs.clear()
        for uid, item in copies.items():
            if uid:
                self.link.show(msgspec.convert(item, RemoteJob), uid)
        pods: dict[str, dict[str, Pod]] = {uid: {} for uid in self.link.copies.pods.by_job}
        for item in self.member.of("v1/pods"):
            uid = item["metadata"]["labels"].get(LABEL_JOB_UID, "")
            pods.setdefault(uid, {})[item["metadata"]["uid"]] = msgspec.convert(item, Pod)
        for uid, found in pods.items():
            self.link.show_pods(found, uid)
        for uid in self.state.jobs:
            self.reconciler.enqueue(uid)

    async def settle(self) -> None:
        """Wait until the reconciler has nothing to do at once."""
        await until(lambda: not len(self.reconciler.queue))

    async def pass_time(self, millis: int) -> None:
        """Let time pass, bring the watches up to date, and wait until the reconciler rests."""
        self.now += millis
        self.watch()
        await self.settle()

    def copy(self, uid: str = "u1") -> dict[str, Any]:
        """The copy on the member."""
        return self.member.get(REMOTE, remote_name(HUB, uid), "sampan-jobs")

    def tell_copy(self, uid: str = "u1", **status: Any) -> None:
        """Write the copy's status, as the member's Job controller does."""
        copy = self.copy(uid)
        self.member.put(REMOTE, {**copy, "status": {**copy.get("status", {}), **status}})

    def clean_up(self, uid: str = "u1") -> None:
        """Delete the copy as somebody else right after its result was told: nobody has looked at it meanwhile."""
        self.link.copies.ended_jobs[uid, "sampan-jobs"] = msgspec.convert(self.copy(uid), RemoteJob)
        self.member.drop(REMOTE, remote_name(HUB, uid), "sampan-jobs")


@asynccontextmanager
async def world(**settings: Any) -> AsyncIterator[World]:
    """A hub, a member and a running reconciler."""
    async with AsyncExitStack() as stack:
        hub, member = await stack.enter_async_context(cluster()), await stack.enter_async_context(cluster())
        limits = Limits(timeout=60)
        clients = (Client(hub.credentials, limits=limits), Client(member.credentials, limits=limits))
        for client in clients:
            await stack.enter_async_context(client)
        made = World(hub, member, clients, **settings)
        async with running(made):
            yield made


@asynccontextmanager
async def running(which: World) -> AsyncIterator[None]:
    """Run the world's reconciler of this moment."""
    task = asyncio.create_task(which.reconciler.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
