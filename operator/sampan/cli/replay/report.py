"""What a replay showed: waits, completion times, rates and use per pool, from the jobs' own statuses. Pure: no clock, no calls."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from statistics import fmean, median
from typing import Any

from sampan.cli.lib import times
from sampan.client import jobview
from sampan.client.access.hub import Object

TOLERATED_SKEW = timedelta(seconds=2)
"""Our clock and the hub's may differ so much before submit times are shifted to the hub's clock."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """Mean, median and 95th percentile (nearest rank) of so many figures, in seconds."""

    count: int
    mean: float
    p50: float
    p95: float


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolUse:
    """What a pool gave: jobs, device-seconds, and the share of its devices over the whole replay (None where its size is unknown)."""

    pool: str
    jobs: int
    device_seconds: float
    devices: int | None
    use: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """The replay as a whole; `phases` counts jobs by last phase seen, Refused those that the hub did not take."""

    run: str
    phases: Mapping[str, int]
    span_seconds: float
    jobs_per_second: float
    wait: Spread | None
    completion: Spread | None
    pools: Sequence[PoolUse]

    def as_dict(self) -> dict[str, Any]:
        """For `-o json`."""
        return {**asdict(self), "phases": dict(self.phases), "pools": [asdict(pool) for pool in self.pools]}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Life:
    """One job's times, on the hub's clock."""

    pool: str
    devices: int
    submitted: datetime
    bound: datetime | None
    ended: datetime | None


def report(
    run: str, *, jobs: Mapping[str, Object], submitted: Mapping[str, datetime], pool_sizes: Mapping[str, int], refused: int
) -> Report:
    """The report on jobs by name, submitted at these times of our clock."""
    skew = clock_skew(jobs, submitted)
    lives = [_life(job, submitted[name] + skew) for name, job in jobs.items() if name in submitted]
    ended = [life.ended for life in lives if life.ended]
    span = (max(ended) - min(life.submitted for life in lives)).total_seconds() if ended else 0.0
    phases = Counter(jobview.phase(job) for job in jobs.values())
    if refused:
        phases["Refused"] = refused
    return Report(
        run=run,
        phases=dict(sorted(phases.items())),
        span_seconds=round(span, 3),
        jobs_per_second=round(len(ended) / span, 3) if span > 0 else 0.0,
        wait=spread([_seconds(life.submitted, life.bound) for life in lives if life.bound]),
        completion=spread([_seconds(life.submitted, life.ended) for life in lives if life.ended]),
        pools=_use(lives, span=span, pool_sizes=pool_sizes),
    )


def spread(figures: Iterable[float]) -> Spread | None:
    """Mean, median, 95th percentile; None of no figures."""
    ordered = sorted(figures)
    if not ordered:
        return None
    p95 = ordered[math.ceil(0.95 * len(ordered)) - 1]
    return Spread(count=len(ordered), mean=round(fmean(ordered), 3), p50=round(median(ordered), 3), p95=round(p95, 3))


def clock_skew(jobs: Mapping[str, Object], submitted: Mapping[str, datetime]) -> timedelta:
    """How far the hub's clock is ahead of ours, by creation times; zero where it is within what rounding explains."""
    apart = [
        (created + timedelta(seconds=0.5) - submitted[name]).total_seconds()
        for name, job in jobs.items()
        if name in submitted and (created := times.parse(job["metadata"].get("creationTimestamp")))
    ]
    skew = timedelta(seconds=median(apart)) if apart else timedelta()
    return skew if abs(skew) > TOLERATED_SKEW else timedelta()


def _life(job: Object, submitted: datetime) -> _Life:
    """A job's times: first bound, last ended."""
    status = jobview.status(job)
    attempts = status.get("attempts") or []
    first = attempts[0].get("startedAt") if attempts else None
    bound = times.parse(first) or times.parse((status.get("binding") or {}).get("boundAt"))
    ended = times.parse(status.get("finishedAt")) if jobview.phase(job) in jobview.ENDED else None
    return _Life(pool=jobview.place(job), devices=jobview.devices(job), submitted=submitted, bound=bound, ended=ended)


def _use(lives: Sequence[_Life], *, span: float, pool_sizes: Mapping[str, int]) -> list[PoolUse]:
    """Device-seconds per pool, from bound to ended."""
    by_pool: dict[str, list[_Life]] = defaultdict(list)
    for life in lives:
        if life.pool and life.bound and life.ended:
            by_pool[life.pool].append(life)
    found = []
    for pool, here in sorted(by_pool.items()):
        device_seconds = sum(life.devices * _seconds(life.bound, life.ended) for life in here)
        size = pool_sizes.get(pool)
        use = round(device_seconds / (size * span), 4) if size and span > 0 else None
        found.append(PoolUse(pool=pool, jobs=len(here), device_seconds=round(device_seconds, 1), devices=size, use=use))
    return found


def _seconds(start: datetime | None, end: datetime | None) -> float:
    """The span in seconds, zero where a coarser clock makes it negative."""
    return max((end - start).total_seconds(), 0.0) if start and end else 0.0
