"""What is asked for most, waiting and placed together, bounded, the same whatever the order, and counted anew once a minute."""

from builders import A100, H100, NOW, demand, job, requirement, shape
from sampan.controller.state.demand_mix import MAX_DEMANDS, MAX_PLACED, MIX_LIFETIME, DemandHistogram
from sampan.model.backlog import Backlog
from sampan.model.job import Demand

ONE, FOUR = demand(requirement(H100, 1)), demand(requirement(A100, 4), replicas=3, expected_seconds=60)


def waiting(*demands: Demand) -> Backlog:
    """One job for each demand."""
    return Backlog.of(job(f"j{at}", shape(each)) for at, each in enumerate(demands))


def told(census: DemandHistogram, backlog: Backlog, now: int = NOW) -> dict[tuple[str | None, int], int]:
    return {(d.requirement.accelerator_class, d.requirement.count): n for d, n in census.mix(backlog, now) if d.requirement}


def test_replicas_of_waiting_jobs_are_counted_down_to_powers_of_two() -> None:
    assert told(DemandHistogram(), waiting(ONE, ONE, ONE, FOUR, FOUR, demand())) == {(A100, 4): 4, (H100, 1): 2}


def test_times_and_replicas_make_no_other_demand() -> None:
    assert len(DemandHistogram().mix(waiting(FOUR, demand(requirement(A100, 4), expected_seconds=9)), NOW)) == 1


def test_what_was_placed_is_remembered_and_fades() -> None:
    census = DemandHistogram()
    census.count_placed(ONE, 5)
    census.count_placed(demand(), 5)
    assert told(census, waiting()) == {(H100, 1): 4}
    census.count_placed(FOUR, MAX_PLACED)
    assert told(census, waiting(), NOW + MIX_LIFETIME) == {(A100, 4): MAX_PLACED // 2, (H100, 1): 2}


def test_it_stands_for_a_minute_and_is_the_same_value_while_equal() -> None:
    census = DemandHistogram()
    first = census.mix(waiting(ONE), NOW)
    assert census.mix(waiting(FOUR), NOW + MIX_LIFETIME - 1) is first
    assert census.mix(waiting(ONE), NOW + MIX_LIFETIME) is first
    assert census.mix(waiting(FOUR), NOW + 2 * MIX_LIFETIME) != first


def test_it_is_bounded_and_the_order_of_the_jobs_does_not_matter() -> None:
    demands = [demand(requirement(H100, 1), cpu=cpu) for cpu in range(1, MAX_DEMANDS + 9)]
    mix = DemandHistogram().mix(waiting(*demands), NOW)
    assert len(mix) == MAX_DEMANDS
    assert mix == DemandHistogram().mix(waiting(*reversed(demands)), NOW)
