"""The containers of a job's pod: the main one, and those that start before it. Each field is named below, none passed through unseen."""

from typing import Any, Final

from sampan.api.fields.template import MAIN, ContainerSpec, InitContainer
from sampan.api.launch.environment import environment, environment_from, literal
from sampan.api.launch.recipe import container_security, host_mounts
from sampan.api.launch.remote_job import RemoteJobSpec
from sampan.api.launch.resolved_alternative import amounts
from sampan.api.launch.volumes import mount, shm_mount
from sampan.catalog.devices.share import companions
from sampan.model.values.vector import Vector

DEVICES: Final = "devices"
"""Name of the claim on devices inside the pod."""


def main_container(c: RemoteJobSpec) -> dict[str, Any]:
    """Return the container of the template, as the chosen alternative has it, with the devices."""
    run = c.alternative_spec
    named = {"name": MAIN, "image": run.image, "env": environment(c, run.env)}
    program = {"command": [literal(word) for word in run.command], "args": [literal(word) for word in run.args]}
    return {**named, **_common(c, c.spec.template), **given({**program, "resources": _resources(c)})}


def init_containers(c: RemoteJobSpec) -> list[dict[str, Any]]:
    """Return the containers that start before it, sidecars among them, in the tenant's order: without devices."""
    return [_init_container(c, each) for each in c.spec.template.init_containers]


def given(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that have a value; empty lists and maps are left out, as the API server would."""
    return {name: value for name, value in fields.items() if value}


def _init_container(c: RemoteJobSpec, each: InitContainer) -> dict[str, Any]:
    named = {"name": each.name, "image": each.image, "env": environment(c, each.env)}
    program = {"command": [literal(word) for word in each.command], "args": [literal(word) for word in each.args]}
    run = c.alternative_spec
    inherits = each.resources is None and each.restart_policy is None  # costs nothing: it has ended before the main one begins
    resources = {"requests": run.requests, "limits": run.limits} if inherits else _named(each)
    return {**named, **_common(c, each), **given({**program, "resources": given(resources), "restartPolicy": each.restart_policy})}


def _named(each: InitContainer) -> dict[str, Any]:
    return {"requests": amounts(each.resources, "requests"), "limits": amounts(each.resources, "limits")}


def _common(c: RemoteJobSpec, each: ContainerSpec) -> dict[str, Any]:
    """What is alike for every container: Pod Security, last words from its output, and what it says itself."""
    optional = {
        "envFrom": environment_from(c, each.env_from),
        "workingDir": each.working_dir,
        "volumeMounts": [*map(mount, each.volume_mounts), *shm_mount(c.spec.template), *host_mounts(c)],
    }
    return {"securityContext": container_security(), "terminationMessagePolicy": "FallbackToLogsOnError", **given(optional)}


def _resources(c: RemoteJobSpec) -> dict[str, Any]:
    """The way's requests and limits; devices and the recipe's extras in both, because extended resources cannot be overcommitted."""
    fixed = {name: str(amount) for name, amount in _extended(c).items()}
    claims = [{"name": DEVICES}] if c.claim else []
    return given({"requests": {**c.alternative_spec.requests, **fixed}, "limits": {**c.alternative_spec.limits, **fixed}, "claims": claims})


def _extended(c: RemoteJobSpec) -> dict[str, int]:
    """Extended resources of a replica. Raises ValueError for a share that this resource is not handed out in."""
    devices = Vector.of(dict((c.device,))) if c.device else Vector()
    extras = dict(devices + c.launch.extra_resources)
    if c.device is None or c.share is None:
        return extras
    beside = companions(c.device[0], c.share)
    if beside is None:
        raise ValueError(f"{c.device[0]} is not handed out in such shares")
    return {**extras, **beside}
