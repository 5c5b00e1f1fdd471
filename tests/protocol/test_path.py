"""A job's way from the handler to the member's API is short: traced on a job that the real parts take from its event to the POST.

A file is on the way if a function of it was on the call stack when the job was handed on, at one of the `STEPS`. What is called beside the
way and returns, such as the reading of a spec or the index of a table, is not on it; what decides is, though it returns as well.
"""

import asyncio
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType

import msgspec

import builders as b
import sampan
from jobs import CLUSTER, OFFER, body
from places import ROOT
from sampan.api.launch.manifest import job_manifest
from sampan.controller.hub.client import HubClient
from sampan.controller.hub.intake import HubIntake
from sampan.controller.hub.job_watch import WatchedJob
from sampan.controller.loop import Loop
from sampan.controller.offers.manager import OfferManager
from sampan.controller.reconcile.decide import decide
from sampan.controller.reconcile.view.member_view import MemberView
from sampan.controller.state.store import State
from sampan.inventory.cluster import InFlightSource
from sampan.kube.transport.client import Client
from sampan.model.members.cluster import Cell, Cluster
from sampan.model.members.offer import Offer, OfferKey
from sampan.model.plan import Refusal
from sampan.scheduling.cycle import schedule
from unit.controller.fakes import H100_JOB, JOBS, FakeMemberSource, running, until, world

PACKAGE = Path(sampan.__file__).parent
MOST_FILES = 12
STEPS = (State.apply_job, schedule, State.assume, HubClient.write_status, Client.patch, MemberView.of, decide, job_manifest, Client.create)


class OneNode(FakeMemberSource):
    """A member with one node of eight H100, which the scheduler may use."""

    def __init__(self) -> None:
        super().__init__()
        self.offer = b.offer(OFFER.name, namespace=OFFER.namespace, cluster_uid=CLUSTER)
        self.cluster = b.cluster(b.node("n1", b.H100), uid=CLUSTER)

    def offers(self) -> dict[OfferKey, Offer]:
        return {OFFER: self.offer}

    def cells(self) -> tuple[Cell, ...]:
        return b.cells([self.offer], [self.cluster])

    def clusters(self, in_flight: InFlightSource) -> dict[str, Cluster]:
        return {CLUSTER: self.cluster}


class Trace:
    """The files on the way, and which methods of the state were entered from outside its package, in order."""

    def __init__(self) -> None:
        self.files: set[str] = set()
        self.steps: set[CodeType] = set()
        self.entered: list[str] = []
        self._codes = {step.__code__ for step in STEPS}
        self._writes = {getattr(State, name).__code__: name for name in ("apply_job", "remove_job", "assume", "forget_assumed", "back_off")}

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        """Take in one event of the interpreter."""
        if event != "call":
            return
        if frame.f_code in self._codes:
            self.steps.add(frame.f_code)
            self.files.update(_files_of(frame))
        if frame.f_code in self._writes:
            self.entered.append(self._writes[frame.f_code])


def _files_of(frame: FrameType | None) -> Iterator[str]:
    """The files of the package that have a function on the stack."""
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(PACKAGE):
            yield path.relative_to(PACKAGE).with_suffix("").as_posix()
        frame = frame.f_back


class Silent:
    """Nobody is told why a job waits."""

    def report(self, refusals: tuple[Refusal, ...]) -> None:
        """Do nothing."""


@contextmanager
def traced() -> Iterator[Trace]:
    """Trace what runs on this thread."""
    trace, before = Trace(), sys.getprofile()
    sys.setprofile(trace)
    try:
        yield trace
    finally:
        sys.setprofile(before)


async def a_jobs_way() -> Trace:
    """Let the real parts take a job from its event of the hub's watch to its copy on the member."""
    async with world() as w:
        w.source = OneNode()
        w.restart()
        loop = Loop(w.state, w.reconciler, Silent(), interval=0.01, clock=lambda: w.now)
        w.state.on_pending.append(loop.wake)
        hub = w.reconciler.steps.hub.client
        sink = HubIntake(w.state, OfferManager.__new__(OfferManager), hub, resync_interval=60).job_sink()
        made = msgspec.convert(w.hub.put(JOBS, body("u1", spec=H100_JOB)), WatchedJobBody)
        task = asyncio.create_task(loop.run())
        async with running(w):
            with traced() as trace:
                sink.on_event("ADDED", made.watched())
                await until(lambda: w.member.calls("POST", "/jobs"))
        task.cancel()
        await asyncio.wait({task})
        return trace


class WatchedJobBody(msgspec.Struct):
    """A job as the API server sends it."""

    metadata: dict[str, object]
    spec: dict[str, object]
    status: dict[str, object]

    def watched(self) -> WatchedJob:
        """As the watch decodes it."""
        return msgspec.json.decode(msgspec.json.encode(self), type=WatchedJob)


async def test_a_job_visits_few_files_and_the_state_once_each_way() -> None:
    trace = await a_jobs_way()
    assert trace.steps == {step.__code__ for step in STEPS}, "every step was seen"
    assert len(trace.files) <= MOST_FILES, sorted(trace.files)
    assert trace.entered == ["apply_job", "assume", "apply_job"], "in by its event, out by the plan, whose binding is the reply to a write"


async def test_the_picture_of_a_jobs_way_shows_the_files_that_it_visits() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    picture = re.findall(r"^[ │├└─]*([A-Za-z_]+(?:\.[a-z_]+)?) +([a-z]+/[a-z_/]+)$", text, re.MULTILINE)
    assert {file for _, file in picture} == (await a_jobs_way()).files
