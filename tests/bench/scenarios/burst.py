"""A burst of jobs of one pod each: dispatched only, or followed to their end. Never here: how it is measured."""

import time

from bench.calls import calls_per_job, hub_writes, settled_calls
from bench.figure import Figure, cores, cpu_per_job, percentile
from bench.limit import limit
from bench.usage import between, moment, roles
from bench.world import Bench, names, nothing_executes, pod_job


async def dispatch(bench: Bench, *, jobs: int) -> Figure:
    """Jobs until each is bound on the hub and created on a member; nothing runs there."""
    with nothing_executes(bench.federation):
        return await _burst(bench, jobs=jobs, whole=False)


async def whole_life(bench: Bench, *, jobs: int) -> Figure:
    """Jobs that run for a second, until the hub shows the end of each."""
    return await _burst(bench, jobs=jobs, whole=True)


async def _burst(bench: Bench, *, jobs: int, whole: bool) -> Figure:
    federation, witness = bench.federation, bench.witness
    bodies = [pod_job(name, seconds=1) for name in names("life" if whole else "dispatch", jobs)]
    pids, calls, writes = roles(federation), await settled_calls(federation), await hub_writes(bench.hub)
    start = moment(pids)
    uids = await bench.submit(bodies)
    submitted = time.monotonic() - start.at
    await witness.all_of(uids, "ended" if whole else "dispatched", seconds=180 + jobs)
    used = between(start, moment(pids))
    made = await settled_calls(federation)  # what the operator still writes of it, it writes now: counted, and a doubled job would show
    seen = witness.of(uids)
    waits = [each.dispatched - each.accepted for each in seen]
    last = max(each.ended if whole else each.dispatched for each in seen) - start.at
    values = {
        "jobs": float(jobs),
        "jobs/s": round(jobs / last, 1),
        "accepted, jobs/s": round(jobs / submitted, 1),
        "wait until bound and created p50, s": round(percentile(waits, 50), 2),
        "wait until bound and created p99, s": round(percentile(waits, 99), 2),
        **cpu_per_job(used, jobs),
        "hub writes of the job, a job": round((await hub_writes(bench.hub) - writes) / jobs, 2),
        **calls_per_job(calls, made, jobs),
    }
    return Figure(
        name="life" if whole else "dispatch",
        title=f"{jobs} jobs at once until " + ("executed and mirrored to their end" if whole else "bound and created"),
        values=values,
        limit=limit(used, submitting=submitted / last),
        void=witness.problems(uids, phase="Succeeded" if whole else None),
        usage=cores(used),
    )
