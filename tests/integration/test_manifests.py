"""What we write into a member, on a real API server: every golden is accepted, strictly, under restricted Pod Security."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration.crd_server import Server

pytestmark = pytest.mark.integration

GOLDEN = sorted((Path(__file__).parents[1] / "golden" / "manifests").glob("*.yaml"))
NAMESPACE = "manifests-restricted"
PATHS = {"Job": "/apis/batch/v1", "Service": "/api/v1", "ConfigMap": "/api/v1", "Secret": "/api/v1", "Pod": "/api/v1"}
STRICT = "dryRun=All&fieldValidation=Strict"


@pytest.fixture(scope="module")
def server(bare_api: Any) -> Iterator[Server]:
    """Return an API server with a namespace that enforces, and warns of, restricted Pod Security."""
    server = Server(bare_api.client())
    modes = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
    server.send("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE, "labels": modes}})
    server.send("POST", f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts", {"metadata": {"name": "default"}})
    yield server
    server.send("DELETE", f"/api/v1/namespaces/{NAMESPACE}")


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_every_object_is_accepted_as_it_is(server: Server, path: Path) -> None:
    for body in yaml.safe_load_all(path.read_text()):
        answer = _create(server, body)
        assert (answer.status, answer.warnings) == (201, ()), (body["kind"], answer.message)
        lost = _missing(_placed(body), answer.body)
        assert not lost, f"the API server dropped or changed {lost}"


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_pods_of_the_template_pass_restricted_pod_security(server: Server, path: Path) -> None:
    answer = _create(server, _pod(path))
    assert (answer.status, answer.warnings) == (201, ()), answer.message


def test_the_namespace_does_enforce(server: Server) -> None:
    pod = _pod(GOLDEN[0])
    del pod["spec"]["containers"][0]["securityContext"]
    answer = _create(server, pod)
    assert answer.status == 403
    assert "allowPrivilegeEscalation" in answer.message


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


def _placed(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "metadata": {**body["metadata"], "namespace": NAMESPACE}}


def _create(server: Server, body: dict[str, Any]) -> Any:
    kind = body["kind"]
    return server.send("POST", f"{PATHS[kind]}/namespaces/{NAMESPACE}/{kind.lower()}s?{STRICT}", _placed(body))


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
