"""What is short is named with its values, and a demand that fits is told so."""

from dataclasses import replace

import pytest

from builders import H100, NOW, cluster, demand, job, node, nodes, offer, requirement, shape, snapshot, vector
from sampan.model.job import Demand
from sampan.model.launch import Launch
from sampan.model.members.admission import Quota
from sampan.model.members.runtime_class import RuntimeClass
from sampan.model.reason import Reason
from sampan.model.reservation import Reservation
from sampan.model.snapshot import Snapshot
from sampan.model.values.vector import Vector
from sampan.scheduling.answers.shortage import CellProbe, room_against, shortage
from sampan.scheduling.cache import Memo
from sampan.scheduling.reservations.placed import placed
from sampan.scheduling.state import CycleState


def probe(world: Snapshot, wanted: Demand) -> CellProbe:
    cache = Memo().cache_or_new()
    cache.update(world)
    state = CycleState.open(world, cache)
    for reservation in world.reservations:
        hold = placed(reservation, shape(), matrix=state.matrix, columns=state.cell_index.by_id)
        assert hold is not None
        state.keep(hold)
    return CellProbe(state=state, job=job(), demand=wanted, column=0)


def world(used: Vector = Vector(), **quota: int) -> Snapshot:
    """Return one member with two nodes of eight H100 and something taken on the first."""
    member = cluster(*nodes("n", 2, H100), used={"n-0": used})
    quotas = {"sampan-jobs": (Quota(name="gpus", left={"nvidia.com/gpu": quota["gpu"]}),)} if quota else {}
    return snapshot(offers=[offer()], clusters=[replace(member, quotas=quotas)])


CASES = [
    ("devices taken", world(vector(gpu=6)), 2, demand(requirement()), Reason.INSUFFICIENT_CAPACITY, "2 replicas of 8 nvidia.com/gpu", "1"),
    ("nodes too small", world(), 1, demand(requirement(count=16)), Reason.TOO_LARGE, "16 nvidia.com/gpu", "8 nvidia.com/gpu on one"),
    ("memory", world(), 1, demand(requirement(), gib=2000), Reason.TOO_LARGE, "2000Gi memory", "at most 1Ti memory"),
    ("cpu taken", world(vector(120)), 2, demand(requirement(), cpu=100), Reason.INSUFFICIENT_CAPACITY, "100 cpu", "128 cpu"),
    ("quota", world(gpu=4), 1, demand(requirement()), Reason.QUOTA_EXHAUSTED, "8 nvidia.com/gpu", "leaves 4 nvidia.com/gpu"),
]


@pytest.mark.parametrize(
    ("picture", "replicas", "wanted", "reason", "words"), [(*case[1:5], case[5:]) for case in CASES], ids=[case[0] for case in CASES]
)
def test_what_is_short_is_named(picture: Snapshot, replicas: int, wanted: Demand, reason: Reason, words: tuple[str, str]) -> None:
    gang = replace(wanted, replicas=replicas, least_replicas=replicas)
    found = room_against(probe(picture, gang))
    assert found is reason
    told = shortage(reason, probe(picture, gang))
    assert words[0] in told.needed
    assert words[1] in told.present


def test_where_it_fits_nothing_is_against_it() -> None:
    assert room_against(probe(world(), demand(requirement(), replicas=2))) is None


def test_held_nodes_are_not_free_for_others() -> None:
    picture = snapshot(offers=[offer()], clusters=[cluster(node("n-0", H100))])
    held = Reservation(
        job_uid="other", priority=9, cell=picture.cells[0].id, demand=0, nodes=(("n-0", 1),), start=NOW, published=NOW, made=NOW
    )
    at = probe(replace(picture, reservations=(held,)), demand(requirement()))
    assert room_against(at) is Reason.RESERVED_FOR_OTHERS
    assert "reserved for a job that comes first" in shortage(Reason.RESERVED_FOR_OTHERS, at).present


def test_resources_that_suffice_one_by_one_are_told_to_lack_together() -> None:
    picture = snapshot(offers=[offer()], clusters=[cluster(*nodes("n", 2, H100), used={"n-0": vector(gpu=8), "n-1": vector(128)})])
    told = shortage(Reason.INSUFFICIENT_CAPACITY, probe(picture, demand(requirement())))
    assert "on one node with all that it asks for" in told.needed


def test_what_a_runtime_class_adds_is_told_apart_from_what_the_job_asks_for() -> None:
    kata = RuntimeClass(name="kata", overhead=vector(gib=2))
    member = replace(cluster(node("n", H100, gib=64)), runtime_classes={"kata": kata})
    of = replace(offer(), launch=Launch(runtime_class="kata"))
    told = shortage(Reason.TOO_LARGE, probe(snapshot(offers=[of], clusters=[member]), demand(requirement(), gib=63)))
    assert told.needed == "65Gi memory (2Gi memory of it for RuntimeClass kata)"
