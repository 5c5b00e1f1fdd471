"""A trace played through `schedule()`: jobs arrive, start where and when the cycle says, run for their recorded time, end.

Never here: a decision about order or place. `blocking` only shows the scheduler no job but the oldest waiting one of its group.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

from sampan.model.job import Job
from sampan.model.plan import Plan
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import schedule
from sampan.sim.world import SimJob, World, shape_of

SECOND = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How a trace is played."""

    devices_per_node: int
    blocking: bool = False
    """First in, first out, and nobody passes the first that does not fit."""
    declared: bool = False
    """Every job declares its true run time as its limit; otherwise none declares any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of the jobs of a trace; all times in seconds."""

    jobs: int
    completion: int
    """Sum over jobs of end minus submission."""
    waiting: int
    """Sum over jobs of start minus submission."""

    @property
    def mean_completion(self) -> int:
        """Return the mean completion time in seconds, rounded."""
        return round(self.completion / self.jobs)

    @property
    def mean_waiting(self) -> int:
        """Return the mean time in the queue in seconds, rounded."""
        return round(self.waiting / self.jobs)

    def __add__(self, other: "Outcome") -> "Outcome":
        """Return the outcome of both sets of jobs together."""
        return Outcome(
            jobs=self.jobs + other.jobs,
            completion=self.completion + other.completion,
            waiting=self.waiting + other.waiting,
        )


@dataclass(slots=True)
class _Play:
    """The state of one run."""

    world: World
    rules: Rules
    waiting: dict[str, Job] = field(default_factory=dict)
    queue: deque[str] = field(default_factory=deque)
    trace: dict[str, SimJob] = field(default_factory=dict)
    started: dict[str, int] = field(default_factory=dict)
    ends: list[tuple[int, str]] = field(default_factory=list)
    memo: Memo = field(default_factory=Memo)
    stuck: bool = False
    """The first in line did not fit since anything ended."""


def play(jobs: Sequence[SimJob], world: World, rules: Rules) -> Outcome:
    """Return what becomes of the jobs; each of them must fit into the empty world, else the run ends with LookupError."""
    state = _Play(world, rules)
    arrivals = deque(sorted(jobs, key=lambda job: job.submitted))  # stable: equal seconds keep the trace's order
    while arrivals or state.ends or state.waiting:
        now = _next_moment(arrivals, state)
        _end(state, now)
        while arrivals and arrivals[0].submitted <= now:
            _arrive(state, arrivals.popleft())
        _schedule(state, now)
    completion = sum(state.started[job.name] + job.seconds - job.submitted for job in jobs)
    waiting = sum(state.started[job.name] - job.submitted for job in jobs)
    return Outcome(jobs=len(jobs), completion=completion, waiting=waiting)


def _next_moment(arrivals: deque[SimJob], state: _Play) -> int:
    moments = [arrivals[0].submitted] if arrivals else []
    moments += [state.ends[0][0]] if state.ends else []
    if not moments:
        raise LookupError(f"{len(state.waiting)} jobs can never start, among them {next(iter(state.waiting))}")
    return min(moments)


def _end(state: _Play, now: int) -> None:
    while state.ends and state.ends[0][0] <= now:
        state.world.end(heappop(state.ends)[1])
        state.stuck = False


def _arrive(state: _Play, job: SimJob) -> None:
    shape = shape_of(job.devices, state.rules.devices_per_node, limit=max(job.seconds, 1) if state.rules.declared else None)
    state.trace[job.name] = job
    state.queue.append(job.name)
    state.waiting[job.name] = Job(
        uid=f"{len(state.trace):08d}",  # of equal age the earlier row comes first
        namespace=job.group,
        name=job.name,
        resource_version="1",
        created=job.submitted * SECOND,
        shape=shape,
    )


def _schedule(state: _Play, now: int) -> None:
    """Start what may start at this moment."""
    while state.waiting and not state.stuck:
        shown: Iterable[Job] = state.waiting.values()
        if state.rules.blocking:
            shown = (state.waiting[state.queue[0]],)
        plan, state.memo = schedule(state.world.snapshot(now * SECOND, shown, limit=1 if state.rules.blocking else 64), state.memo)
        _start(state, plan, now)
        if not plan.assignments:
            state.stuck = state.rules.blocking
            break


def _start(state: _Play, plan: Plan, now: int) -> None:
    for assignment in plan.assignments:
        job = state.trace[assignment.job.name]
        ends = now + job.seconds
        state.world.start(assignment, ends=ends * SECOND if state.rules.declared else None)
        state.started[job.name] = now
        heappush(state.ends, (ends, assignment.job.uid))
        del state.waiting[job.name]
        if state.rules.blocking:
            state.queue.popleft()
