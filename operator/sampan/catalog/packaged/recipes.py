"""Launch recipes of vendors: what a pod needs on their devices, and on what kind of member.

The data is in `data/classes`; how a recipe becomes a pod is in `api`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sampan.model.launch import NO_LAUNCH, HostPath, Launch, PodSecurity
from sampan.model.members.accelerator import AcceleratorClass
from sampan.model.values.vector import Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A recipe, and where it holds; the first of a vendor that does is taken."""

    launch: Launch
    queueing: str = ""
    """Layer that the member must run, such as Volcano; empty: any member."""
    families: tuple[str, ...] = ()
    """Families that it is for; empty: all of the vendor."""
    source: str = ""

    def applies(self, facts: AcceleratorClass | None, queueing: Iterable[str]) -> bool:
        """Tell whether this is the recipe for a class, None where none is told, on a member with these layers."""
        of_family = not self.families or (facts is not None and facts.family in self.families)
        return of_family and (not self.queueing or self.queueing in queueing)


PUBLISHERS: Final[Mapping[str, Recipe]] = {
    "hami": Recipe(launch=Launch(scheduler_name="hami-scheduler"), source="Project-HAMi/HAMi, charts/hami/values.yaml"),
    "volcano-vgpu": Recipe(launch=Launch(scheduler_name="volcano"), source="Project-HAMi/volcano-vgpu-device-plugin, README"),
}
"""Shares are handed out by the scheduler that books them: HAMi's own, or Volcano with its deviceshare plugin."""


def read_recipe(entry: Mapping[str, Any], sources: Mapping[str, str]) -> Recipe:
    """Return a recipe of the packaged data; raises KeyError or ValueError for one that breaks the format."""
    return Recipe(
        launch=Launch(
            scheduler_name=entry.get("scheduler_name", ""),
            runtime_class=entry.get("runtime_class", ""),
            pod_labels=tuple(sorted(entry.get("pod_labels", {}).items())),
            pod_annotations=tuple(sorted(entry.get("pod_annotations", {}).items())),
            env=tuple(sorted(entry.get("env", {}).items())),
            host_paths=tuple(HostPath(path=each["path"], mount_path=each["mount_path"]) for each in entry.get("host_paths", ())),
            extra_resources=Vector.of(entry.get("extra_resources", {})),
            supplemental_groups=tuple(sorted(entry.get("supplemental_groups", ()))),
            pod_security=PodSecurity(entry.get("pod_security", PodSecurity.RESTRICTED)),
            backend=entry.get("backend", ""),
        ),
        queueing=entry.get("queueing", ""),
        families=tuple(entry.get("families", ())),
        source=sources[entry["source"]] if "source" in entry else "",
    )


def recipe_for(facts: AcceleratorClass | None, recipes: Iterable[Recipe], *, publisher: str, queueing: Iterable[str]) -> Launch:
    """Return what a pod needs: the class's own recipe over the vendor's, and for shares the scheduler that books them.

    A vendor's recipe for a layer of the member is about the vendor's own device plugin: it does not hold for shares.
    """
    sharer = PUBLISHERS.get(publisher)
    layers = tuple(queueing) if sharer is None else ()
    found = next((recipe.launch for recipe in recipes if recipe.applies(facts, layers)), NO_LAUNCH)
    return found.under(sharer.launch if sharer else None).under(facts.launch if facts else None)
