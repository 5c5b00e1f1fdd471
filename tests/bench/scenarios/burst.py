"""Jobs of one pod each: dispatched only, or followed to their end. Never here: how it is measured."""

from bench import bursts
from bench.bursts import Burst
from bench.calls import calls_per_job
from bench.figure import Figure, cores, cpu_per_job, net_per_job
from bench.limit import limit
from bench.scenarios.idle import Idle, at_rest
from bench.world import Bench, names, pod_job

AT_ONCE = 500
"""Jobs of `dispatch` at once: so few that none is bound for 6 s before the last is dispatched. After 6 s the operator asks the member's
events why a job does not run, after 9 s or more the job says so: that is the price of a job that waits, and not of its dispatch."""
REST = 15.0
"""Seconds of looking at what is used without any job."""


async def dispatch(bench: Bench, *, jobs: int, at_once: int = AT_ONCE, rest: float = REST) -> Figure:
    """Jobs until each is bound on the hub and created on a member; nothing runs there until then."""
    idle = await at_rest(bench, seconds=rest)
    bodies = [pod_job(name, seconds=1) for name in names("dispatch", jobs)]
    burst = await bursts.dispatched(bench, bodies, at_once=at_once)
    title = f"{jobs} jobs, {min(at_once, jobs)} at once, until bound and created"
    return _figure("dispatch", title, bench, burst, idle)


async def whole_life(bench: Bench, *, jobs: int, rest: float = REST) -> Figure:
    """Jobs at once that run for a second, until the hub shows the end of each."""
    idle = await at_rest(bench, seconds=rest)
    burst = await bursts.until("ended", bench, [pod_job(name, seconds=1) for name in names("life", jobs)])
    return _figure("life", f"{jobs} jobs at once until executed and mirrored to their end", bench, burst, idle)


def _figure(name: str, title: str, bench: Bench, burst: Burst, idle: Idle) -> Figure:
    jobs = len(burst.uids)
    return Figure(
        name=name,
        title=title,
        values={
            **burst.values(bench),
            **cpu_per_job(burst.usage, jobs),
            **net_per_job(burst.usage, idle.usage, jobs),
            "hub writes of the job, a job": round(burst.hub_writes / jobs, 2),
            **calls_per_job(burst.calls, jobs),
        },
        limit=limit(burst.usage, submitting=burst.submitting / burst.seconds),
        void=bench.witness.problems(burst.uids, phase="Succeeded"),
        usage=cores(burst.usage),
    )
