"""What a pod on the wire asks for on its node. What it is there for, and whether it holds it, is not said here."""

from sampan.kube import workloads as kube
from sampan.kube.amounts import to_vector
from sampan.model.pod_request import InitContainer, pod_request
from sampan.model.vector import Vector


def request_of(pod: kube.Pod) -> Vector:
    """Return what a pod asks for on its node: containers and sidecars, init containers, overhead, pod-level requests, one pod slot."""
    spec = pod.spec
    return pod_request(
        [to_vector(c.resources.requests) for c in spec.containers],
        init=[InitContainer(request=to_vector(c.resources.requests), sidecar=c.restart_policy == "Always") for c in spec.init_containers],
        overhead=to_vector(spec.overhead),
        level=to_vector(spec.resources.requests) if spec.resources else None,
    )
