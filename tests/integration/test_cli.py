"""The command line and the examples against a real API server: what it stores, refuses and answers, and in which words."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from integration.crd_objects import documented
from integration.support import PATIENCE, ROOT, Api, wait_for
from sampan.cli.main import cli

NAMESPACE = "cli-test"
JOB = {
    "apiVersion": "sampan.dev/v1alpha1",
    "kind": "ComputeJob",
    "metadata": {"name": "one"},
    "spec": {"template": {"image": "registry.example/x:1"}, "alternatives": [{"accelerator": {"stack": "cuda", "count": 2}}]},
}


@pytest.fixture(scope="module")
def hub(bare_api: Api) -> Api:
    """The bare API server with a namespace of our own."""
    bare_api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    return bare_api


def sampan(hub: Api, *arguments: str, text: str | None = None, namespace: str = NAMESPACE) -> Result:
    """Run a verb against that server."""
    options = [arguments[0], "--kubeconfig", str(hub.kubeconfig), "-n", namespace, *arguments[1:]]
    return CliRunner().invoke(cli, options, input=text, prog_name="sampan")


def manifest(name: str, **spec: object) -> str:
    """A job as a JSON document, which is YAML too."""
    return json.dumps({**JOB, "metadata": {"name": name}, "spec": {**JOB["spec"], **spec}})  # type: ignore[dict-item]


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*/job.yaml")), ids=lambda path: path.parent.name)
def test_every_example_is_taken_as_it_is(hub: Api, path: Path) -> None:
    told = hub.kubectl("create", "--dry-run=server", "--validate=strict", "-n", NAMESPACE, "-f", str(path))
    assert "created (server dry run)" in told


def test_what_the_page_on_providers_shows_is_taken_as_it_is(hub: Api) -> None:
    hub.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "prov-a"}})
    shown = "---\n".join(documented("providers.md", "yaml"))
    told = hub.kubectl("create", "--dry-run=server", "--validate=strict", "-f", "-", input=shown)
    assert told.count("created (server dry run)") == 3


def test_a_job_is_created_and_listed(hub: Api) -> None:
    made = sampan(hub, "submit", "-f", "-", text=manifest("listed"))
    assert (made.exit_code, made.stdout) == (0, "computejob.sampan.dev/listed created\n")
    listed = json.loads(sampan(hub, "jobs", "-o", "json").stdout)["items"]
    assert [job["spec"]["alternatives"][0]["accelerator"]["count"] for job in listed if job["metadata"]["name"] == "listed"] == [2]
    assert "listed" in sampan(hub, "jobs").stdout


@pytest.mark.parametrize(
    ("text", "want"),
    [
        (manifest("bad", replicas=0), "spec.replicas"),
        (manifest("bad", replicass=1), "spec.replicass"),
        (manifest("bad", alternatives=[{"accelerator": {"stack": "cuda", "count": "8"}}]), "spec.alternatives[0].accelerator.count"),
        (manifest("Bad Name"), "metadata.name"),
        (manifest("bad", placement={"maxPricePerDeviceHour": "1.1234567"}), "such as 250 or 12.50, with at most six decimal places"),
    ],
    ids=["out of range", "unknown field", "a string for a number", "no DNS name", "too many places"],
)
def test_a_refusal_names_object_and_field_and_ends_with_2(hub: Api, text: str, want: str) -> None:
    refused = sampan(hub, "submit", "-f", "-", text=text)
    assert refused.exit_code == 2
    assert want in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_the_same_name_twice_is_rejected(hub: Api) -> None:
    assert sampan(hub, "submit", "-f", "-", text=manifest("twice")).exit_code == 0
    refused = sampan(hub, "submit", "-f", "-", text=manifest("twice"))
    assert refused.exit_code == 2
    assert "already exists" in refused.stderr


def test_an_unknown_namespace_is_told(hub: Api) -> None:
    assert "namespace nowhere does not exist" in sampan(hub, "jobs", namespace="nowhere").stderr
    assert 'namespaces "nowhere" not found' in sampan(hub, "submit", "-f", "-", text=manifest("x"), namespace="nowhere").stderr


def test_wait_follows_the_status_to_its_end(hub: Api) -> None:
    """Somebody else writes the status while we wait; the wait sees it through its watch."""

    def finish() -> None:
        wait_for(lambda: hub.try_kubectl("get", "computejob", "-n", NAMESPACE, "waits").stdout or None, "the job is there")
        status = {"phase": "Succeeded", "startedAt": "2026-03-01T12:00:00Z", "finishedAt": "2026-03-01T12:00:05Z"}
        patch = json.dumps({"status": status})
        hub.kubectl("patch", "computejob", "-n", NAMESPACE, "waits", "--subresource=status", "--type=merge", "-p", patch)

    with ThreadPoolExecutor(1) as pool:
        finished = pool.submit(finish)
        shown = sampan(hub, "submit", "-f", "-", "--wait", "--timeout", f"{PATIENCE}", text=manifest("waits"))
        finished.result()
    assert shown.exit_code == 0
    assert shown.stdout.splitlines()[-1].endswith(f"{NAMESPACE}/waits  Succeeded")


def test_out_of_time_ends_with_4(hub: Api) -> None:
    late = sampan(hub, "submit", "-f", "-", "--wait", "--timeout", "0.5", text=manifest("late"))
    assert late.exit_code == 4
    assert f"{NAMESPACE}/late" in late.stderr


@pytest.mark.parametrize(
    ("change", "want"),
    [
        (("https://127.0.0.1:", "https://127.0.0.1:1/"), "refused"),
        (("current-context:", "current-context: none #"), "--context"),
        (("certificate-authority-data:", "certificate-authority-data: bm9uZQo= #"), "--context"),
    ],
    ids=["closed port", "no such context", "not a certificate"],
)
def test_a_kubeconfig_that_does_not_fit_is_one_line(hub: Api, tmp_path: Path, change: tuple[str, str], want: str) -> None:
    changed = tmp_path / "config.yaml"
    changed.write_text(hub.kubeconfig.read_text(encoding="utf-8").replace(*change), encoding="utf-8")
    shown = CliRunner().invoke(cli, ["jobs", "--kubeconfig", str(changed)])
    assert shown.exit_code == 1, shown.exception
    assert shown.stderr.startswith("Error: ")
    assert shown.stderr.count("\n") == 1
    assert want in shown.stderr


def test_the_documented_class_is_taken_and_shows_up_in_the_catalogue(hub: Api) -> None:
    page = (ROOT / "docs" / "accelerators.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    hub.apply(yaml.safe_load(example))
    try:
        shown = json.loads(sampan(hub, "catalog", "acme-a1-64gb", "-o", "json").stdout)
    finally:
        hub.kubectl("delete", "acceleratorclass", "acme-a1-64gb")
    assert (shown["from"], shown["memory"], shown["throughput"]) == ("declared", "64Gi", {"FP16": "280", "INT8": "560"})
    assert shown["launch"][0]["recipe"] == {"runtimeClassName": "acme", "backend": "acl"}
    assert "built-in" not in sampan(hub, "catalog", "acme-a1-64gb").stdout, "deleted: nobody knows it"


def test_a_question_that_the_hub_cannot_pass_on_is_not_an_api_server_in_trouble(hub: Api) -> None:
    assert "this hub answers no questions: it serves no v1alpha1.query.sampan.dev" in sampan(hub, "explain", "one").stderr
    service = {"namespace": NAMESPACE, "name": "nobody", "port": 443}
    spec = {"group": "query.sampan.dev", "version": "v1alpha1", "groupPriorityMinimum": 1000, "versionPriority": 10, "service": service}
    registered = {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": "v1alpha1.query.sampan.dev"}}
    hub.apply({**registered, "spec": {**spec, "insecureSkipTLSVerify": True}})
    try:
        wait_for(lambda: "503" in sampan(hub, "explain", "one").stderr, "the hub passes questions on")
        for told in (sampan(hub, "explain", "one"), sampan(hub, "quote", "-f", "-", text=manifest("one"))):
            assert told.exit_code == 1
            assert "the operator does not answer questions (503 of the API v1alpha1.query.sampan.dev)" in told.stderr
            assert "kubectl get apiservice v1alpha1.query.sampan.dev" in told.stderr
    finally:
        hub.kubectl("delete", "apiservice", "v1alpha1.query.sampan.dev")
