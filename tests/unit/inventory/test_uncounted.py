"""What the member's books do not show yet."""

from sampan.inventory.in_flight import Created, InFlight
from sampan.inventory.uncounted import counted, total, uncounted, unreserved
from sampan.model.members.admission import ALL_PODS, CONFIG_MAPS, JOBS
from sampan.model.values.vector import Vector
from sampan.scheduling.capacity.quota_usage import QuotaUse

USE = QuotaUse(each={"cpu": 2}, once={JOBS: 1, CONFIG_MAPS: 2})


def flight(made: Created | None = None, *, replicas: int = 3, finished: int = 0, use: QuotaUse = USE) -> InFlight:
    return InFlight(job_uid="j", nodes=(), per_replica=Vector(), replicas=replicas, finished=finished, use=use, created=made or Created())


def test_what_is_counted_and_what_is_not_are_the_whole() -> None:
    stages = [
        Created(),
        Created(job=True),
        Created(job=True, dependents=True),
        Created(job=True, dependents=True, active=2),
        Created(job=True, dependents=True, active=3),
    ]
    whole = {"cpu": 6, JOBS: 1, CONFIG_MAPS: 2}
    assert [uncounted(flight(made))["cpu"] for made in stages] == [6, 6, 6, 2, 0]
    assert [uncounted(flight(made))[JOBS] for made in stages] == [1, 0, 0, 0, 0]
    assert [uncounted(flight(made))[CONFIG_MAPS] for made in stages] == [2, 2, 0, 0, 0]
    assert all(total((counted(flight(made)), uncounted(flight(made)))) == whole for made in stages)


def test_replicas_that_ended_for_good_are_not_to_come() -> None:
    assert uncounted(flight(Created(job=True, active=1), finished=2))["cpu"] == 0


def test_more_pods_than_planned_are_not_less_than_none_to_come() -> None:
    assert uncounted(flight(Created(job=True, active=5)))["cpu"] == 0


def test_all_pods_of_a_sweep_are_to_come_until_they_were_there() -> None:
    sweep = QuotaUse(each={"cpu": 2}, once={ALL_PODS: 10})
    running = flight(Created(job=True, active=3, ended=4), use=sweep)
    assert (uncounted(running)[ALL_PODS], counted(running)[ALL_PODS]) == (3, 7)
    restarted = flight(Created(job=True, active=3, ended=9), use=sweep)
    assert (uncounted(restarted)[ALL_PODS], counted(restarted)[ALL_PODS]) == (0, 10)


def test_what_a_queue_reserved_is_not_taken_again() -> None:
    two = [flight(), flight(Created(job=True, admitted=True))]
    assert unreserved(two, {"cpu": 8}) == {"cpu": 4}
    assert unreserved(two, {"cpu": 99}) == {"cpu": 0}
    assert unreserved(two, {}) == {"cpu": 12}
    assert unreserved(two, None) == {"cpu": 6}, "it does not say: what it let in counts as reserved"


def test_what_others_have_in_a_queue_stands_for_nothing_of_ours() -> None:
    """Another hub or tool with jobs in the same queue: what is admitted beyond ours is theirs."""
    waiting, running = flight(), flight(Created(job=True, admitted=True))
    assert unreserved([waiting], {"cpu": 8}, {"cpu": 8}) == {"cpu": 6}, "all of it is theirs"
    assert unreserved([waiting, running], {"cpu": 14}, {"cpu": 14}) == {"cpu": 6}
    assert unreserved([waiting, running], {"cpu": 20}, {"cpu": 14}) == {"cpu": 0}, "ours is reserved and awaits an admission check"
    assert unreserved([running], {"cpu": 6}, {"cpu": 6}) == {"cpu": 0}
