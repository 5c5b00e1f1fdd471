"""What a pod on the wire asks for on its node. What it is there for, and whether it holds it, is not said here."""

from collections.abc import Mapping

from sampan.kube.objects import workloads as kube
from sampan.kube.objects.amounts import to_vector
from sampan.model.pod_request import InitContainer, pod_request
from sampan.model.values.vector import Vector


def request_of(pod: kube.Pod) -> Vector:
    """Return what a pod asks for on its node: containers and sidecars, init containers, overhead, pod-level requests, one pod slot.

    A container that is being resized holds the greatest of what it asks for, was promised and has, as kube-scheduler counts it.
    """
    spec, told = pod.spec, {status.name: status for status in (*pod.status.container_statuses, *pod.status.init_container_statuses)}
    return pod_request(
        [_held(c, told) for c in spec.containers],
        init=[InitContainer(request=_held(c, told), sidecar=c.restart_policy == "Always") for c in spec.init_containers],
        overhead=to_vector(spec.overhead),
        level=to_vector(spec.resources.requests) if spec.resources else None,
    )


def _asked(resources: kube.Resources) -> Vector:
    """Return a container's requests; a limit without one is one, as the API server completes it."""
    return to_vector({**resources.limits, **resources.requests})


def _held(container: kube.Container, told: Mapping[str, kube.ContainerStatus]) -> Vector:
    """Return what one container holds."""
    asked, status = _asked(container.resources), told.get(container.name) if container.name else None
    if status is None or not (status.allocated_resources or status.resources):
        return asked
    amounts = dict(asked)
    for known in (status.allocated_resources, status.resources.requests if status.resources else {}):
        for name, amount in to_vector(known):
            amounts[name] = max(amounts.get(name, 0), amount)
    return Vector.of(amounts)
