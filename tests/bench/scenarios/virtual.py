"""One member beside many virtual ones: whether their number changes what a job costs. Never here: how it is measured."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench import bursts
from bench.bursts import Burst
from bench.calls import calls_each_second, calls_per_job
from bench.figure import Figure, cores
from bench.limit import limit
from bench.scenarios.idle import Idle, at_rest
from bench.usage import OPERATOR
from bench.virtual_members import LABELS, VirtualMembers, all_schedulable, leave, virtual_members
from bench.world import Bench, names, pod_job

AT_ONCE = 250
"""Jobs at once: so few that none waits for its pods for so long that it costs more than its dispatch (see `burst`)."""
REST = 30.0
"""Seconds of looking at the calls without any job: more than the longest watch on a member lives."""


@dataclass(frozen=True, slots=True)
class Run:
    """The bursts of either, and what the same members cost while nothing happens."""

    burst: Burst
    idle: Idle

    @property
    def calls_a_job(self) -> float:
        """Return the calls that there are because of a job: without those by which members are followed whether there are jobs or not."""
        return (self.burst.calls.total() - self.idle.calls_of(self.burst.counted)) / len(self.burst.uids)

    def values(self, who: str) -> dict[str, float]:
        """Return what it says."""
        jobs = len(self.burst.uids)
        calls = {key: value for key, value in calls_per_job(self.burst.calls, jobs).items() if key.startswith("calls")}
        return {
            f"jobs/s, {who}": self.burst.rate,
            f"operator CPU, {who}, ms/job": self.burst.usage.per_job(jobs)[OPERATOR],
            f"operator CPU while nothing happens, {who}, ms/s": round(1000 * self.idle.usage.share(OPERATOR), 1),
            f"calls/s while nothing happens, {who}": calls_each_second(self.idle.calls, self.idle.usage.seconds),
            f"calls because of jobs, a job, {who}": round(self.calls_a_job, 2),
            **{f"{key}, {who}": value for key, value in calls.items()},
        }


async def virtual(bench: Bench, *, jobs: int, members: Sequence[str], providers: Sequence[str], rest: float = REST, **spec: Any) -> Figure:
    """The same bursts, dispatched only, to one virtual member with all nodes of a real one, then to one for each provider.

    The many are on these members in turn, each with a part of the nodes.
    """
    count = len(providers)
    async with virtual_members(bench, members) as many:
        await many.join(0, provider=providers[0])
        await all_schedulable(bench, 1, seconds=180)
        one = await _run(bench, many, jobs=jobs, rest=rest, spec=spec)
        await bench.delete_all(seconds=300 + jobs)
        await leave(bench)
        await many.share_nodes(range(1, count + 1))
        await asyncio.gather(*(many.join(number, provider=provider) for number, provider in enumerate(providers, 1)))
        await all_schedulable(bench, count, seconds=180 + 3 * count)
        all_ = await _run(bench, many, jobs=jobs, rest=rest, spec=spec)
        void = bench.witness.problems(all_.burst.uids) + bench.witness.problems(one.burst.uids, gone=True)
        await bench.delete_all(seconds=300 + jobs)
    return Figure(
        name="virtual",
        title=f"{jobs} jobs, {min(AT_ONCE, jobs)} at once, until bound and created, "
        f"one member beside {count} virtual ones on {len(members)} API servers",
        values={
            "jobs": float(2 * jobs),
            "members": float(count),
            "rate, part of that with one": round(all_.burst.rate / one.burst.rate, 2),
            "calls a job, part of those with one": round(all_.calls_a_job / one.calls_a_job, 2),
            **one.values("one member"),
            **all_.values("many members"),
        },
        limit=limit(all_.burst.usage),
        void=void,
        usage=cores(all_.burst.usage),
    )


async def _run(bench: Bench, many: VirtualMembers, *, jobs: int, rest: float, spec: Mapping[str, Any]) -> Run:
    aimed = {**spec, "placement": {"offerSelector": {"matchLabels": LABELS}}}
    idle = await at_rest(bench, seconds=rest, proxies=many.pids)
    bodies = [pod_job(name, seconds=1, **aimed) for name in names("virtual", jobs)]
    return Run(await bursts.dispatched(bench, bodies, at_once=AT_ONCE, proxies=many.pids), idle)
