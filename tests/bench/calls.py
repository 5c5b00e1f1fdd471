"""How many calls the operator made, and what the hub's API server wrote, from their metrics. Never here: the jobs."""

import asyncio
from collections import Counter

from bench.api import Api, wait_until
from e2e.gauges import Samples, operator_metrics, parse
from integration.support import PATIENCE, FederationUnderTest

WRITES = ("POST", "PUT", "PATCH", "APPLY", "DELETE")
Calls = Counter[tuple[str, str, str]]


def operator_calls(federation: FederationUnderTest) -> Calls:
    """Return the operator's calls since its start by target, verb and resource."""
    found: Calls = Counter()
    for (name, labels), value in operator_metrics(federation.operator.metrics_address).items():
        if name.endswith("_api_calls_total"):
            told = dict(labels)
            found[told["target"], told["verb"], told["resource"]] += int(value)
    return found


async def settled_calls(federation: FederationUnderTest, *, every: float = 1.0) -> Calls:
    """The same, once two looks, so far apart, agree on the calls about jobs: what is seen on a server is counted a moment later."""
    looks = [await asyncio.to_thread(operator_calls, federation)]

    async def agree() -> bool:
        looks.append(await asyncio.to_thread(operator_calls, federation))
        return _of_jobs(looks[-1]) == _of_jobs(looks[-2])

    await wait_until(agree, "an operator that calls nobody about jobs", seconds=PATIENCE, every=every)
    return looks[-1]


def _of_jobs(calls: Calls) -> Calls:
    return Calls({key: number for key, number in calls.items() if key[2].startswith(("jobs", "computejobs"))})


async def hub_writes(hub: Api) -> int:
    """Return the writes of ComputeJobs, their status included, that the hub's API server has served."""
    samples: Samples = parse((await hub.call("GET", "/metrics")).decode())
    return int(
        sum(
            value
            for (name, labels), value in samples.items()
            if name == "apiserver_request_total" and dict(labels).get("resource") == "computejobs" and dict(labels).get("verb") in WRITES
        )
    )


def calls_each_second(calls: Calls, seconds: float) -> float:
    """Return how many calls a second these are."""
    return round(calls.total() / seconds, 1)


def calls_per_job(made: Calls, jobs: int) -> dict[str, float]:
    """Return the operator's calls a job by target, and those of jobs in detail."""
    total: Counter[str] = Counter()
    for (target, verb, resource), number in made.items():
        total[f"calls to the {target}s, a job" if target == "member" else f"calls to the {target}, a job"] += number
        if resource.startswith(("jobs", "computejobs")):
            total[f"{target} {verb} {resource}, a job"] += number
    return {key: round(number / jobs, 2) for key, number in sorted(total.items())}
