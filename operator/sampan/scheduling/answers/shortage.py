"""What a cell lacks in room, resource by resource, with values: on its nodes, by reservations and limits. Nothing that filters judge."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from sampan.model.job import Demand, Job
from sampan.model.members.cluster import Pool
from sampan.model.reason import Reason
from sampan.scheduling.answers.values import UnmetConstraint
from sampan.scheduling.capacity.limits import Limit
from sampan.scheduling.capacity.request import replica_request
from sampan.scheduling.capacity.resources import NodeResources, Request, RequestTable, fits
from sampan.scheduling.capacity.topology import Numbers
from sampan.scheduling.feasibility.amount_words import amount_words
from sampan.scheduling.feasibility.constraints.table import meaning
from sampan.scheduling.reservations.placed import CapacityRequest
from sampan.scheduling.state import CycleState

_LIMITED: Final = {Reason.QUOTA_EXHAUSTED: "the quota of the job namespace", Reason.MEMBER_QUEUE_FULL: "the member's queue"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CellProbe:
    """A demand of a job and a column that it is asked about; the demand need not be one of the job's own."""

    state: CycleState
    job: Job
    demand: Demand
    column: int
    cpu_reserve: int = 0
    requests: RequestTable | None = None
    """Kept by who asks about many spots; not the tables' own, which hold what jobs wait for."""

    def fits(self, stock: NodeResources) -> Numbers:
        """Return the replicas that fit on each node out of a stock, whoever it is kept for."""
        at, request = self.state.matrix.columns[self.column], self._request()
        found: Numbers = fits(stock, request.requests, np.array([request.row]), kind=at.kind, nodes=at.nodes)[0]
        return found

    def room(self) -> int:
        """Return the replicas that may start now beside what is reserved for others, on nodes and in limits."""
        profile = self.state.profile
        return profile.room_in(self._request(), self.column, blockers=profile.blockers(self.job, self.demand))

    def _request(self) -> CapacityRequest:
        requests = self.requests or RequestTable(self.state.matrix.resources)
        row, _ = requests.row_of(Request.of(self.demand, cpu_reserve=self.cpu_reserve))
        return CapacityRequest(demand=self.demand, requests=requests, row=row)


def room_against(probe: CellProbe) -> Reason | None:
    """Return what stands against a demand in a column besides the filters, None if it can start there now."""
    state, least = probe.state, probe.demand.least_replicas
    if int(probe.fits(state.matrix.allocatable).sum()) < least:
        return Reason.TOO_LARGE
    limited = state.limits.why(probe.column, probe.demand)
    if limited is not None:
        return limited
    if probe.room() >= least:
        return None
    return Reason.RESERVED_FOR_OTHERS if int(probe.fits(state.matrix.free).sum()) >= least else Reason.INSUFFICIENT_CAPACITY


def shortage(reason: Reason, probe: CellProbe) -> UnmetConstraint:
    """Return a reason of room with the resource that is short and its values."""
    if reason in _LIMITED:
        return _limited(reason, probe)
    state, least = probe.state, probe.demand.least_replicas
    if reason is Reason.TOO_LARGE and (capped := _capped(probe)):
        return UnmetConstraint(reason, *capped)
    if reason is Reason.RESERVED_FOR_OTHERS:
        needed = f"room for {_replicas(least)} that is not reserved"
        return UnmetConstraint(reason, needed, meaning(reason, probe.job.shape))
    stock = state.matrix.allocatable if reason is Reason.TOO_LARGE else state.matrix.free
    name, each, most = short_resource(probe, stock)
    now = "even when empty" if reason is Reason.TOO_LARGE else "now"
    total = int(probe.fits(stock).sum())
    if not name:
        return UnmetConstraint(
            reason, f"{_replicas(least)}, each on one node with all that it asks for", f"{_replicas(total)} {_fit(total)} {now}"
        )
    has = f"at most {amount_words(name, most)} on one node"
    needed = f"{_each(least)}{amount_words(name, each)}{_overhead(name, state.cell(probe.column).pool)}"
    return UnmetConstraint(reason, needed, f"{has} {now}; {total} of {least} replicas {_fit(total)}")


def short_resource(probe: CellProbe, stock: NodeResources) -> tuple[str, int, int]:
    """Return the resource that allows the fewest replicas out of a stock, what one replica takes of it and the most on one node.

    The empty name: each resource by itself suffices, only not together on the same nodes (or not in one ring or card).
    """
    state, at = probe.state, probe.state.matrix.columns[probe.column]
    worst, found = probe.demand.least_replicas, ("", 0, 0)
    for name, amount in replica_request(probe.demand, at.cell.pool):
        line = state.matrix.resources.known_position(name)
        has = np.zeros(len(at.nodes), dtype=np.int64)
        if line is not None and line < stock.amounts.shape[1]:
            has = np.maximum(stock.amounts[at.nodes, line], 0)
        allowed = int((has // max(amount, 1)).sum())
        if allowed < worst:
            worst, found = allowed, (name, amount, int(has.max(initial=0)))
    return found


def _overhead(name: str, pool: Pool) -> str:
    """Return how much of an amount the pool's RuntimeClass adds: the job itself asks for less."""
    added = pool.overhead[name]
    return f" ({amount_words(name, added)} of it for RuntimeClass {pool.launch.runtime_class})" if added else ""


def _replicas(count: int) -> str:
    return "1 replica" if count == 1 else f"{count} replicas"


def _fit(count: int) -> str:
    return "fits" if count == 1 else "fit"


def _each(least: int) -> str:
    return "" if least == 1 else f"{_replicas(least)} of "


def _limited(reason: Reason, probe: CellProbe) -> UnmetConstraint:
    """Return the amount of a limit that is short."""
    use, least = probe.state.limits.use(probe.column, probe.demand), probe.demand.least_replicas
    for limit in probe.state.limits.of(probe.column):
        if limit.reason is reason and limit.fits(use) < least:
            for name, wanted in limit.taken(use, least).items():
                if name in limit.left and 0 < wanted > max(limit.left[name], 0):
                    return UnmetConstraint(reason, amount_words(name, wanted), _left_words(limit, name))
                if limit.largest and 0 < wanted > limit.largest.get(name, wanted):
                    most = amount_words(name, limit.largest[name])
                    return UnmetConstraint(reason, amount_words(name, wanted), f"the member's queue gives one job at most {most}")
    return UnmetConstraint(reason, f"room for {_replicas(least)}", f"{_LIMITED[reason]} leaves less")


def _left_words(limit: Limit, name: str) -> str:
    """Return what a limit leaves of a resource, and of how much."""
    left = amount_words(name, max(limit.left[name], 0))
    if limit.quota is None:
        return f"{_LIMITED[limit.reason]} leaves {left}"
    told = f"ResourceQuota {limit.quota.name} of the job namespace"
    if name in limit.quota.uncounted:
        return f"{told} is not counted yet by the member: it lets nothing through until then"
    hard = limit.quota.hard.get(name)
    return f"{told} leaves {left}" + (f" of {amount_words(name, hard)}" if hard is not None else "")


def _capped(probe: CellProbe) -> tuple[str, str] | None:
    """Return the cap on devices of the offer's rule that is too low even if nothing ran."""
    wanted = probe.demand.devices * probe.demand.least_replicas
    for limit in probe.state.limits.of(probe.column):
        if "" in limit.total and limit.total[""] < wanted:
            return f"{wanted} devices", f"the offer caps this pool at {limit.total['']} devices"
    return None
