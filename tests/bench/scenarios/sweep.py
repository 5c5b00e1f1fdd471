"""Pod events of a large sweep beside many running jobs: what an event costs, and whether that grows. Never here: how it is measured."""

import asyncio
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from bench.api import Api
from bench.figure import Figure, cores
from bench.limit import limit
from bench.usage import OPERATOR, Moment, Usage, between, moment, roles
from bench.witness import GROUP, JOB_UID
from bench.world import DAY, Bench, names, pod_job

MOST_PODS = 4096
"""What a sweep may have at once."""
_NOT_READY = msgspec.json.encode({"status": {"conditions": [{"type": "Ready", "status": "False"}]}})
"""The kubelet says a little later that it is ready again: two events of the pod."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many single jobs, how many pods of the sweep, how many events a second, and for how long they are measured."""

    jobs: int
    pods: int
    rate: int = 50
    seconds: float = 30.0


async def sweep(bench: Bench, sizes: Sizes) -> Figure:
    """A sweep of a fifth of the pods, then one of all of them: the same events of each, beside the same running jobs."""
    witness = bench.witness
    singles, sweeps = await bench.running(sizes.jobs), names("sweep", 2)
    small, large = await bench.submit([_sweep_job(name, pods) for name, pods in zip(sweeps, _two(sizes), strict=True)])
    await witness.all_of([small, large], "running", seconds=300 + sizes.jobs)
    for name, pods in zip(sweeps, _two(sizes), strict=True):
        await _pods_ready(bench, name, pods)
    idle, _ = await _measured(bench, [], rate=sizes.rate, seconds=sizes.seconds)
    runs = [await _measured(bench, await _pods(bench, uid), rate=sizes.rate, seconds=sizes.seconds) for uid in (small, large)]
    shares = [usage.share(OPERATOR) for usage, _ in runs]
    costs = [1000 * (share - idle.share(OPERATOR)) * usage.seconds / events for share, (usage, events) in zip(shares, runs, strict=True)]
    used = runs[1][0]
    return Figure(
        name="sweep",
        title=f"{sizes.jobs} running jobs and a sweep of {sizes.pods} pods, {sizes.rate} pod events/s",
        values={
            "jobs": float(sizes.jobs + 2),
            "pods of the sweep": float(sizes.pods),
            "pod events/s": round(runs[1][1] / used.seconds, 1),
            "operator without events, % of a core": round(100 * idle.share(OPERATOR), 1),
            f"operator, events of a sweep of {_two(sizes)[0]} pods, % of a core": round(100 * shares[0], 1),
            f"operator, events of a sweep of {sizes.pods} pods, % of a core": round(100 * shares[1], 1),
            f"operator CPU an event, sweep of {_two(sizes)[0]} pods, ms": round(costs[0], 2),
            f"operator CPU an event, sweep of {sizes.pods} pods, ms": round(costs[1], 2),
        },
        limit=limit(used),
        void=witness.problems([*singles, small, large], phase="Running"),
        usage=cores(used),
    )


def _two(sizes: Sizes) -> tuple[int, int]:
    return max(sizes.pods // 5, 1), sizes.pods


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


async def _measured(bench: Bench, pods: Sequence[tuple[Api, str]], *, rate: int, seconds: float) -> tuple[Usage, int]:
    """Cause `rate` pod events a second, in turn over all the pods, and return what was used meanwhile and how many there were."""
    pids = roles(bench.federation)
    start = moment(pids)
    events = await _events(pods, start, rate=rate, seconds=seconds) if pods else 0
    await asyncio.sleep(max(start.at + seconds - time.monotonic(), 0))
    return between(start, moment(pids)), events


async def _events(pods: Sequence[tuple[Api, str]], start: Moment, *, rate: int, seconds: float) -> int:
    calls: list[asyncio.Task[bytes]] = []
    for number, (member, path) in enumerate(itertools.cycle(pods)):
        due = start.at + 2 * number / rate
        if due > start.at + seconds:
            break
        await asyncio.sleep(max(due - time.monotonic(), 0))
        calls.append(asyncio.create_task(member.call("PATCH", f"{path}/status", _NOT_READY, patch="strategic-merge-patch")))
    await asyncio.gather(*calls)
    return 2 * len(calls)
