"""What we write into a member, on a real API server: every golden is accepted, strictly, under the Pod Security level of its recipe."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration.crd_server import Server

pytestmark = pytest.mark.integration

GOLDEN = sorted((Path(__file__).parents[1] / "golden" / "manifests").glob("*.yaml"))
ABOVE_RESTRICTED = {"hygon-host-folder": "privileged", "cambricon-baseline": "baseline"}
"""Goldens whose recipe says that it needs another level; each is refused one level below."""
PATHS = {
    "ResourceClaimTemplate": "/apis/resource.k8s.io/v1",
    "NetworkPolicy": "/apis/networking.k8s.io/v1",
    "Job": "/apis/batch/v1",
    "Service": "/api/v1",
    "ConfigMap": "/api/v1",
    "Secret": "/api/v1",
    "Pod": "/api/v1",
}
STRICT = "dryRun=All&fieldValidation=Strict"


LEVELS = ("restricted", "baseline", "privileged")


@pytest.fixture(scope="module")
def server(bare_api: Any) -> Iterator[Server]:
    """Return an API server with a namespace for each Pod Security level that enforces it and warns of what it refuses."""
    server = Server(bare_api.client())
    for level in LEVELS:
        modes = {f"pod-security.kubernetes.io/{mode}": level for mode in ("enforce", "warn")}
        server.send("POST", "/api/v1/namespaces", {"metadata": {"name": _namespace(level), "labels": modes}})
        server.send("POST", f"/api/v1/namespaces/{_namespace(level)}/serviceaccounts", {"metadata": {"name": "default"}})
    nvidia = {"metadata": {"name": "nvidia"}, "handler": "nvidia"}
    server.send("POST", "/apis/node.k8s.io/v1/runtimeclasses", nvidia)
    yield server
    server.send("DELETE", "/apis/node.k8s.io/v1/runtimeclasses/nvidia")
    for level in LEVELS:
        server.send("DELETE", f"/api/v1/namespaces/{_namespace(level)}")


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_every_object_is_accepted_as_it_is(server: Server, path: Path) -> None:
    for body in yaml.safe_load_all(path.read_text()):
        answer = _create(server, body, _level(path))
        assert (answer.status, answer.warnings) == (201, ()), (body["kind"], answer.message)
        lost = _missing(_placed(body, _level(path)), answer.body)
        assert not lost, f"the API server dropped or changed {lost}"


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_pods_of_the_template_pass_the_level_of_their_recipe(server: Server, path: Path) -> None:
    answer = _create(server, _pod(path), _level(path))
    assert (answer.status, answer.warnings) == (201, ()), answer.message


@pytest.mark.parametrize("name", ABOVE_RESTRICTED)
def test_a_recipe_says_no_higher_level_than_it_needs(server: Server, name: str) -> None:
    path = next(path for path in GOLDEN if path.stem == name)
    below = LEVELS[LEVELS.index(_level(path)) - 1]
    assert _create(server, _pod(path), below).status == 403


def test_the_namespace_does_enforce(server: Server) -> None:
    pod = _pod(GOLDEN[0])
    del pod["spec"]["containers"][0]["securityContext"]
    answer = _create(server, pod, "restricted")
    assert answer.status == 403
    assert "allowPrivilegeEscalation" in answer.message


def _level(path: Path) -> str:
    return ABOVE_RESTRICTED.get(path.stem, "restricted")


def _namespace(level: str) -> str:
    return f"manifests-{level}"


def _pod(path: Path) -> dict[str, Any]:
    """A pod as the Job controller would make it."""
    job = next(iter(yaml.safe_load_all(path.read_text())))
    template = json.loads(json.dumps(job["spec"]["template"]))
    name = f"{job['metadata']['name']}-0"
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**template["metadata"], "name": name},
        "spec": {**template["spec"], "hostname": name},
    }


def _placed(body: dict[str, Any], level: str) -> dict[str, Any]:
    return {**body, "metadata": {**body["metadata"], "namespace": _namespace(level)}}


def _create(server: Server, body: dict[str, Any], level: str) -> Any:
    kind, there = body["kind"], _placed(body, level)
    return server.send("POST", f"{PATHS[kind]}/namespaces/{_namespace(level)}/{_plural(kind)}?{STRICT}", there)


def _plural(kind: str) -> str:
    return "networkpolicies" if kind == "NetworkPolicy" else f"{kind.lower()}s"


def _missing(sent: Any, stored: Any, where: str = "") -> list[str]:
    """Paths of what was sent and did not come back; what the server adds is its own affair, empty values it may leave out."""
    if isinstance(sent, dict):
        keys = [key for key in sent if sent[key] not in ("", False, {})]
        if not isinstance(stored, dict):
            return [where]
        return [lost for key in keys for lost in _missing(sent[key], stored.get(key), f"{where}.{key}")]
    if isinstance(sent, list):
        if not isinstance(stored, list) or len(sent) > len(stored):
            return [where]
        return [lost for i, (a, b) in enumerate(zip(sent, stored, strict=False)) for lost in _missing(a, b, f"{where}[{i}]")]
    return [] if sent == stored else [where]
