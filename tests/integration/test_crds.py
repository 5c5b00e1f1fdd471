"""Our custom resources on a real API server: every row of the bad-input catalogue is answered as listed, on create and on update."""

import copy
import json
from typing import Any

import pytest
import yaml

from integration.crd_objects import GOOD, JOB, PROVIDER, Json, holds, with_value
from integration.crd_rows import REFUSED, WARNED, Row
from integration.crd_server import Server, collection

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server(bare_api: Any) -> Server:
    """Return the API server with our CRDs."""
    return Server(bare_api.client())


@pytest.mark.parametrize("kind", GOOD)
def test_good_objects_are_accepted_without_a_word(server: Server, kind: str) -> None:
    answer = server.create(GOOD[kind], query="dryRun=All&fieldValidation=Strict")
    assert (answer.status, answer.warnings) == (201, ()), answer.message


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row.id)
def test_create_is_refused_and_names_the_field(server: Server, row: Row) -> None:
    answer = server.create(row.build(), query="dryRun=All")
    assert answer.status == 422, answer
    assert (row.field or row.path) in answer.message


@pytest.mark.parametrize("row", [r for r in REFUSED if not r.path.startswith("metadata")], ids=lambda row: row.id)
def test_update_is_refused_and_names_the_field(server: Server, row: Row) -> None:
    base = GOOD[row.base]
    assert server.create(base).status == 201
    try:
        answer = server.replace(row.build(), query="dryRun=All")
        assert answer.status == 422, answer
        assert (row.field or row.path) in answer.message
    finally:
        server.remove(base)


@pytest.mark.parametrize("row", WARNED, ids=lambda row: row.id)
def test_unknown_fields_are_pruned_with_a_warning(server: Server, row: Row) -> None:
    answer = server.create(row.build(), query="dryRun=All")
    assert answer.status == 201, answer.message
    assert any("unknown field" in warning for warning in answer.warnings)
    assert not holds(answer.body, row.path)
    assert server.create(row.build(), query="dryRun=All&fieldValidation=Strict").status == 400


@pytest.mark.parametrize("row", WARNED, ids=lambda row: row.id)
def test_kubectl_refuses_unknown_fields(bare_api: Any, row: Row) -> None:
    with pytest.raises(Exception, match="unknown field"):
        bare_api.kubectl("create", "--dry-run=server", "-f", "-", input=yaml.safe_dump(row.build()))


_BODY = json.dumps(JOB)
RAW: dict[str, bytes] = {
    "06-1e309": _BODY.replace('"count": 8', '"count": 1e309').encode(),
    "08-NaN": _BODY.replace('"count": 8', '"count": NaN').encode(),
    "08-Infinity": _BODY.replace('"count": 8', '"count": Infinity').encode(),
    "50-2-MiB": json.dumps(with_value(JOB, "spec.template.args[0]", "x" * 2 * 2**20)).encode(),
    "50-5-MiB": json.dumps(with_value(JOB, "spec.template.args[0]", "x" * 5 * 2**20)).encode(),
    "51-100k-arrays": _BODY.replace('["x"]', "[" * 100_000 + "]" * 100_000).encode(),
    "54-unknown-kind": json.dumps(JOB | {"kind": "ComputeJobs"}).encode(),
    "54-unknown-version": json.dumps(JOB | {"apiVersion": "sampan.dev/v9"}).encode(),
}


@pytest.mark.parametrize("body", RAW.values(), ids=RAW.keys())
def test_what_is_no_object_is_refused(server: Server, body: bytes) -> None:
    assert server.send("POST", collection(JOB), body).status in (400, 413, 422)


def test_yaml_bomb_is_refused(server: Server) -> None:
    """Row 51: nine levels of nine aliases."""
    levels = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"] + [f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
    answer = server.send("POST", collection(JOB), "\n".join(levels).encode(), content_type="application/yaml")
    assert answer.status in (400, 413, 415, 422)


@pytest.mark.parametrize(
    ("metadata", "want"),
    [
        ({"name": "n" * 253}, 201),
        ({"name": "n" * 254}, 422),
        ({"name": "a.b"}, 201),
        ({"name": "a-b"}, 201),
        ({"name": "a%2eb"}, 422),
        ({"name": ".."}, 422),
        ({"name": "Upper"}, 422),
        ({"name": "a/b"}, 422),
        ({"name": "x", "labels": {"a": "v" * 64}}, 422),
        ({"name": "x", "labels": {"a": '"} or up{x="'}}, 422),
    ],
    ids=["18-long", "18-too-long", "19-dot", "19-dash", "20-percent", "20-dots", "20-upper", "20-slash", "18-label", "64-label"],
)
def test_names_and_labels(server: Server, metadata: Json, want: int) -> None:
    answer = server.create({**JOB, "metadata": {"namespace": "default", **metadata}}, query="dryRun=All")
    assert answer.status == want, answer.message


@pytest.mark.parametrize(
    ("old", "new"),
    [("value: '1'", "value: no"), ("activeDeadlineSeconds: 200", "activeDeadlineSeconds: 1:30"), ("count: 8", "count: 2026-01-01")],
    ids=["48-no", "48-sexagesimal", "48-date"],
)
def test_yaml_that_means_something_else_is_refused_by_type(bare_api: Any, old: str, new: str) -> None:
    text = yaml.safe_dump(JOB)
    assert old in text
    with pytest.raises(Exception, match="Invalid value"):
        bare_api.kubectl("create", "--dry-run=server", "-f", "-", input=text.replace(old, new))


def test_duplicate_keys(server: Server, bare_api: Any) -> None:
    """Row 49: the server takes the last and warns, or refuses when asked to be strict.

    kubectl 1.36 decodes a file before it sends it, so that for kubectl the last one wins without a word.
    """
    body = _BODY.replace('"count": 8', '"count": 4, "count": 8').encode()
    answer = server.send("POST", collection(JOB) + "?dryRun=All", body)
    assert answer.status == 201
    assert answer.body["spec"]["alternatives"][0]["accelerator"]["count"] == 8
    assert any("duplicate field" in warning for warning in answer.warnings)
    assert server.send("POST", collection(JOB) + "?dryRun=All&fieldValidation=Strict", body).status == 400
    text = yaml.safe_dump(JOB).replace("count: 8", "count: 4\n      count: 8")
    made = json.loads(bare_api.kubectl("create", "--dry-run=server", "-o", "json", "-f", "-", input=text))
    assert made["spec"]["alternatives"][0]["accelerator"]["count"] == 8


def test_status_sent_at_create_is_ignored(server: Server) -> None:
    """Row 37."""
    answer = server.create({**JOB, "status": {"phase": "Succeeded", "restarts": 5}}, query="dryRun=All")
    assert answer.status == 201
    assert answer.body["status"] == {"phase": "Pending", "restarts": 0}


def test_a_job_without_devices_is_tiny(server: Server) -> None:
    """Defaults fill in the rest."""
    tiny = {**JOB, "spec": {"template": {"image": "busybox"}}}
    answer = server.create(tiny, query="dryRun=All")
    assert answer.status == 201
    assert answer.body["spec"]["retry"] == {"maxRestarts": 0, "backoffSeconds": 10, "maxRejected": 3}
    assert answer.body["spec"]["gang"] is True


def test_quantities_may_be_written_as_integers(server: Server) -> None:
    job = copy.deepcopy(JOB)
    job["spec"]["template"]["resources"]["requests"]["cpu"] = 4
    assert server.create(job, query="dryRun=All").status == 201


def test_no_name_collides_with_the_server_s_own(bare_api: Any, server: Server) -> None:
    """Plural, singular and short names, read from live discovery: the wrong one deletes the wrong thing."""
    ours: list[str] = []
    others: set[str] = set()
    groups = ["/api/v1", *(f"/apis/{g['preferredVersion']['groupVersion']}" for g in server.send("GET", "/apis").body["groups"])]
    for path in groups:
        for resource in server.send("GET", path).body["resources"]:
            if "/" in resource["name"]:
                continue
            names = {resource["name"], resource.get("singularName", ""), resource["kind"].lower(), *resource.get("shortNames", [])} - {""}
            if "/sampan.dev/" in path:
                ours.extend(names)
                assert resource["categories"] == ["sampan"]
            else:
                others |= names | set(resource.get("categories", []))
    assert {"cpj", "offer", "accel", "computejobs", "provider"} <= set(ours)
    assert {*ours, "sampan"}.isdisjoint(others)
    assert {"cj", "pods"} <= others, "discovery was read"
    assert len(ours) == len(set(ours))


@pytest.mark.parametrize("kind", ["cpj", "offer", "provider", "accel", "placementpolicy"])
def test_explain_describes_every_field(bare_api: Any, kind: str) -> None:
    text = str(bare_api.kubectl("explain", kind, "--recursive"))
    assert "spec" in text
    assert "<number>" not in text


def test_provider_text_may_be_chinese(server: Server) -> None:
    assert server.create(with_value(PROVIDER, "spec.displayName", "上海临港 (A/B) \u2013 É"), query="dryRun=All").status == 201
