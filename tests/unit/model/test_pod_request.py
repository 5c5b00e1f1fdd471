"""A pod's request is what kube-scheduler counts."""

import pytest

from builders import vector
from sampan.model.pod_request import InitContainer, pod_request


@pytest.mark.parametrize(
    ("containers", "init", "want_cpu"),
    [
        ([1, 2], [], 3),
        ([1], [(5, False)], 5),
        ([1], [(5, False), (4, False)], 5),
        ([1], [(2, True)], 3),
        ([1], [(2, True), (5, False)], 7),
        ([1], [(5, False), (2, True)], 5),
        ([4], [(2, True), (3, False)], 6),
    ],
)
def test_pod_requests(containers: list[int], init: list[tuple[int, bool]], want_cpu: int) -> None:
    request = pod_request(
        [vector(cpu=cpu) for cpu in containers], init=[InitContainer(request=vector(cpu=cpu), sidecar=sidecar) for cpu, sidecar in init]
    )
    assert request == vector(cpu=want_cpu, pods=1)


def test_overhead_and_pod_level_resources() -> None:
    request = pod_request([vector(cpu=1, gib=1)], overhead=vector(cpu=1), level=vector(cpu=4))
    assert request == vector(cpu=5, gib=1, pods=1)


def test_a_pod_without_requests_takes_a_slot() -> None:
    assert pod_request([]) == vector(pods=1)
