"""The operator starts again and finds many running jobs. Never here: how it is measured."""

import asyncio
import time

from bench.calls import calls_per_job, operator_calls, settled_calls
from bench.figure import Figure, cores
from bench.limit import limit
from bench.usage import OPERATOR, between, moment, roles
from bench.world import Bench, names, pod_job
from e2e.gauges import resident_bytes


async def restart(bench: Bench, *, jobs: int) -> Figure:
    """From the start of the process until it is ready, and until a job that came meanwhile is bound and created."""
    federation, witness = bench.federation, bench.witness
    uids = await bench.running(jobs)
    await settled_calls(federation)  # else the next one would write what this one had still to write
    await asyncio.to_thread(federation.operator.stop, 60.0)
    (canary,) = await bench.submit([pod_job(name, seconds=1) for name in names("new", 1)])
    operator = federation.operator
    started = time.monotonic()
    await asyncio.to_thread(operator.start)
    pids = roles(federation)
    start = moment(pids)
    await asyncio.to_thread(operator.wait_ready, 600.0)
    ready, used = time.monotonic() - started, between(start, moment(pids))
    await witness.all_of([canary], "dispatched", seconds=600)
    working = witness.jobs[canary].dispatched - started
    await asyncio.sleep(5)  # what a restart makes the operator write, it writes now
    pid = operator.pid
    assert pid is not None, operator.log_tail()
    return Figure(
        name="restart",
        title=f"the operator starts again with {jobs} running jobs",
        values={
            "jobs": float(jobs),
            "until ready, s": round(ready, 2),
            "until a new job is bound and created, s": round(working, 2),
            "operator CPU until ready, s": round(used.cpu[OPERATOR], 2),
            "operator memory, MiB": round(resident_bytes(pid) / 2**20, 1),
            **calls_per_job(operator_calls(federation), jobs),
        },
        limit=limit(used),
        void=[*witness.problems(uids, phase="Running"), *witness.problems([canary])],
        usage=cores(used),
    )
