"""What of a job's namespace goes along with it: each object once, with the keys that are named, and what may be lacking."""

from typing import Any

from sampan.api.kinds.computejob import ComputeJobSpec
from sampan.api.launch.resolved_alternative import resolve_alternative
from sampan.api.launch.travelling import DOCKER_CONFIG, TravelKind, Travelling, travelling

CM, SECRET = TravelKind.CONFIG_MAP, TravelKind.SECRET


def of(template: dict[str, Any], *, alternatives: tuple[dict[str, Any], ...] = (), chosen: int | None = None) -> list[Travelling]:
    """What travels with a job of this template."""
    spec = ComputeJobSpec.model_validate({"template": {"image": "a:1", **template}, "alternatives": alternatives})
    return list(travelling(spec, resolve_alternative(spec, chosen)))


def key_of(name: str, key: str, *, field: str = "secretKeyRef", optional: bool = False) -> dict[str, Any]:
    """A variable with its value from a key."""
    return {"name": f"V_{name}_{key}", "valueFrom": {field: {"name": name, "key": key, "optional": optional}}}


def test_each_object_travels_once_config_maps_first_and_is_optional_only_if_all_say_so() -> None:
    volumes = [
        {"name": "d", "secret": {"secretName": "x"}},
        {"name": "a", "configMap": {"name": "x", "optional": True}},
        {"name": "b", "configMap": {"name": "y", "optional": True}},
        {"name": "c", "configMap": {"name": "x"}},
    ]
    found = of({"volumes": volumes})
    assert [(each.kind, each.name, each.optional) for each in found] == [(CM, "x", False), (CM, "y", True), (SECRET, "x", False)]


def test_keys_that_are_named_are_joined_and_one_who_names_none_means_all() -> None:
    (named,) = of({"env": [key_of("s", "a"), key_of("s", "b", optional=True)]})
    assert (named.keys, named.required, named.optional) == (frozenset("ab"), frozenset("a"), False)
    (whole,) = of({"env": [key_of("s", "a")], "envFrom": [{"secretRef": {"name": "s", "optional": True}}]})
    assert (whole.keys, whole.required, whole.optional) == (None, frozenset("a"), False)


def test_items_of_a_volume_are_required_unless_it_is_optional() -> None:
    items = [{"key": "a", "path": "sub/a"}]
    (must,) = of({"volumes": [{"name": "v", "secret": {"secretName": "s", "items": items}}]})
    (may,) = of({"volumes": [{"name": "v", "configMap": {"name": "s", "items": items, "optional": True}}]})
    assert (must.keys, must.required) == (frozenset("a"), frozenset("a"))
    assert (may.keys, may.required, may.optional) == (frozenset("a"), frozenset(), True)


def test_registry_credentials_travel_for_pulling() -> None:
    (login,) = of({"imagePullSecrets": [{"name": "r"}]})
    assert (login.kind, login.pulls, login.required) == (SECRET, True, frozenset([DOCKER_CONFIG]))


def test_init_containers_name_what_travels_too() -> None:
    init = [{"name": "fetch", "image": "b:1", "env": [key_of("s", "a")], "envFrom": [{"configMapRef": {"name": "c"}}]}]
    assert [(each.kind, each.name) for each in of({"initContainers": init})] == [(CM, "c"), (SECRET, "s")]


def test_only_what_the_chosen_alternative_needs_travels() -> None:
    way = {"accelerator": {"vendor": "nvidia", "count": 1}}
    ways = ({**way, "env": [key_of("s", "a")]}, {**way, "env": [{"name": "V_t_a", "value": "here"}]})
    template = {"env": [key_of("t", "a")]}
    assert [each.name for each in of(template, alternatives=ways, chosen=0)] == ["t", "s"]
    assert of(template, alternatives=ways, chosen=1) == []
