"""What GitOps tools and people do with our kinds: the same file applied again and again, by several managers. On a real API server."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from integration.crd_objects import GOOD, PLURALS, Json
from integration.crd_server import Server, path_of
from sampan.api.crd.generate import crd
from sampan.api.crd.structural import structural_schema
from sampan.api.kinds.table import KINDS, Kind
from unit.api.schema_check import fits, walk

pytestmark = pytest.mark.integration

BASES = {str(obj["kind"]): obj for obj in GOOD.values()}
TEXTS = ("x", "cn-east", "CN", "a.example/b", "amd64", "/data", "64Gi", "12.50", "0.5", "1", "8.0", "registry.example/a:1", "A_B", "Abc")
RATHER = {
    "weights": {"cost": 80, "packing": 10, "domestic": 10, "performance": 0, "green": 0},
    "operator": "Exists",
    "countRule": {"allowed": [1, 2], "multipleOf": 1, "groupSize": 4, "span": "Never"},
    "validity": {"from": "2026-01-01T00:00:00Z", "until": "2027-01-01T00:00:00Z"},
    "gang": True,
    "tolerations": [{"key": "a.example/b", "operator": "Equal", "value": "x", "effect": "NoSchedule"}],
    "count": 1,
    "podLabels": {"a.example/b": "x"},
    "podAnnotations": {"a.example/b": "x"},
    "env": [{"name": "A_B", "value": "x"}],
    "envFrom": [{"prefix": "A_", "configMapRef": {"name": "x", "optional": True}}],
    "offerLabels": {"a.example/b": ["x"]},
    "matchLabels": {"a.example/b": "x"},
    "subPath": "part",
}
"""Fields whose rules a value drawn from the schema alone would break."""
LEFT_OUT = {"completions", "parallelism", "values", "partition", "shmSize", "expectedSeconds"}
"""Fields that exclude others which are set."""
ONE_OF = {"envFrom"}
"""Lists whose items have nothing that they must have, but must have something."""
REFERENCES = [
    {"name": "A_C", "valueFrom": {"secretKeyRef": {"name": "x", "key": "k", "optional": True}}},
    {"name": "A_D", "valueFrom": {"configMapKeyRef": {"name": "x", "key": "k", "optional": True}}},
]
SOURCES = ("configMap", "secret", "persistentVolumeClaim", "emptyDir")


def full(schema: Json, name: str = "") -> Any:
    """A value with every field set."""
    if name in RATHER:
        return copy.deepcopy(RATHER[name])
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object" and "properties" in schema:
        return {key: full(child, key) for key, child in schema["properties"].items() if key not in LEFT_OUT}
    if kind == "object":
        return {"a.example/b": full(schema["additionalProperties"])}
    if kind == "array":
        return [full(schema["items"], name)]
    if kind == "boolean":
        return not schema.get("default", False)
    if kind == "integer":
        return min(schema["minimum"] + 1, schema["maximum"])
    if "pattern" not in schema:
        return "2026-01-01T00:00:00Z" if schema.get("format") else "x"
    return _text(schema)


def _text(schema: Json) -> str:
    return next(text for text in ("2026-01-01T00:00:00Z", *TEXTS) if fits(schema, text))


def small(schema: Json, name: str = "") -> Any:
    """The same, but list items have what they must have and nothing else."""
    kind = schema.get("type")
    if kind == "object" and "properties" in schema and name not in RATHER:
        return {key: small(child, key) for key, child in schema["properties"].items() if key not in LEFT_OUT}
    if kind == "array" and name not in ONE_OF:
        return [_least(schema["items"], name)]
    return full(schema, name)


def _least(schema: Json, name: str) -> Any:
    if schema.get("type") != "object" or "properties" not in schema:
        return full(schema, name)
    return {key: _least(schema["properties"][key], key) for key in schema.get("required", ())}


def _settled(spec: Json) -> Json:
    """Mend what rules across fields want: one source a volume, mounts of volumes that are there, an accelerator that names something."""
    template = spec.get("template")
    if template:
        template["volumes"] = [{"name": f"v{i}", source: _source(template["volumes"][0], source)} for i, source in enumerate(SOURCES)]
        for each in (template, *template["initContainers"]):
            if "volumeMounts" in each:
                each["volumeMounts"][0]["name"] = "v0"
            if "value" in each.get("env", [{}])[0]:
                each["env"] += copy.deepcopy(REFERENCES)
    for each in spec.get("alternatives", ()):
        each["accelerator"].setdefault("stack", "cuda")
        each.pop("replicas", None)
    if "alternatives" in spec:  # the first waits for nobody
        spec["alternatives"].insert(0, {key: value for key, value in spec["alternatives"][0].items() if key != "waitSeconds"})
    return spec


def _source(drawn: Json, source: str) -> Json:
    least = {"configMap": {"name": "x"}, "secret": {"secretName": "x"}, "persistentVolumeClaim": {"claimName": "x"}, "emptyDir": {}}
    return copy.deepcopy(drawn.get(source, least[source]))


def objects(kind: Kind) -> dict[str, Json]:
    """An object with every field, and one whose list items are as short as may be."""
    schema = structural_schema(kind.spec)
    made = {"full": _settled(full(schema)), "small": _settled(small(schema))}
    return {shape: {**BASES[kind.name], "spec": spec} for shape, spec in made.items()}


def every() -> list[Json]:
    """All of them and the good objects of the other tests, each under a name of its own."""
    made = [(f"{kind.name.lower()}-{shape}", obj) for kind in KINDS for shape, obj in objects(kind).items()]
    made += [(f"good-{name}", obj) for name, obj in GOOD.items()]
    return [{**obj, "metadata": {**obj["metadata"], "name": name}} for name, obj in made]


MANIFESTS = every()
FILE = json.dumps({"apiVersion": "v1", "kind": "List", "items": MANIFESTS})
EVERY = ",".join(PLURALS.values())


@pytest.fixture
def server(bare_api: Any) -> Iterator[Server]:
    """The API server with our CRDs; what a test leaves there goes."""
    server = Server(bare_api.client())
    yield server
    for each in MANIFESTS:
        server.remove(each)


def edited(server: Server) -> list[str]:
    """The names of those whose spec was changed since it was made."""
    made = {obj["metadata"]["name"]: server.send("GET", path_of(obj)).body["metadata"]["generation"] for obj in MANIFESTS}
    return [name for name, generation in made.items() if generation != 1]


def test_an_unchanged_file_is_unchanged(bare_api: Any, server: Server) -> None:
    """Client-side apply compares lists as a whole: a default in one item would be a change for ever."""
    first = bare_api.kubectl("apply", "-f", "-", input=FILE).splitlines()
    assert [line for line in first if not line.endswith(" created")] == []
    again = bare_api.kubectl("apply", "-f", "-", input=FILE).splitlines()
    assert [line for line in again if not line.endswith(" unchanged")] == []
    assert len(again) == len(MANIFESTS)
    done = bare_api.try_kubectl("diff", "-f", "-", input=FILE)
    assert (done.returncode, done.stdout) == (0, "")
    assert edited(server) == []


def test_a_second_manager_applies_the_same_file_without_conflict(bare_api: Any, server: Server) -> None:
    for manager in ("first", "second", "first"):
        bare_api.kubectl("apply", "--server-side", f"--field-manager={manager}", "-f", "-", input=FILE)
    assert edited(server) == []
    done = bare_api.try_kubectl("diff", "--server-side", "--field-manager=second", "-f", "-", input=FILE)
    assert (done.returncode, done.stdout) == (0, "")


def test_one_who_applied_client_side_may_go_over_to_server_side(bare_api: Any, server: Server) -> None:
    bare_api.kubectl("apply", "-f", "-", input=FILE)
    bare_api.kubectl("apply", "--server-side", "-f", "-", input=FILE)
    assert edited(server) == []


def test_defaults_show_only_outside_of_lists(server: Server) -> None:
    """So that a tool which compares file and live object finds nothing but what it can be told of by a path."""
    for obj in MANIFESTS:
        made = server.create(obj)
        assert made.status == 201, made.message
        assert lists(made.body["spec"]) == lists(obj["spec"]), obj["metadata"]["name"]


def lists(value: Any, path: str = "") -> dict[str, Any]:
    """Every list of an object by its path."""
    if isinstance(value, list):
        return {path: value}
    found: dict[str, Any] = {}
    for key, child in value.items() if isinstance(value, dict) else ():
        found |= lists(child, f"{path}.{key}")
    return found


def test_what_was_exported_can_be_applied_again(bare_api: Any, server: Server) -> None:
    """`kubectl get -o yaml` has status, defaults, a resourceVersion and a UID in it."""
    bare_api.kubectl("apply", "-f", "-", input=FILE)
    server.patch(MANIFESTS[0], {"status": {"phase": "Running", "message": "here"}}, part="/status")
    exported = bare_api.kubectl("get", EVERY, "-A", "-o", "yaml")
    bare_api.kubectl("apply", "-f", "-", input=exported)
    bare_api.kubectl("replace", "-f", "-", input=bare_api.kubectl("get", EVERY, "-A", "-o", "yaml"))
    assert edited(server) == []
    assert server.send("GET", path_of(MANIFESTS[0])).body["status"]["message"] == "here"
    items = yaml.safe_load(exported)
    for each in items["items"]:
        server.remove(each)
        del each["metadata"]["resourceVersion"], each["metadata"]["uid"]
    bare_api.kubectl("create", "-f", "-", input=json.dumps(items))


def test_no_schema_has_a_default_inside_a_list() -> None:
    found = [
        path
        for kind in KINDS
        for path, node in walk(crd(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"], kind.name)
        if "[]" in path and "default" in node
    ]
    assert found == []
