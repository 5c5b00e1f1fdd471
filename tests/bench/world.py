"""The federation that is measured, and the generator's hands on it. Never here: what is measured.

Made as `sampan local up` makes it: the charts' roles, admission policies and quotas, ServiceAccount tokens for operator and tenant.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from bench.api import Api, RefusedError, wait_until
from bench.witness import GROUP, Witness
from e2e.load import small_job
from integration.support import FederationUnderTest
from sampan.local.binaries import ensure
from sampan.local.restarts import Restarts
from sampan.local.scenario import Scenario
from sampan.local.up import run_again, wait_schedulable
from servers import federation_of, say

MEMBERS = ("east", "south", "north")
TEAM = "team-a"
EXECUTING = ("kube-controller-manager", "kube-scheduler", "kwok-controller")
"""What makes pods of a Job and runs them."""
DAY = 86_400
QUOTA = {"requests.cpu": "1M", "requests.memory": "4000Ti", "pods": "100k", "count/jobs.batch": "100k"}
"""Of each job namespace: it limits nothing that is measured, but every job is held against it, on the hub and on the member."""
_numbers = count(1)
Body = dict[str, Any]


def plan(*, members: Sequence[str] = MEMBERS, nodes: int = 8, pods: int = 110, virtual: int = 0) -> Scenario:
    """A hub and members of equal nodes without accelerators, one provider each; or `virtual` providers without any offer yet."""
    labels = {"kubernetes.io/arch": "amd64", "node-role.kubernetes.io/worker": ""}
    capacity = {"cpu": str(2 * pods), "memory": f"{4 * pods}Gi", "ephemeral-storage": "7Ti", "pods": str(pods)}
    provider = {"jurisdictions": ["CN"], "regions": ["cn-east"], "terms": ["OnDemand"], "offerLabels": {"grid": ["*"]}}
    named = [f"virtual-{number}" for number in range(1, virtual + 1)] if virtual else members
    return Scenario.model_validate(
        {
            "name": "bench",
            "tenants": [{"namespace": TEAM}],
            "members": [
                {
                    "name": m,
                    "nodes": [{"name": "cpu-{}", "count": nodes, "labels": labels, "capacity": capacity}],
                    "values": {"quota": QUOTA},
                }
                for m in members
            ],
            "queues": [{"name": TEAM, "spec": {"namespaces": [TEAM], "highestPriority": 100}}],
            "providers": [{"name": name, "namespace": f"prov-{name}", "spec": provider} for name in named],
            "offers": [
                {"name": m, "provider": m, "member": m, "spec": {"region": "cn-east", "jurisdiction": "CN", "terms": "OnDemand"}}
                for m in (() if virtual else members)
            ],
        }
    )


@contextmanager
def made(scenario: Scenario) -> Iterator[FederationUnderTest]:
    """A federation of its own while the block runs."""
    with federation_of(ensure(say), "bench", scenario) as found:
        yield found


@dataclass(frozen=True, slots=True)
class Bench:
    """A federation with clients of the administrators and the tenant, all on one loop, and the witness."""

    federation: FederationUnderTest
    hub: Api
    tenant: Api
    members: Mapping[str, Api]
    witness: Witness
    namespace: str
    standing: list[str] = field(default_factory=list)
    """Jobs that run for a day, which one scenario leaves to the next."""
    stall_stacks: Path | None = None
    """Where an operator whose loop is watched says what it ran when it was late; None: nowhere."""

    async def submit(self, bodies: Sequence[Body]) -> list[str]:
        """Create jobs as fast as the hub takes them; returns their UIDs in the order of `bodies`."""
        path, encode = f"{GROUP}/namespaces/{self.namespace}/computejobs", msgspec.json.encode
        decode = msgspec.json.Decoder(_Created).decode
        waiting = iter([(number, encode(body)) for number, body in enumerate(bodies)])
        uids = [""] * len(bodies)

        async def one_after_another() -> None:
            for number, body in waiting:
                uids[number] = decode(await self.tenant.call("POST", path, body)).metadata.uid
                self.witness.accepted(uids[number])

        await asyncio.gather(*(one_after_another() for _ in range(16)))
        return uids

    async def running(self, jobs: int) -> list[str]:
        """Return so many jobs that run for a day: those that are there, and new ones for the rest."""
        new = await self.submit([pod_job(name, seconds=DAY) for name in names("standing", max(jobs - len(self.standing), 0))])
        self.standing.extend(new)
        await self.witness.all_of(self.standing, "running", seconds=300 + jobs)
        return self.standing[:jobs]

    async def delete_all(self, *, seconds: float) -> None:
        """Delete every job of the tenant and wait until it has left the hub and the members."""
        path = f"{GROUP}/namespaces/{self.namespace}/computejobs"
        self.standing.clear()

        async def asked() -> bool:
            try:
                await self.hub.call("DELETE", path)
            except RefusedError as error:
                if error.status != 504:
                    raise
                return False  # more of them than a busy server deletes within the time of one call: the rest with the next
            return True

        async def gone() -> bool:
            return not await self.hub.items(path, {"limit": "1"})

        await wait_until(asked, "the hub deletes every job", seconds=seconds)
        await wait_until(gone, "every deleted job has left the hub", seconds=seconds, every=0.5)
        await wait_until(lambda: not any(seen.live for seen in self.witness.jobs.values()), "no copy is left", seconds=seconds)


class _Uid(msgspec.Struct):
    uid: str


class _Created(msgspec.Struct):
    metadata: _Uid


@asynccontextmanager
async def bench_of(federation: FederationUnderTest, *, stall_stacks: Path | None = None) -> AsyncIterator[Bench]:
    """Open the clients and begin to watch."""
    local = federation.federation
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(Api(local.kubeconfig("hub")))
        tenant = await stack.enter_async_context(Api(local.kubeconfig("tenant")))
        members = {m.name: await stack.enter_async_context(Api(local.kubeconfig(m.name))) for m in local.members}
        witness, namespace = Witness(), local.scenario.tenants[0].namespace
        await witness.follow(hub, members, namespace=namespace)
        yield Bench(federation, hub, tenant, members, witness, namespace, stall_stacks=stall_stacks)


def pod_job(name: str, *, seconds: int, **spec: Any) -> Body:
    """Return a job of one pod that sleeps, and ends a second after it was told to."""
    body = small_job(name, seconds=seconds, **spec)
    body["spec"]["template"]["terminationGracePeriodSeconds"] = 1
    return body


def names(prefix: str, how_many: int) -> list[str]:
    """Return names of jobs that no other run of this process has."""
    run = f"{os.getpid()}-{next(_numbers)}"
    return [f"{prefix}-{run}-{number}" for number in range(how_many)]


@contextmanager
def nothing_executes(federation: FederationUnderTest) -> Iterator[None]:
    """Freeze what runs Jobs on the members, for less than the 40 s after which their nodes would count as lost."""
    pids = [pid for cluster in federation.federation.members for part, pid in cluster.pids().items() if part in EXECUTING]
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in reversed(pids):
            os.kill(pid, signal.SIGCONT)


def restarted(federation: FederationUnderTest, env: Mapping[str, str] | None = None) -> None:
    """Start the operator anew, with these variables on top of its own."""
    federation.operator.stop()
    federation.operator.start(env)
    federation.operator.wait_ready(300)
    made = federation.federation
    wait_schedulable(made, federation.binaries, Restarts(federation.binaries, say, way_out=run_again(made)))


def hooked(**settings: str) -> dict[str, str]:
    """Return the variables that have an operator load the measuring hook (hook/sitecustomize.py)."""
    return {"PYTHONPATH": str(Path(__file__).parent / "hook"), **settings}
