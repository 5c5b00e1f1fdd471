"""One member beside many virtual ones: whether their number changes what a job costs. Never here: how it is measured."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.calls import calls_per_job, operator_calls
from bench.figure import Figure, cores
from bench.limit import limit
from bench.usage import OPERATOR, Usage, between, moment, roles
from bench.virtual_members import LABELS, VirtualMembers, all_schedulable, leave, virtual_members
from bench.world import Bench, names, nothing_executes, pod_job


@dataclass(frozen=True, slots=True)
class Run:
    """One burst."""

    uids: Sequence[str]
    rate: float
    calls: Mapping[str, float]
    usage: Usage


async def virtual(bench: Bench, *, jobs: int, members: Sequence[str], providers: Sequence[str], **spec: Any) -> Figure:
    """The same burst, dispatched only, to one virtual member with all nodes of a real one, then to one for each provider.

    The many are on these members in turn, each with a part of the nodes.
    """
    count = len(providers)
    async with virtual_members(bench, members) as many:
        await many.join(0, provider=providers[0])
        await all_schedulable(bench, 1, seconds=180)
        one = await _burst(bench, many, jobs=jobs, spec=spec)
        await bench.delete_all(seconds=300 + jobs)
        await leave(bench)
        await many.share_nodes(range(1, count + 1))
        await asyncio.gather(*(many.join(number, provider=provider) for number, provider in enumerate(providers, 1)))
        await all_schedulable(bench, count, seconds=180 + 3 * count)
        all_ = await _burst(bench, many, jobs=jobs, spec=spec)
        void = bench.witness.problems(all_.uids) + bench.witness.problems(one.uids, gone=True)
        await bench.delete_all(seconds=300 + jobs)
    return Figure(
        name="virtual",
        title=f"{jobs} jobs at once until bound and created, one member beside {count} virtual ones on {len(members)} API servers",
        values={
            "jobs": float(2 * jobs),
            "jobs/s, one member": one.rate,
            "members": float(count),
            "jobs/s, many members": all_.rate,
            "rate, part of that with one": round(all_.rate / one.rate, 2),
            "calls a job, part of those with one": round(sum(all_.calls.values()) / sum(one.calls.values()), 2),
            "operator CPU with one, ms/job": one.usage.per_job(jobs)[OPERATOR],
            "operator CPU with many, ms/job": all_.usage.per_job(jobs)[OPERATOR],
            **{f"{key}, with one": value for key, value in one.calls.items()},
            **{f"{key}, with many": value for key, value in all_.calls.items()},
        },
        limit=limit(all_.usage),
        void=void,
        usage=cores(all_.usage),
    )


async def _burst(bench: Bench, many: VirtualMembers, *, jobs: int, spec: Mapping[str, Any]) -> Run:
    federation, witness = bench.federation, bench.witness
    aimed = {**spec, "placement": {"offerSelector": {"matchLabels": LABELS}}}
    pids, calls = roles(federation, proxies=many.pids), operator_calls(federation)
    with nothing_executes(federation):
        start = moment(pids)
        uids = await bench.submit([pod_job(name, seconds=1, **aimed) for name in names("virtual", jobs)])
        await witness.all_of(uids, "dispatched", seconds=180 + jobs)
        used = between(start, moment(pids))
        made = {key: value for key, value in calls_per_job(calls, operator_calls(federation), jobs).items() if key.startswith("calls")}
    last = max(each.dispatched for each in witness.of(uids)) - start.at
    return Run(uids, round(jobs / last, 1), made, used)
