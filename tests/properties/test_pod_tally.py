"""Whatever comes, changes and goes: the counts of an attempt's pods are those of the pods that are left, and no trouble is overlooked."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

import builders as b
from remote_objects import T0, T1, T2, condition, crashed, drained, job, pod, running, succeeded, unscheduled, waiting
from sampan.controller.observation.attempt import observe
from sampan.controller.observation.pod_tally import PodTally
from sampan.controller.observation.presence import pod_problems
from sampan.kube.objects.workloads import Job, Pod
from sampan.model.members.cluster import Node

NODES: dict[str, Node] = {"n1": b.node("n1")}
Form = Callable[[int], Pod]
FORMS: tuple[Form, ...] = (
    running,
    succeeded,
    unscheduled,
    crashed,
    drained,
    lambda index: waiting(index, "ImagePullBackOff", "no such image"),
    lambda index: waiting(index, "ContainerCreating"),
    lambda index: crashed(index, 7, at=T0),
    lambda index: drained(index, at=T2),
    lambda index: pod(index, "Running", condition("Ready"), deleted=T1),
    lambda index: pod(index, "Running", condition("Ready", status="False"), condition("ContainersReady")),
    lambda index: pod(index, "Running", condition("Ready"), node="n-gone"),
    lambda index: pod(index, "Unknown"),
    lambda index: pod(index, "Failed", deleted=T1),
)
JOBS = (job(active=3), job(condition("Failed", "BackoffLimitExceeded"), failed=2), job(failedIndexes="1-2,4"))
HISTORY = st.lists(st.tuples(st.integers(0, 5), st.none() | st.sampled_from(FORMS)), max_size=40)


@given(history=HISTORY, of=st.sampled_from(JOBS), gang=st.booleans())
def test_counts_by_delta_are_the_counts_of_what_is_left(history: list[tuple[int, Form | None]], of: Job, gang: bool) -> None:
    tally, left = PodTally(), dict[str, Pod]()
    for index, form in history:
        if form is None:
            tally.drop(f"uid-{index}")
            left.pop(f"uid-{index}", None)
        else:
            left[f"uid-{index}"] = form(index)
            tally.put(left[f"uid-{index}"])
        observe(of, tally, gang=gang, replicas=3)  # whatever it keeps, it keeps in the middle of a history too
        tally.suspects(NODES)
    fresh = PodTally.of(left.values())
    assert len(tally) == len(left)
    assert observe(of, tally, gang=gang, replicas=3) == observe(of, fresh, gang=gang, replicas=3)
    for nodes in (NODES, {}):
        assert pod_problems(tally.suspects(nodes), nodes) == pod_problems(left.values(), nodes)
    ready = sum(each.status.phase == "Running" and each.metadata.deletion_timestamp is None and _ready(each) for each in left.values())
    assert (tally.ready, tally.placed) == (ready, sum(bool(each.spec.node_name) for each in left.values()))


def _ready(each: Pod) -> bool:
    return any(c.type == "Ready" and c.status == "True" for c in each.status.conditions)
