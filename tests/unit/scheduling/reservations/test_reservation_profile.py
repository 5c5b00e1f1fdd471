"""Who may use what is reserved, and what that leaves to others."""

from dataclasses import replace

import numpy as np
import pytest

from builders import H100, NOW, cluster, demand, job, nodes, offer, quota, requirement, shape, snapshot, vector
from sampan.model.members.cluster import Running
from sampan.model.members.offer import Offer
from sampan.model.plan import StartUnknown
from sampan.model.reservation import Reservation
from sampan.scheduling.cache import SchedulerCache
from sampan.scheduling.reservations.placed import PlacedReservation, StartedJob, placed
from sampan.scheduling.state import CycleState

OFFERS = [offer("o1"), offer("o2")]
WHOLE = demand(requirement())
OTHER = job("other", shape(WHOLE))
WORLD = snapshot([OTHER], OFFERS, [cluster(*nodes("h", 3, H100))])


def opened() -> CycleState:
    cache = SchedulerCache()
    cache.update(WORLD)
    return CycleState.open(WORLD, cache)


def kept(**changes: object) -> Reservation:
    made = Reservation(
        job_uid="held",
        priority=1,
        cell=(OFFERS[0].key, "h100-sxm-80gb-x8"),
        demand=0,
        nodes=(("h-0", 1), ("h-1", 1)),
        start=NOW + 10_000,
        published=NOW + 10_000,
        made=NOW,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def found(state: CycleState, reservation: Reservation) -> PlacedReservation | None:
    return placed(reservation, shape(WHOLE), matrix=state.matrix, columns=state.cell_index.by_id)


def keep(state: CycleState, *uids: str, **changes: object) -> None:
    for uid in uids:
        reservation = found(state, kept(job_uid=uid, **changes))
        assert reservation is not None
        state.keep(reservation)


@pytest.mark.parametrize(
    ("uid", "priority", "seconds", "want"),
    [("held", 0, None, False), ("other", 2, None, False), ("other", 1, None, True), ("other", 0, 10, False), ("other", 0, 11, True)],
)
def test_who_is_blocked(uid: str, priority: int, seconds: int | None, want: bool) -> None:
    state = opened()
    keep(state, "held")
    asks, wanted = job(uid, priority=priority), replace(WHOLE, span_seconds=seconds)
    assert state.profile.blockers(asks, wanted) == (tuple(state.profile.all) if want else ())


def rooms(state: CycleState) -> list[int]:
    return [int(room) for room in state.feasibility(state.entry(OTHER), 0).room]


def test_every_cell_with_the_nodes_has_less_room_even_after_the_reservation_is_released() -> None:
    state = opened()
    assert rooms(state) == [3, 3]
    keep(state, "held")
    state.profile.release("held")
    assert not state.profile.standing
    assert rooms(state) == [1, 1]


def test_a_node_that_two_reservations_keep_is_missing_once() -> None:
    """As when a higher job is given the nodes of a lower one, whose reservation keeps others away until the cycle ends."""
    state = opened()
    keep(state, "lower", "higher")
    assert rooms(state) == [1, 1]


def test_room_in_one_column_is_the_room_of_all_columns_there() -> None:
    state = opened()
    keep(state, "held")
    request, blockers = state.request(state.entry(OTHER), 0), state.profile.blockers(OTHER, WHOLE)
    everywhere = state.profile.room(request, np.ones(2, dtype=bool), blockers=blockers).tolist()
    assert [state.profile.room_in(request, column, blockers=blockers) for column in range(2)] == everywhere


def test_a_reservation_on_what_is_gone_is_none() -> None:
    state = opened()
    assert found(state, kept(nodes=(("h-9", 1),))) is None
    assert found(state, kept(cell=(OFFERS[0].key, "gone"))) is None
    assert found(state, kept(demand=1)) is None


def test_a_job_that_starts_uses_up_its_own_reservation_and_ends_lower_ones_on_its_nodes() -> None:
    state = opened()
    keep(state, "low", priority=0)
    keep(state, "mine", priority=1, nodes=(("h-2", 1),))
    keep(state, "equal", priority=1)
    mine = job("mine", shape(WHOLE), priority=1)
    row = state.request(state.entry(mine), 0).row
    first = int(state.matrix.columns[0].nodes[0])
    state.start(StartedJob(job=mine, demand=WHOLE, column=0, row=row, nodes=((first, 1),)))
    assert set(state.profile.standing) == {"equal"}
    assert rooms(state) == [0, 0]


def test_candidates_come_by_their_bounds_and_what_has_none_is_told_at_the_end() -> None:
    """Of five offers one allows a start now, two a node's release, one has a job without an end, one a quota that nobody frees."""
    offers = [offer(f"o{at}", cluster_uid=f"c{at}") for at in range(5)]
    ends = {1: NOW + 9_000, 2: NOW + 5_000, 3: None}
    members = []
    for at in range(5):
        name = f"n{at}"
        member = cluster(*nodes(name, 1, H100), uid=f"c{at}")
        if at in ends:
            held = running_on(offers[at], f"{name}-0", ends=ends[at])
            member = replace(member, running={held.job_uid: held}, used={f"{name}-0": held.in_use})
        members.append(replace(member, quotas={"sampan-jobs": (quota({"nvidia.com/gpu": 0}),)}) if at == 4 else member)
    world = snapshot([OTHER], offers, members)
    cache = SchedulerCache()
    cache.update(world)
    state = CycleState.open(world, cache)
    request, unknown = state.request(state.entry(OTHER), 0), set[StartUnknown]()
    candidates = [(column, 0) for column in range(5)]
    bounds = [state.profile.lower_bound(request, column, beside=()) for column in range(5)]
    assert bounds == [NOW, NOW + 9_000, NOW + 5_000, StartUnknown.NO_DECLARED_END, StartUnknown.LIMITED]
    found = list(state.profile.by_lower_bound({0: request}, candidates, beside=(), unknown=unknown))
    assert found == [(NOW, 0, 0), (NOW + 5_000, 2, 0), (NOW + 9_000, 1, 0)]
    assert unknown == {StartUnknown.NO_DECLARED_END, StartUnknown.LIMITED}


def test_only_columns_that_may_be_the_soonest_are_asked_for_their_releases() -> None:
    """Of 40 offers one is released in a second: what ends on the others, later, is not looked at."""
    offers = [offer(f"o{at:02}", cluster_uid=f"c{at:02}") for at in range(40)]
    members = []
    for at, each in enumerate(offers):
        held = running_on(each, f"n{at}-0", ends=NOW + 1_000 * (60 - at))
        member = cluster(*nodes(f"n{at}", 1, H100), uid=f"c{at:02}")
        members.append(replace(member, running={held.job_uid: held}, used={f"n{at}-0": held.in_use}))
    world = snapshot([OTHER], offers, members)
    cache = SchedulerCache()
    cache.update(world)
    state = CycleState.open(world, cache)
    request = state.request(state.entry(OTHER), 0)
    found = state.profile.by_lower_bound({0: request}, [(column, 0) for column in range(40)], beside=(), unknown=set())
    assert next(found) == (NOW + 21_000, 39, 0)
    assert len(cache.backfill.nodes) == 1


def running_on(of: Offer, node: str, *, ends: int | None) -> Running:
    return Running(
        job_uid=f"on-{node}",
        namespace="n",
        queue="q",
        priority=0,
        offer=of.key,
        pool="h100-sxm-80gb-x8",
        nodes=((node, 1),),
        per_replica=vector(gpu=8),
        ends=ends,
    )
