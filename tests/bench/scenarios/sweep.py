"""Pod events of a large sweep beside many running jobs: what an event costs, and whether that grows. Never here: how it is measured."""

import asyncio
import itertools
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from bench.api import Api
from bench.figure import Figure, cores
from bench.limit import limit
from bench.usage import OPERATOR, Moment, Usage, between, moment, roles
from bench.witness import GROUP, JOB_UID
from bench.world import DAY, Bench, names, pod_job

_NOT_READY = msgspec.json.encode({"status": {"conditions": [{"type": "Ready", "status": "False"}]}})
"""The kubelet says a little later that it is ready again: two events of the pod."""
ENOUGH = 0.9
"""Of the events that were meant: with fewer the figure is about another rate."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many single jobs, how many pods of both sweeps (one job may have 4,096 at once), how many events a second, for how long."""

    jobs: int
    pods: int
    rate: int = 50
    seconds: float = 30.0

    @property
    def sweeps(self) -> tuple[int, int]:
        """Return the pods of the small and of the large sweep."""
        small = max(self.pods // 5, 1)
        return small, self.pods - small


class _Meta(msgspec.Struct, frozen=True):
    version: str = msgspec.field(name="resourceVersion")


class _Object(msgspec.Struct, frozen=True):
    metadata: _Meta


class _Event(msgspec.Struct, frozen=True):
    type: str
    object: _Object


class PodWatch:
    """Counts what watches on the members' pods really tell, a change of a pod of any job."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self.changes = 0
        self.gaps: list[str] = []
        self._decode = msgspec.json.Decoder(_Event).decode

    async def follow(self, members: Iterable[Api]) -> None:
        """Begin to watch, until the clients close."""
        for member in members:
            await member.watch("/api/v1/pods", self.line, ended=self.gaps.append, params={"labelSelector": JOB_UID})

    def line(self, line: bytes) -> str:
        """Take a line of a watch; returns the resource version it tells."""
        event = self._decode(line)
        if event.type == "ERROR":
            raise ValueError(line[:300])
        self.changes += event.type == "MODIFIED"
        return event.object.metadata.version


@dataclass(frozen=True, slots=True)
class Run:
    """What was used during the events of some pods, and how many events a watch saw meanwhile."""

    usage: Usage
    events: int

    @property
    def rate(self) -> float:
        """Return events a second."""
        return self.events / self.usage.seconds

    def cost(self, idle: Usage) -> float:
        """Return milliseconds of the operator's processor time an event, less what it uses without any."""
        return 1000 * (self.usage.share(OPERATOR) - idle.share(OPERATOR)) * self.usage.seconds / max(self.events, 1)

    def lacks(self, what: str, rate: int) -> list[str]:
        """Return why it must not be used."""
        return [f"{what}: {self.rate:.1f} pod events/s were seen at a watch, {rate} were meant"] if self.rate < ENOUGH * rate else []


async def sweep(bench: Bench, sizes: Sizes) -> Figure:
    """A sweep of a fifth of the pods and one of the rest: the same events of either, and of both in turn, beside the same running jobs."""
    witness, seen = bench.witness, PodWatch()
    singles, sweeps = await bench.running(sizes.jobs), names("sweep", 2)
    uids = await bench.submit([_sweep_job(name, pods) for name, pods in zip(sweeps, sizes.sweeps, strict=True)])
    await witness.all_of(uids, "running", seconds=300 + sizes.jobs)
    for name, each in zip(sweeps, sizes.sweeps, strict=True):
        await _pods_ready(bench, name, each)
    await seen.follow(bench.members.values())
    small, large = [await _pods(bench, uid) for uid in uids]
    idle = (await _measured(bench, [], sizes, seen)).usage
    runs = {"small sweep": small, "large sweep": large, "both sweeps": small + large}
    found = {what: await _measured(bench, pods, sizes, seen) for what, pods in runs.items()}
    both, costs = found["both sweeps"], {what: run.cost(idle) for what, run in found.items()}
    return Figure(
        name="sweep",
        title=f"{sizes.jobs} running jobs, sweeps of {sizes.sweeps[0]} and {sizes.sweeps[1]} pods, {sizes.rate} pod events/s",
        values={
            "jobs": float(sizes.jobs + 2),
            "pods of the small sweep": float(len(small)),
            "pods of both sweeps": float(len(small + large)),
            **{f"{what}, pod events/s seen at a watch": round(run.rate, 1) for what, run in found.items()},
            "operator without events, % of a core": round(100 * idle.share(OPERATOR), 1),
            **{f"{what}, operator, % of a core": round(100 * run.usage.share(OPERATOR), 1) for what, run in found.items()},
            **{f"{what}, operator CPU an event, ms": round(cost, 2) for what, cost in costs.items()},
        },
        limit=limit(both.usage),
        void=[
            *witness.problems([*singles, *uids], phase="Running"),
            *seen.gaps,
            *(reason for what, run in found.items() for reason in run.lacks(what, sizes.rate)),
        ],
        usage=cores(both.usage),
    )


def _sweep_job(name: str, pods: int) -> dict[str, object]:
    return pod_job(name, seconds=DAY, gang=False, completions=pods, parallelism=pods)


async def _pods(bench: Bench, uid: str) -> list[tuple[Api, str]]:
    """Return the path of each pod of a job, with the client of its member."""
    found = []
    for member in bench.members.values():
        for pod in await member.items("/api/v1/pods", {"labelSelector": f"{JOB_UID}={uid}"}):
            meta = pod["metadata"]
            found.append((member, f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"))
    return found


async def _pods_ready(bench: Bench, name: str, pods: int) -> None:
    """Wait until the hub shows all pods of a sweep as ready."""
    path = f"{GROUP}/namespaces/{bench.namespace}/computejobs/{name}"
    deadline = time.monotonic() + 300 + pods / 5
    while True:
        ready = msgspec.json.decode(await bench.hub.call("GET", path))["status"].get("remote", {}).get("ready", 0)
        if ready == pods:
            return
        assert time.monotonic() < deadline, f"{ready} of {pods} pods of the sweep are ready"
        await asyncio.sleep(2)


async def _measured(bench: Bench, pods: Sequence[tuple[Api, str]], sizes: Sizes, seen: PodWatch) -> Run:
    """Cause pod events, in turn over all these pods, and return what was used meanwhile and how many a watch saw."""
    pids, before = roles(bench.federation), seen.changes
    start = moment(pids)
    if pods:
        await _cause(pods, start, sizes)
    await asyncio.sleep(max(start.at + sizes.seconds - time.monotonic(), 0))
    return Run(between(start, moment(pids)), seen.changes - before)


async def _cause(pods: Sequence[tuple[Api, str]], start: Moment, sizes: Sizes) -> None:
    calls: list[asyncio.Task[bytes]] = []
    for number, (member, path) in enumerate(itertools.cycle(pods)):
        due = start.at + 2 * number / sizes.rate
        if due > start.at + sizes.seconds:
            break
        await asyncio.sleep(max(due - time.monotonic(), 0))
        calls.append(asyncio.create_task(member.call("PATCH", f"{path}/status", _NOT_READY, patch="strategic-merge-patch")))
    await asyncio.gather(*calls)
