"""Which jobs break the core is found in few trials, and the others are planned."""

import pytest

from builders import job, snapshot
from sampan.controller.fault_isolation import TRIALS, plan_without_faulty
from sampan.model.plan import Plan, Refusal
from sampan.model.reason import Reason
from sampan.model.snapshot import Snapshot


class Core:
    """Refuses every job, and breaks where one of these groups is among them."""

    def __init__(self, *broken: set[str]) -> None:
        self.broken, self.trials = broken, 0

    def plan(self, part: Snapshot) -> Plan:
        self.trials += 1
        uids = {each.uid for each in part.jobs}
        if any(group <= uids for group in self.broken):
            raise ZeroDivisionError
        return Plan(refusals=tuple(Refusal(job=each, counts={Reason.INSUFFICIENT_CAPACITY: 1}) for each in part.jobs))


UIDS = [f"u{number:03}" for number in range(200)]


@pytest.mark.parametrize(
    ("broken", "want_faulty"),
    [([{"u117"}], 1), ([{"u000"}, {"u199"}], 2), ([{"u003", "u150"}], 1), ([{"u003", "u004", "u005"}], 1), ([], 0)],
    ids=["one alone", "the first and the last", "two together", "three together", "none"],
)
def test_all_but_the_faulty_are_planned(broken: list[set[str]], want_faulty: int) -> None:
    core = Core(*broken)
    found = plan_without_faulty(snapshot([job(uid) for uid in UIDS]), core.plan)
    faulty = {each.uid for each in found.faulty}
    assert len(faulty) == want_faulty
    assert all(faulty & group for group in broken)
    assert {refusal.job.uid for refusal in found.plan.refusals} == set(UIDS) - faulty
    assert core.trials <= TRIALS


def test_where_everything_is_faulty_it_is_given_up_in_time_and_some_is_found() -> None:
    core = Core(*({uid} for uid in UIDS))
    found = plan_without_faulty(snapshot([job(uid) for uid in UIDS]), core.plan)
    assert core.trials == TRIALS
    assert found.plan == Plan()
    assert 0 < len(found.faulty) < len(UIDS)


def test_one_faulty_job_among_very_many_is_found_at_once() -> None:
    many = [f"u{number}" for number in range(20_000)]
    found = plan_without_faulty(snapshot([job(uid) for uid in many]), Core({"u7777"}).plan)
    assert [each.uid for each in found.faulty] == ["u7777"]
