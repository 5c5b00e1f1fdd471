"""The environment that Sampan gives a container: who it is, and how a gang finds itself under the names PyTorch reads.

Lives here: names and values of variables, and which word counts where several name the same one.
Must never live here: what a vendor's stack needs; that is data, the launch recipe of a class or an offer.
"""

import re
from typing import Any, Final

from sampan.api.fields.environment import EnvFrom, EnvVar, KeyRef, ObjectRef
from sampan.api.launch.remote_job import RemoteJobSpec
from sampan.api.launch.travelling import TravelKind
from sampan.model.values.names import LABEL_INDEX

MASTER_PORT: Final = 29500
"""The port on which PyTorch's rendezvous listens by default; also the headless Service's."""
_INDEX: Final = {"fieldRef": {"fieldPath": f"metadata.labels['{LABEL_INDEX}']"}}
_EXPANDABLE: Final = re.compile(r"\$(?=[$(])")


def literal(text: str) -> str:
    """Return a text that the kubelet hands on as it was: `$(` and `$$` would otherwise be expanded."""
    return _EXPANDABLE.sub("$$", text)


def environment(c: RemoteJobSpec, env: tuple[EnvVar, ...]) -> list[dict[str, Any]]:
    """Return a container's env: facts about the attempt, the launch variables, the recipe's, then the tenant's own.

    A tenant's variable replaces a launch variable or a recipe's of its name (he may know better how his program starts), but never a
    fact: a FENCE_TOKEN copied from elsewhere would let an old writer through. A recipe replaces neither facts nor a gang's coordinates.
    """
    facts = _facts(c)
    own = {each.name: _source(c, each) for each in env if each.name not in facts}
    launch = {name: source for name, source in _launch(c).items() if name not in own}
    known = {*facts, *launch, *own}
    recipe = {name: {"value": literal(value)} for name, value in c.launch.env if name not in known}
    return [{"name": name, **source} for name, source in {**facts, **launch, **recipe, **own}.items()]


def environment_from(c: RemoteJobSpec, sources: tuple[EnvFrom, ...]) -> list[dict[str, Any]]:
    """Return a container's envFrom. A kubelet lets every variable of `env` win over these: ours cannot be replaced by a key."""
    rendered = []
    for each in sources:
        prefix = {"prefix": each.prefix} if each.prefix else {}
        if each.secret_ref is not None:
            rendered.append({**prefix, "secretRef": _renamed(c, TravelKind.SECRET, each.secret_ref)})
        elif each.config_map_ref is not None:
            rendered.append({**prefix, "configMapRef": _renamed(c, TravelKind.CONFIG_MAP, each.config_map_ref)})
    return rendered


def _source(c: RemoteJobSpec, variable: EnvVar) -> dict[str, Any]:
    """Return where a tenant's variable has its value from. What comes from an object is not expanded by kubelets: it stays literal."""
    source = variable.value_from
    if source is None:
        return {"value": literal(variable.value or "")}
    for field, kind, ref in (
        ("secretKeyRef", TravelKind.SECRET, source.secret_key_ref),
        ("configMapKeyRef", TravelKind.CONFIG_MAP, source.config_map_key_ref),
    ):
        if ref is not None:
            return {"valueFrom": {field: {**_renamed(c, kind, ref), "key": ref.key}}}
    raise ValueError(f"variable {variable.name} has a source without a reference")


def _renamed(c: RemoteJobSpec, kind: TravelKind, ref: KeyRef | ObjectRef) -> dict[str, Any]:
    return {"name": c.renamed(kind, ref.name), **({"optional": True} if ref.optional else {})}


def _facts(c: RemoteJobSpec) -> dict[str, dict[str, Any]]:
    """What a program may want to know of itself. FENCE_TOKEN grows with each attempt, so storage can refuse an older writer."""
    return {
        "SAMPAN_JOB_NAME": {"value": c.job_name},
        "SAMPAN_JOB_NAMESPACE": {"value": c.job_namespace},
        "SAMPAN_ATTEMPT": {"value": str(c.attempt)},
        "FENCE_TOKEN": {"value": str(c.attempt)},
    }


def _launch(c: RemoteJobSpec) -> dict[str, dict[str, Any]]:
    """One process group per gang, one agent per pod: torchrun reads PET_*, a program of its own MASTER_*, RANK and WORLD_SIZE.

    WORLD_SIZE and RANK count pods; torchrun sets them anew for the processes it starts. Outside a gang only the number of
    processes per pod is given, so that `torchrun train.py` uses every device it was given.
    """
    devices: dict[str, dict[str, Any]] = (
        {"PET_NPROC_PER_NODE": {"value": str(c.alternative_spec.devices)}} if c.alternative_spec.devices else {}
    )
    if c.launch.backend:
        devices["SAMPAN_BACKEND"] = {"value": c.launch.backend}
    if not c.networked:
        return devices
    leader, port, size = {"value": f"{c.name}-0.{c.service}"}, {"value": str(MASTER_PORT)}, {"value": str(c.replicas)}
    return {
        "MASTER_ADDR": leader,
        "MASTER_PORT": port,
        "WORLD_SIZE": size,
        "RANK": {"valueFrom": _INDEX},
        "NODE_RANK": {"valueFrom": _INDEX},
        "PET_NNODES": size,
        "PET_NODE_RANK": {"valueFrom": _INDEX},
        "PET_MASTER_ADDR": leader,
        "PET_MASTER_PORT": port,
        **devices,
    }
