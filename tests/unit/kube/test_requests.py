"""A pod asks for the greater of its containers together and each init container, and its overhead."""

from member_objects import as_pod, pod_body
from sampan.kube.requests import request_of


def test_a_request_counts_the_largest_of_init_and_containers_and_one_pod_slot() -> None:
    body = pod_body(gpus=0)
    body["spec"]["initContainers"] = [{"name": "i", "resources": {"requests": {"cpu": "10"}}}]
    body["spec"]["overhead"] = {"cpu": "1"}
    request = request_of(as_pod(body))
    assert (request["cpu"], request["memory"], request["pods"]) == (11000, 8 * 2**30, 1)
