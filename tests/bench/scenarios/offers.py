"""Many offers of many providers: how long the operator's event loop stands still when a link flaps or an offer changes.

What must never live here: how the loop is watched (hook/sitecustomize.py).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec

from bench.api import wait_until
from bench.figure import Figure, cores, percentile
from bench.limit import limit
from bench.usage import Usage, between, moment, roles
from bench.virtual_members import all_schedulable, virtual_members
from bench.witness import GROUP
from bench.world import Bench, hooked, restarted
from integration.support import PATIENCE

TIMES = 5
"""How often each thing is done."""


async def offers(bench: Bench, *, each: int, members: Sequence[str], providers: Sequence[str], window: float = 5.0) -> Figure:
    """`each` offers of every provider; one virtual member, and so one link, for each provider."""
    stalls = bench.federation.federation.folder / "stalls"
    told = {"SAMPAN_BENCH_STALLS": str(stalls)} | ({"SAMPAN_BENCH_STALL_STACKS": str(bench.stall_stacks)} if bench.stall_stacks else {})
    await asyncio.to_thread(restarted, bench.federation, hooked(**told))
    count = len(providers)
    async with virtual_members(bench, members) as many:
        await many.share_nodes(range(1, count + 1))
        await asyncio.gather(*(many.join(n, provider=provider, offers=each) for n, provider in enumerate(providers, 1)))
        await all_schedulable(bench, count * each, seconds=180 + count * each)
        await asyncio.sleep(2 * window)  # statuses are written for a while yet: that is not what is looked at
        pids = roles(bench.federation, proxies=many.pids)
        start = moment(pids)

        async def nothing(_: int) -> None:
            return

        async def flap(number: int) -> None:
            assert await many.cut(number) > 0, "there was nothing to cut"

        async def change(number: int) -> None:
            path = f"{GROUP}/namespaces/{providers[number - 1]}/clusteroffers/virtual-{number}-0"
            await bench.hub.call("PATCH", path, msgspec.json.encode({"spec": {"accepting": False}}), patch="merge-patch")

        idle = [await _longest(stalls, nothing, number, window=window) for number in _numbers(count)]
        flaps = [await _longest(stalls, flap, number, window=window) for number in _numbers(count)]
        changes = [await _longest(stalls, change, number, window=window) for number in _numbers(count)]
        used = between(start, moment(pids))
        # every link is up again, and each offer that was changed takes no more jobs: what was done was heard of
        await all_schedulable(bench, count * each - len(set(_numbers(count))), seconds=PATIENCE + count * each)
    values = {"offers": float(count * each), "members": float(count)}
    for what, seen in (("nothing changes", idle), ("a link flaps", flaps), ("an offer changes", changes)):
        values |= {
            f"longest stall while {what}, median, ms of CPU": round(1000 * percentile([cpu for _, cpu in seen], 50), 1),
            f"longest stall while {what}, most, ms of CPU": round(1000 * max(cpu for _, cpu in seen), 1),
            f"longest stall while {what}, median, ms": round(1000 * percentile([late for late, _ in seen], 50), 1),
            f"longest stall while {what}, most, ms": round(1000 * max(late for late, _ in seen), 1),
        }
    return Figure(
        name="offers",
        title=f"{count * each} offers of {count} providers: stalls of the operator's event loop, {TIMES} times each",
        values=values,
        limit=_limit(max(flaps + changes), used),
        void=list(bench.witness.gaps),
        usage=cores(used),
    )


def _numbers(count: int) -> list[int]:
    """Return the numbers of the members that something happens to."""
    return [1 + (place * count) // TIMES % count for place in range(TIMES)]


async def _longest(stalls: Path, act: Callable[[int], Awaitable[None]], number: int, *, window: float) -> tuple[float, float]:
    """Return the longest stall of the next seconds, and the most processor time that the loop's thread used in one.

    AssertionError where nobody watched the loop: no stall seen is not a stall of 0 ms.
    """
    _text(stalls)  # AssertionError at once where there is no hook
    began = time.monotonic()
    await act(number)
    await asyncio.sleep(window)
    ended, rows = time.monotonic(), list[list[float]]()

    def told() -> bool:
        rows[:] = [[float(word) for word in line.split()] for line in _text(stalls).splitlines()]
        return bool(rows) and rows[-1][0] + rows[-1][1] >= ended

    await wait_until(told, "the operator's event loop has told of its stalls up to now", seconds=PATIENCE, every=0.2)
    seen = [(late, cpu) for at, late, cpu in rows if at + late > began]
    return max(late for late, _ in seen), max(cpu for _, cpu in seen)


def _limit(longest: tuple[float, float], used: Usage) -> str:
    """Return what bound the longest stall: its thread at work, or one that waited for a core."""
    late, cpu = (1000 * seconds for seconds in longest)
    told = f"in the longest stall, {late:.1f} ms, the loop's thread used {cpu:.1f} ms"
    return f"our CPU: {told}" if 2 * cpu >= late else f"a core to run on: {told}; {limit(used)}"


def _text(file: Path) -> str:
    """Return whole lines only: the last one may be being written."""
    assert file.exists(), f"the operator has not written {file}: it runs without the measuring hook"
    return file.read_text().rpartition("\n")[0]
