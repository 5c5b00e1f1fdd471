"""Launch recipes of the API as values. Parsing only: what a recipe may do is judged where it is used."""

from sampan.api.fields.launch_spec import OfferLaunchSpec, RecipeSpec
from sampan.catalog.taints import USUAL
from sampan.model.launch import NO_LAUNCH, HostPath, Launch, PodSecurity
from sampan.model.members.taint import Toleration
from sampan.model.values.vector import Vector


def launch_of(spec: RecipeSpec | None) -> Launch:
    """Return a recipe in canonical order; None adds nothing. Any folder of the node needs `privileged`: `baseline` forbids them all."""
    if spec is None:
        return NO_LAUNCH
    return Launch(
        scheduler_name=spec.scheduler_name or "",
        runtime_class=spec.runtime_class_name or "",
        pod_labels=tuple(sorted(spec.pod_labels.items())),
        pod_annotations=tuple(sorted(spec.pod_annotations.items())),
        env=tuple(sorted((variable.name, variable.value) for variable in spec.env)),
        host_paths=tuple(sorted((HostPath(path=p.path, mount_path=p.mount_path) for p in spec.host_paths), key=lambda p: p.mount_path)),
        extra_resources=Vector.of(spec.extra_resources),
        supplemental_groups=tuple(sorted(spec.supplemental_groups)),
        pod_security=PodSecurity.PRIVILEGED if spec.host_paths else spec.pod_security_level,
        backend=spec.backend or "",
    )


def users_of(spec: OfferLaunchSpec | None) -> tuple[int, int] | None:
    """Return the lowest and the highest user that an offer lets pods run as; None where it says nothing."""
    return None if spec is None or spec.run_as_user is None else (spec.run_as_user.min, spec.run_as_user.max)


def tolerations_of(spec: OfferLaunchSpec | None) -> tuple[Toleration, ...]:
    """Return the tolerations of an offer in canonical order, those of its sets written out."""
    if spec is None:
        return ()
    named = (each for name in spec.toleration_sets for each in USUAL[name])
    own = (Toleration(each.key, None if each.operator == "Exists" else each.value or "", each.effect or "") for each in spec.tolerations)
    return tuple(sorted({*named, *own}, key=lambda each: (each.key, each.value or "", each.value is None, each.effect)))
