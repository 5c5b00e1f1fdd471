"""Some of the jobs go to a member that takes seconds for each call: what the others wait. Never here: how it is measured."""

import base64
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec

from bench.api import wait_until
from bench.figure import Figure, cores, percentile
from bench.limit import limit
from bench.slow import SlowProxy
from bench.usage import Usage, between, moment, roles
from bench.witness import GROUP
from bench.world import Bench, Body, names, pod_job
from integration.support import FederationUnderTest


@dataclass(frozen=True, slots=True)
class Aim:
    """The only offer that a job may go to, and what else its spec must say for that."""

    offer: str
    spec: Mapping[str, Any] = field(default_factory=dict)

    def body(self, federation: FederationUnderTest, name: str) -> Body:
        """Return a job that runs for a second."""
        return pod_job(name, seconds=1, placement={"providers": [_offer(federation, self.offer)[0]]}, **self.spec)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run: what was submitted, what the others waited."""

    uids: Sequence[str]
    others: Sequence[float]
    usage: Usage


async def slow_member(bench: Bench, *, jobs: int, slow: Aim, others: Sequence[Aim], delay: float = 4.0) -> Figure:
    """The same jobs twice, three of ten for the one member: while it is as fast as the others, and while it takes `delay` for a call."""
    async with behind_proxy(bench, slow) as proxy:
        alone = await _run(bench, jobs=jobs, slow=slow, others=others)
        proxy.delay = delay
        beside = await _run(bench, jobs=jobs, slow=slow, others=others)
        proxy.delay = 0.0
        uids = [*alone.uids, *beside.uids]
        await bench.witness.all_of(uids, "ended", seconds=300 + jobs)
        void = bench.witness.problems(uids, phase="Succeeded")
    p50, p99 = ([percentile(run.others, part) for run in (alone, beside)] for part in (50, 99))
    return Figure(
        name="slow-member",
        title=f"{jobs} jobs at once, 300 of 1,000 for a member that takes {delay:g} s a call: what the others wait until bound and created",
        values={
            "jobs": float(2 * jobs),
            "others' wait p50 while none is slow, s": round(p50[0], 2),
            "others' wait p50, s": round(p50[1], 2),
            "others' wait p99 while none is slow, s": round(p99[0], 2),
            "others' wait p99, s": round(p99[1], 2),
            "others' wait p99, times that while none is slow": round(p99[1] / p99[0], 2),
        },
        limit=limit(beside.usage),
        void=void,
        usage=cores(beside.usage),
    )


async def _run(bench: Bench, *, jobs: int, slow: Aim, others: Sequence[Aim]) -> Outcome:
    federation, witness = bench.federation, bench.witness
    aims = [slow if number % 10 < 3 else others[number % len(others)] for number in range(jobs)]
    pids = roles(federation)
    start = moment(pids)
    uids = await bench.submit([aim.body(federation, name) for aim, name in zip(aims, names("slow", jobs), strict=True)])
    quickly = [uid for uid, aim in zip(uids, aims, strict=True) if aim is not slow]
    await witness.all_of(quickly, "dispatched", seconds=180 + jobs)
    used = between(start, moment(pids))
    return Outcome(uids, [each.dispatched - each.accepted for each in witness.of(quickly)], used)


@asynccontextmanager
async def behind_proxy(bench: Bench, aim: Aim) -> AsyncIterator[SlowProxy]:
    """Have the operator reach the member of an offer through a proxy, for as long as the block runs."""
    federation = bench.federation
    _, namespace, member = _offer(federation, aim.offer)
    path = f"/api/v1/namespaces/{namespace}/secrets/{aim.offer}-kubeconfig"
    usual = msgspec.json.decode(await bench.hub.call("GET", path))["data"]["kubeconfig"]
    async with SlowProxy(federation.cluster(member).ports[2]) as proxy:
        server = federation.cluster(member).address.encode()
        proxied = base64.b64decode(usual).replace(server, b"https://127.0.0.1:%d" % proxy.port)
        try:
            await _lead(bench, path, base64.b64encode(proxied).decode())
            await wait_until(lambda: proxy.connections > 0, "the operator is connected through the proxy", seconds=180)
            await _schedulable(bench, namespace, aim.offer)
            yield proxy
        finally:
            await _lead(bench, path, usual)
    await _schedulable(bench, namespace, aim.offer)


async def _lead(bench: Bench, path: str, kubeconfig: str) -> None:
    await bench.hub.call("PATCH", path, msgspec.json.encode({"data": {"kubeconfig": kubeconfig}}), patch="merge-patch")


async def _schedulable(bench: Bench, namespace: str, offer: str) -> None:
    async def is_so() -> bool:
        found = msgspec.json.decode(await bench.hub.call("GET", f"{GROUP}/namespaces/{namespace}/clusteroffers/{offer}"))
        return any(c["type"] == "Schedulable" and c["status"] == "True" for c in found["status"]["conditions"])

    await wait_until(is_so, f"offer {offer} is Schedulable", seconds=180, every=0.3)


def _offer(federation: FederationUnderTest, name: str) -> tuple[str, str, str]:
    """Return provider, namespace and member of an offer."""
    scenario = federation.federation.scenario
    offer = next(offer for offer in scenario.offers if offer.name == name)
    return offer.provider, scenario.provider_of(offer).namespace, offer.member
