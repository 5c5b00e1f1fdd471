"""Use of nodes: pods and plans, each replica once."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import vector
from sampan.inventory.in_flight import InFlight, PodUse, unseen_replicas, unseen_use, usage_of
from sampan.model.values.vector import PODS, Vector

ONE = vector(cpu=1, gpu=8, pods=1)


def pods(job: str | None, **on: int) -> list[PodUse]:
    return [PodUse(uid=f"{job}-{node}-{i}", node=node, request=ONE, job_uid=job) for node, count in on.items() for i in range(count)]


def flight(finished: int = 0, **on: int) -> InFlight:
    return InFlight(job_uid="j", nodes=tuple(on.items()), per_replica=ONE, finished=finished)


def counts(used: dict[str, Vector]) -> dict[str, int]:
    return {node: vector[PODS] for node, vector in used.items()}


@pytest.mark.parametrize(
    ("observed", "flights", "want"),
    [
        ([], [], {}),
        ([], [flight(a=1, b=1)], {"a": 1, "b": 1}),
        (pods("j", a=1), [flight(a=1, b=1)], {"a": 1, "b": 1}),
        (pods("j", a=1, b=1), [flight(a=1, b=1)], {"a": 1, "b": 1}),
        (pods("j", c=1), [flight(a=1)], {"c": 1}),  # landed elsewhere
        (pods("j", c=1), [flight(a=1, b=1)], {"c": 1, "a": 1}),
        (pods("j", a=3), [flight(a=1)], {"a": 3}),  # retries terminate beside their successors
        (pods("j", a=1), [flight(1, a=2)], {"a": 1}),
        ([], [flight(2, a=2)], {}),
        (pods(None, a=2), [flight(a=1)], {"a": 3}),  # somebody else's pods stand for nothing of ours
        (pods("other", a=1), [flight(a=1)], {"a": 2}),
        (pods("gone", a=1), [], {"a": 1}),
    ],
)
def test_the_greater_of_plan_and_pods(observed: list[PodUse], flights: list[InFlight], want: dict[str, int]) -> None:
    assert counts(usage_of(observed, flights)) == want


NODES = st.dictionaries(st.sampled_from("abc"), st.integers(1, 4), max_size=3)


@given(NODES, NODES, st.integers(0, 3))
def test_the_total_is_the_greater_of_the_two(planned: dict[str, int], seen: dict[str, int], finished: int) -> None:
    total = sum(counts(usage_of(pods("j", **seen), [flight(finished, **planned)])).values())
    assert total == max(sum(planned.values()) - finished, sum(seen.values()))


@given(NODES, NODES)
def test_no_node_is_charged_beyond_its_plan(planned: dict[str, int], seen: dict[str, int]) -> None:
    waiting = unseen_replicas(flight(**planned), seen)
    assert all(0 < count <= planned[node] - seen.get(node, 0) for node, count in waiting.items())


def test_one_attempt_can_be_kept_up_to_date_alone() -> None:
    made, seen = flight(a=2, b=1), pods("j", a=1)
    alone = unseen_use(made, seen)
    whole = usage_of(seen, [made])
    assert {node: alone.get(node, Vector()) + Vector.total(p.request for p in seen if p.node == node) for node in whole} == whole


def test_a_pod_of_another_namespace_stands_for_no_replica() -> None:
    """Else whoever makes pods with our labels elsewhere would have their room given away."""
    made = replace(flight(a=2), namespace="sampan-jobs")
    own, elsewhere = (replace(pods("j", a=1)[0], uid=name, namespace=name) for name in ("sampan-jobs", "prov-b"))
    assert counts(usage_of([own], [made])) == {"a": 2}
    assert counts(usage_of([own, elsewhere], [made])) == {"a": 3}
    assert {node: vector[PODS] for node, vector in unseen_use(made, [own, elsewhere]).items()} == {"a": 1}
