"""The scheduler's loop: asked by a change or by the clock, it plans, binds, and says why not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

import builders as b
from jobs import NOW, body
from sampan.controller import loop as module
from sampan.controller.loop import TICK, Loop
from sampan.controller.reconcile.reconciler import JobReconciler
from sampan.controller.state.store import State
from sampan.inventory.cluster import InFlightSource
from sampan.model.members.accelerator import AcceleratorClass
from sampan.model.members.cluster import Cell, Cluster
from sampan.model.members.offer import Offer, OfferKey
from sampan.model.plan import Assignment, Plan, Refusal
from sampan.model.snapshot import Snapshot
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import schedule
from unit.controller.fakes import H100_JOB, FakeMemberSource

pytestmark = pytest.mark.looptime
CPU = {"template": {"image": "registry.example/a:1", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}}

ONE_H100 = {"alternatives": [{"accelerator": {"class": b.H100, "count": 1}}]}


class OneNode(FakeMemberSource):
    """A member with one node of eight H100."""

    def __init__(self) -> None:
        super().__init__()
        self.offer = b.offer()
        self.cluster = b.cluster(b.node("n1", b.H100))

    def offers(self) -> dict[OfferKey, Offer]:
        return {self.offer.key: self.offer}

    def cells(self) -> tuple[Cell, ...]:
        return b.cells([self.offer], [self.cluster])

    def clusters(self, in_flight: InFlightSource) -> dict[str, Cluster]:
        return {"c1": self.cluster}

    def classes(self) -> dict[str, AcceleratorClass]:
        return {}


class Scene:
    """A loop over one node, with a reconciler and a writer that note what they are given."""

    def __init__(self) -> None:
        self.state = State(OneNode(), currency="CNY", cooldown=0)
        self.bound: list[Assignment] = []
        self.heard: list[tuple[Refusal, ...]] = []
        self.snapshots: list[float] = []
        self.loop = Loop(self.state, cast(JobReconciler, self), self, interval=0.05, clock=self._clock)
        self.state.on_pending.append(self.loop.wake)

    def _clock(self) -> int:
        self.snapshots.append(asyncio.get_running_loop().time())
        return NOW

    bind_allowance = 64

    def bind(self, assignment: Assignment) -> None:
        self.state.assume(assignment)
        self.bound.append(assignment)

    def report(self, refusals: tuple[Refusal, ...]) -> None:
        self.heard.append(refusals)


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    made = Scene()
    task = asyncio.create_task(made.loop.run())
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.wait({task})


def add(sc: Scene, uid: str = "u1", spec: dict[str, Any] | None = None) -> None:
    sc.state.apply_job(body(uid, spec=spec or H100_JOB))


async def test_a_new_job_is_placed_at_once() -> None:
    async with scene() as sc:
        add(sc)
        await asyncio.sleep(0.01)
        (assignment,) = sc.bound
        assert (assignment.job.uid, assignment.nodes) == ("u1", (("n1", 1),))
        assert sc.loop.cycles >= 1


async def test_without_waiting_jobs_nothing_is_planned() -> None:
    async with scene() as sc:
        await asyncio.sleep(1_000)
        sc.loop.wake()
        await asyncio.sleep(1)
        assert (sc.loop.cycles, sc.snapshots) == (0, [])


async def test_jobs_that_wait_are_looked_at_though_nothing_changed() -> None:
    async with scene() as sc:
        add(sc, spec={"alternatives": [{"accelerator": {"class": b.A100, "count": 8}}]})
        await asyncio.sleep(5 * TICK)
        assert 4 <= sc.loop.cycles <= 7
        assert sc.heard[-1][0].job.uid == "u1"
        assert sum(sc.loop.last_refused.values()) == 1


async def test_many_changes_make_few_cycles() -> None:
    async with scene() as sc:
        for number in range(100):
            add(sc, f"u{number}")
            await asyncio.sleep(0.001)
        assert sc.loop.cycles <= 5
        assert all(later - earlier >= 0.05 for earlier, later in zip(sc.snapshots, sc.snapshots[1:], strict=False))


async def test_what_was_refused_is_no_longer_counted_when_nobody_waits() -> None:
    async with scene() as sc:
        add(sc, spec={"alternatives": [{"accelerator": {"class": b.A100, "count": 8}}]})
        await asyncio.sleep(0.2)
        assert sc.loop.last_refused
        sc.state.remove_job("u1")
        await asyncio.sleep(3 * TICK)
        assert sc.loop.last_refused == {}


async def test_jobs_that_break_the_core_only_together_end_nothing_and_all_but_one_are_placed(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = schedule

    def fragile(snapshot: Snapshot, memo: Memo) -> tuple[Plan, Memo]:
        if {"u1", "u3"} <= {job.uid for job in snapshot.jobs}:
            raise ZeroDivisionError
        return plain(snapshot, memo)

    monkeypatch.setattr(module, "schedule", fragile)
    async with scene() as sc:
        for number in range(4):
            add(sc, f"u{number}", spec=ONE_H100)
        await asyncio.sleep(3 * TICK)
        placed = {each.job.uid for each in sc.bound}
        assert {"u0", "u2"} < placed
        assert len(placed & {"u1", "u3"}) == 1


async def test_a_cycle_that_raises_an_error_nobody_foresaw_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene() as sc:
        raised, plain = iter([True, True]), sc.state.snapshot

        def fragile(now: int, *, limit: int) -> Snapshot:
            if next(raised, False):
                raise ZeroDivisionError
            return plain(now, limit=limit)

        monkeypatch.setattr(sc.state, "snapshot", fragile)
        add(sc)
        await asyncio.sleep(1)
        assert not sc.bound
        await asyncio.sleep(3 * TICK)
        assert [each.job.uid for each in sc.bound] == ["u1"]
