"""One way to run a job: the template with what one alternative changes in it.

Lives here: the rules of overriding, so that what is scheduled and what is sent are the same.
Must never live here: anything about a member, a pool or a binding.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from sampan.api.fields.alternative import Alternative
from sampan.api.fields.environment import EnvVar
from sampan.api.fields.template import Resources
from sampan.api.kinds.computejob import ComputeJobSpec

_SHARED: Final = re.compile(
    r"spec\.alternatives\[(?P<number>[0-9]+)\]\.(?P<name>replicas|activeDeadlineSeconds|architectures|resources)(?P<rest>(\..*)?)"
)
"""Fields of an alternative that the job or its template has too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedAlternative:
    """The template with one alternative applied.

    A field that the alternative names replaces the template's as a whole (command, args, resources, architectures); only
    `env` is merged, by name, the alternative's values in the template's places and its new names after them.
    """

    image: str
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: tuple[EnvVar, ...] = ()
    requests: Mapping[str, str]
    limits: Mapping[str, str]
    architectures: tuple[str, ...] = ()
    devices: int = 0
    """Devices of a replica; 0 without an accelerator."""
    replicas: int = 1
    expected_seconds: int | None = None
    active_deadline_seconds: int | None = None


def resolve_alternative(spec: ComputeJobSpec, alternative: int | None) -> ResolvedAlternative:
    """Return how to run the job by `spec.alternatives[alternative]`, or by the template alone for None.

    Raises IndexError for an alternative that the spec does not have.
    """
    template = spec.template
    if alternative is None:
        return ResolvedAlternative(
            image=template.image,
            command=template.command,
            args=template.args,
            env=template.env,
            requests=amounts(template.resources, "requests"),
            limits=amounts(template.resources, "limits"),
            architectures=template.architectures,
            replicas=spec.replicas,
            expected_seconds=spec.expected_seconds,
            active_deadline_seconds=spec.active_deadline_seconds,
        )
    return _overridden(resolve_alternative(spec, None), spec.alternatives[alternative])


def manifest_field(spec: ComputeJobSpec, field: str) -> str:
    """Return where a manifest has a field of an alternative: in the job or its template, where the alternative does not override it."""
    found = _SHARED.fullmatch(field)
    if found is None or int(found["number"]) >= len(spec.alternatives):
        return field
    chosen, name = spec.alternatives[int(found["number"])], found["name"]
    own = {
        "replicas": chosen.replicas,
        "activeDeadlineSeconds": chosen.active_deadline_seconds,
        "architectures": chosen.architectures,
        "resources": chosen.resources,
    }
    if own[name]:
        return field
    return f"spec.{'template.' if name in ('architectures', 'resources') else ''}{name}{found['rest']}"


def _overridden(base: ResolvedAlternative, chosen: Alternative) -> ResolvedAlternative:
    resources = chosen.resources
    return ResolvedAlternative(
        image=chosen.image or base.image,
        command=chosen.command or base.command,
        args=chosen.args or base.args,
        env=tuple({each.name: each for each in (*base.env, *chosen.env)}.values()),
        requests=base.requests if resources is None else amounts(resources, "requests"),
        limits=base.limits if resources is None else amounts(resources, "limits"),
        architectures=chosen.architectures or base.architectures,
        devices=chosen.accelerator.count,
        replicas=chosen.replicas or base.replicas,
        expected_seconds=chosen.expected_seconds or base.expected_seconds,
        active_deadline_seconds=chosen.active_deadline_seconds or base.active_deadline_seconds,
    )


def amounts(resources: Resources | None, part: Literal["requests", "limits"]) -> dict[str, str]:
    """Return the amounts that a container names, as they are written."""
    listed = None if resources is None else resources.requests if part == "requests" else resources.limits
    return {} if listed is None else listed.as_json()
