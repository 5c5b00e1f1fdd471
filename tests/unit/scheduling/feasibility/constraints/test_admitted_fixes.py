"""What a job is told to name, and that it is enough: proved with the cycle itself."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from builders import GIB, H100, cluster, demand, job, nodes, offer, quota, requirement, shape, snapshot, vector
from sampan.model.job import Demand
from sampan.model.members.admission import Admission, Compulsory, LimitItem, LimitType
from sampan.model.reason import Reason
from sampan.model.snapshot import Snapshot
from sampan.scheduling.answers.cells import cell_answers
from sampan.scheduling.answers.next_cycle import next_cycle
from sampan.scheduling.answers.values import CellAnswer
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import schedule

MEMBER = cluster(*nodes("n", 1, H100))
JOB = demand(requirement(H100, 2), cpu=2, gib=4)
CAPPED = replace(JOB, limits=(("cpu", 8000), ("memory", 8 * GIB)))


def ranged(**parts: Mapping[str, int]) -> Snapshot:
    item = LimitItem(range="r", type=LimitType.CONTAINER, **{name: tuple(sorted(part.items())) for name, part in parts.items()})
    return asked(Admission(limits=(item,)))


def asked(rules: Admission) -> Snapshot:
    return snapshot(offers=[offer()], clusters=[replace(MEMBER, admission={"sampan-jobs": rules})])


def needs(*names: str) -> Snapshot:
    return asked(Admission(compulsory=(Compulsory(quota="q", names=names),)))


def leaving(**left: int) -> Snapshot:
    named = {name.replace("_", "."): amount for name, amount in left.items()}
    return snapshot(offers=[offer()], clusters=[replace(MEMBER, quotas={"sampan-jobs": (quota(named),)})])


def answer(world: Snapshot, wanted: Demand) -> CellAnswer:
    found = next_cycle(world, Memo(), job(wanted=shape(wanted)))
    (only,) = cell_answers(found.state, found.entry)
    return only


CASES = [
    ("limits that a quota asks for", needs("limits.cpu", "limits.memory"), JOB, "limits.cpu=2, limits.memory=4Gi"),
    ("a default below the request", ranged(default={"memory": GIB}), JOB, "limits.memory=4Gi"),
    ("a maximum without a limit", ranged(most={"cpu": 4000}), JOB, "limits.cpu=2"),
    ("a maximum below the limit", ranged(most={"cpu": 4000}), CAPPED, "limits.cpu=4"),
    ("a maximum below the request", ranged(most={"cpu": 1000}), CAPPED, "requests.cpu=1, limits.cpu=1"),
    ("a minimum above the request", ranged(least={"cpu": 3000}), CAPPED, "requests.cpu=3"),
    ("a minimum without a request", ranged(least={"memory": GIB}), replace(JOB, per_replica=vector(2, 0, 1)), "requests.memory=1Gi"),
    ("a ratio", ranged(ratios={"cpu": 1500}), CAPPED, "limits.cpu=3"),
    ("a ratio without a limit", ranged(ratios={"cpu": 1500}), JOB, "limits.cpu=2"),
    ("fewer devices", ranged(most={"nvidia.com/gpu": 1}), JOB, "accelerator.count=1"),
    ("less memory in the quota", leaving(memory=3 * GIB), JOB, "requests.memory=3Gi"),
    ("lower limits in the quota", leaving(limits_memory=6 * GIB), CAPPED, "limits.memory=6Gi"),
]


@pytest.mark.parametrize(("world", "wanted", "want"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_is_proposed_is_the_least_and_lets_the_job_run(world: Snapshot, wanted: Demand, want: str) -> None:
    told = answer(world, wanted)
    assert told.unmet, "it does not run as it is"
    shown = [f"{each.field.removeprefix('spec.alternatives[0].').removeprefix('resources.')}={each.after}" for each in told.changes]
    assert ", ".join(shown) == want
    assert told.changed is not None
    plan, _ = schedule(replace(world, backlog=snapshot([job(wanted=told.changed)]).backlog), Memo())
    assert len(plan.assignments) == 1


@pytest.mark.parametrize(
    ("world", "wanted", "reason"),
    [
        (needs("requests.ephemeral-storage", "limits.cpu"), replace(JOB, per_replica=JOB.per_replica.times(0)), Reason.RESOURCES_NOT_NAMED),
        (ranged(most={"nvidia.com/gpu": 0}), JOB, Reason.LIMIT_RANGE_VIOLATED),
        (ranged(default={"amd.com/gpu": 1}), JOB, Reason.LIMIT_RANGE_VIOLATED),
        (leaving(pods=0), JOB, Reason.QUOTA_EXHAUSTED),
    ],
    ids=["an amount that nobody can guess", "no devices at all", "devices that are filled in", "no pods"],
)
def test_what_the_job_cannot_mend_is_told_and_nothing_proposed(world: Snapshot, wanted: Demand, reason: Reason) -> None:
    told = answer(world, wanted)
    assert told.unmet[0].reason is reason
    assert told.changes == ()
