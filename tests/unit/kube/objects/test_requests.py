"""A pod asks for the greater of its containers together and each init container, and its overhead."""

from member_objects import as_pod, pod_body
from sampan.kube.objects.requests import request_of


def test_a_request_counts_the_largest_of_init_and_containers_and_one_pod_slot() -> None:
    body = pod_body(gpus=0)
    body["spec"]["initContainers"] = [{"name": "i", "resources": {"requests": {"cpu": "10"}}}]
    body["spec"]["overhead"] = {"cpu": "1"}
    request = request_of(as_pod(body))
    assert (request["cpu"], request["memory"], request["pods"]) == (11000, 8 * 2**30, 1)


def test_a_limit_without_a_request_is_one() -> None:
    body = pod_body(gpus=0)
    body["spec"]["containers"] = [{"name": "c", "resources": {"limits": {"nvidia.com/gpu": "2", "cpu": "4"}, "requests": {"cpu": "1"}}}]
    request = request_of(as_pod(body))
    assert (request["nvidia.com/gpu"], request["cpu"]) == (2, 1000)


def test_a_container_that_is_resized_holds_the_greatest_of_what_it_asks_for_was_promised_and_has() -> None:
    body = pod_body(gpus=0)
    body["spec"]["containers"] = [{"name": "c", "resources": {"requests": {"cpu": "1", "memory": "4Gi"}}}, {"name": "d"}]
    body["spec"]["initContainers"] = [{"name": "s", "restartPolicy": "Always", "resources": {"requests": {"cpu": "1"}}}]
    status = {"name": "c", "allocatedResources": {"cpu": "2", "memory": "1Gi"}, "resources": {"requests": {"cpu": "8"}}}
    body["status"]["containerStatuses"] = [status, {"name": "d"}]
    body["status"]["initContainerStatuses"] = [{"name": "s", "allocatedResources": {"cpu": "3"}}]
    request = request_of(as_pod(body))
    assert (request["cpu"], request["memory"]) == (11000, 4 * 2**30)
