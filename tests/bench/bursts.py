"""Many jobs at once, followed until each is dispatched or has ended, with what they cost. Never here: what a figure says of it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.calls import Calls, hub_writes, settled_calls
from bench.figure import percentile
from bench.usage import Usage, between, moment, roles
from bench.world import Bench, Body, nothing_executes


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """What jobs cost that were submitted at once; or those of several bursts, one after the other."""

    uids: Sequence[str]
    usage: Usage
    submitting: float
    """Seconds until the last was accepted."""
    seconds: float
    """Until the last was dispatched, or had ended."""
    calls: Calls
    counted: float
    """Seconds in which these calls were made."""
    hub_writes: int

    @property
    def rate(self) -> float:
        """Return jobs a second."""
        return round(len(self.uids) / self.seconds, 1)

    def and_then(self, other: "Burst") -> "Burst":
        """Return both together."""
        return Burst(
            uids=[*self.uids, *other.uids],
            usage=self.usage.and_then(other.usage),
            submitting=self.submitting + other.submitting,
            seconds=self.seconds + other.seconds,
            calls=self.calls + other.calls,
            counted=self.counted + other.counted,
            hub_writes=self.hub_writes + other.hub_writes,
        )

    def values(self, bench: Bench) -> Mapping[str, float]:
        """Return what it says of how fast it was."""
        waits = [seen.dispatched - seen.accepted for seen in bench.witness.of(self.uids)]
        return {
            "jobs": float(len(self.uids)),
            "jobs/s": self.rate,
            "accepted, jobs/s": round(len(self.uids) / self.submitting, 1),
            "wait until bound and created p50, s": round(percentile(waits, 50), 2),
            "wait until bound and created p99, s": round(percentile(waits, 99), 2),
        }


async def until(what: str, bench: Bench, bodies: Sequence[Body], *, proxies: Sequence[int] = ()) -> Burst:
    """Submit jobs and wait until each is `dispatched`, or has `ended`. `proxies` are the processes of virtual members'."""
    federation, witness = bench.federation, bench.witness
    pids, calls, writes = roles(federation, proxies=proxies), await settled_calls(federation), await hub_writes(bench.hub)
    start = moment(pids)
    uids = await bench.submit(bodies)
    submitted = time.monotonic() - start.at
    await witness.all_of(uids, what, seconds=180 + len(uids))
    used = between(start, moment(pids))
    made = await settled_calls(federation, every=0.3)  # the last calls are counted when their answers have come
    return Burst(
        uids=uids,
        usage=used,
        submitting=submitted,
        seconds=max(getattr(seen, what) for seen in witness.of(uids)) - start.at,
        calls=made - calls,
        counted=time.monotonic() - start.at,
        hub_writes=await hub_writes(bench.hub) - writes,
    )


async def dispatched(bench: Bench, bodies: Sequence[Body], *, at_once: int, proxies: Sequence[int] = ()) -> Burst:
    """Submit jobs, so many at once, and wait until each is dispatched; what runs Jobs on the members waits until then.

    The next ones come when those before have ended.
    """
    found: Burst | None = None
    for first in range(0, len(bodies), at_once):
        with nothing_executes(bench.federation):
            burst = await until("dispatched", bench, bodies[first : first + at_once], proxies=proxies)
        await bench.witness.all_of(list(burst.uids), "ended", seconds=180 + len(bodies))
        found = burst if found is None else found.and_then(burst)
    assert found is not None, "no job was to be submitted"
    return found
