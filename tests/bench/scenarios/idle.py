"""What is used while nothing happens: no job comes, runs or ends, and nothing is changed. Never here: how it is measured."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from bench.calls import Calls, calls_each_second, operator_calls, settled_calls
from bench.figure import Figure, cores
from bench.limit import limit
from bench.usage import (
    HUB_API,
    HUB_ETCD,
    HUB_REST,
    MEMBER_API,
    MEMBER_ETCD,
    MEMBER_REST,
    OPERATOR,
    Usage,
    between,
    moment,
    roles,
)
from bench.world import Bench

SECONDS = 30.0
"""More than the longest watch on a member lives: each has begun anew at least once."""
_ROLES = (OPERATOR, HUB_API, HUB_ETCD, HUB_REST, MEMBER_API, MEMBER_ETCD, MEMBER_REST)


@dataclass(frozen=True, slots=True)
class Idle:
    """What was used, and what the operator called, while nothing happened."""

    usage: Usage
    calls: Calls

    def calls_of(self, seconds: float) -> float:
        """Return how many calls the operator makes in so many seconds in which nothing happens."""
        return self.calls.total() * seconds / self.usage.seconds


async def at_rest(bench: Bench, *, seconds: float, proxies: Sequence[int] = ()) -> Idle:
    """Look for so long, once the operator has no more to say of any job."""
    before = await settled_calls(bench.federation)
    pids = roles(bench.federation, proxies=proxies)
    start = moment(pids)
    await asyncio.sleep(seconds)
    used = between(start, moment(pids))
    return Idle(used, await asyncio.to_thread(operator_calls, bench.federation) - before)


async def idle(bench: Bench, *, seconds: float = SECONDS) -> Figure:
    """A federation at rest."""
    seen = await at_rest(bench, seconds=seconds)
    used = seen.usage
    return Figure(
        name="idle",
        title=f"{seconds:g} s in which nothing happens",
        values={
            "seconds": round(used.seconds, 1),
            **{f"{role} CPU, ms/s": round(1000 * used.share(role), 1) for role in _ROLES},
            "operator calls/s": calls_each_second(seen.calls, used.seconds),
        },
        limit=limit(used),
        void=list(bench.witness.gaps),
        usage=cores(used),
    )
