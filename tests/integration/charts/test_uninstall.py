"""`sampan uninstall` and the uninstall guard on a real hub, with an administrator's kubeconfig.

No operator runs here: where one is needed, the test plays it with the operator's own token (`Operator`), by the same protocol: a suspended
bound job loses its binding once its copy is gone. And a hub without kubelets runs no hook's pod: the test runs the very command of the
rendered hook, with the hook's ServiceAccount, and reports its exit code as the kubelet would. helm itself is real.
"""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client

from integration.charts.conftest import install_hub, release_all
from integration.charts.support import (
    FINALIZER,
    GROUP,
    HUB_VALUES,
    PROVIDER_NS,
    SYSTEM,
    TENANT_NS,
    VERSION,
    Hub,
    bound_status,
    create,
    custom,
    job,
    offer,
    patch,
    patch_status,
)
from integration.support import PATIENCE, wait_for

pytestmark = pytest.mark.integration
DEPLOYED = {"operator.enabled": True, "operator.image.repository": "registry.example/sampan"}


def sampan(kubeconfig: Path, *arguments: str, timeout: float = 2 * PATIENCE) -> subprocess.CompletedProcess[str]:
    """Run the command line as a person would."""
    command = [sys.executable, "-m", "sampan", "uninstall", f"--kubeconfig={kubeconfig}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)


def found(hub: Hub, plural: str, namespace: str) -> dict[str, dict[str, Any]]:
    items = custom(hub.admin).list_namespaced_custom_object(GROUP, VERSION, namespace, plural)["items"]
    return {item["metadata"]["name"]: item for item in items}


@pytest.fixture(scope="module")
def left_whole(hub: Hub) -> Iterator[Hub]:
    """The hub, installed anew for the tests after this module."""
    yield hub
    release_all(hub)
    install_hub(hub)


@pytest.fixture
def busy_hub(left_whole: Hub) -> Hub:
    """A fresh installation with an offer, a running job, a queued one and a finished one, and nothing else."""
    hub = left_whole
    release_all(hub)
    install_hub(hub)
    for body in (offer("lingang"), job("running"), job("queued"), job("done")):
        wait_for(lambda body=body: guarded(hub, body), "the policies of the new installation", every=0.2)  # type: ignore[misc]
    patch_status(hub.operator(), job("running"), bound_status("sj-running"))
    patch_status(hub.operator(), job("done"), bound_status("sj-done") | {"phase": "Succeeded", "finishedAt": "2026-01-01T00:00:10Z"})
    return hub


def guarded(hub: Hub, body: dict[str, Any]) -> bool:
    """Create the object anew until the server puts the finalizer on it: it takes a moment to see new policies."""
    made = create(hub.admin, body)
    if FINALIZER in made["metadata"].get("finalizers", []):
        return True
    plural, meta = f"{body['kind'].lower()}s", body["metadata"]
    custom(hub.admin).delete_namespaced_custom_object(GROUP, VERSION, meta["namespace"], plural, meta["name"])
    return False


class Operator(threading.Thread):
    """The operator's part in a drain: a suspended bound job loses its binding, once its copy would be gone."""

    def __init__(self, hub: Hub) -> None:
        super().__init__(daemon=True)
        self.hub, self.api, self.ended = hub, hub.operator(), threading.Event()

    def run(self) -> None:
        """Look five times a second until told to end."""
        while not self.ended.wait(0.2):
            for item in found(self.hub, "computejobs", TENANT_NS).values():
                if item["spec"]["suspend"] and item.get("status", {}).get("binding") and item["status"]["phase"] == "Running":
                    patch_status(self.api, job(item["metadata"]["name"]), {"phase": "Suspended", "binding": None})


def test_check_refuses_while_a_job_is_bound_and_changes_nothing(busy_hub: Hub) -> None:
    before = found(busy_hub, "computejobs", TENANT_NS)
    done = sampan(busy_hub.api.kubeconfig, "--check")
    assert done.returncode == 1
    assert "hc-team/running (Running)" in done.stdout
    assert "Job sj-running" in done.stdout
    assert "done" not in done.stdout
    assert done.stderr.splitlines() == ["Error: 1 jobs are bound to members; run `sampan uninstall` first: it drains the hub"]
    assert found(busy_hub, "computejobs", TENANT_NS) == before


def test_a_drain_ends_with_nothing_held(busy_hub: Hub) -> None:
    operator = Operator(busy_hub)
    operator.start()
    try:
        done = sampan(busy_hub.api.kubeconfig, "--yes")
    finally:
        operator.ended.set()
        operator.join()
    assert done.returncode == 0, done.stderr
    assert "suspended hc-team/running" in done.stdout
    assert "drained: no copy is left" in done.stdout
    assert "what stays on members: nothing" in done.stdout
    assert f"helm uninstall sampan -n {SYSTEM}" in done.stdout
    jobs = found(busy_hub, "computejobs", TENANT_NS)
    assert set(jobs) == {"running", "queued", "done"}, "no job is lost"
    offers = found(busy_hub, "clusteroffers", PROVIDER_NS)
    assert [o["spec"]["accepting"] for o in offers.values()] == [False]
    assert not any(item["metadata"].get("finalizers") for item in (*jobs.values(), *offers.values()))
    assert sampan(busy_hub.api.kubeconfig, "--check").returncode == 0
    busy_hub.helm.run("uninstall", "sampan", "-n", SYSTEM)
    assert set(found(busy_hub, "computejobs", TENANT_NS)) == {"running", "queued", "done"}, "kinds and objects stay"
    custom(busy_hub.admin).delete_namespaced_custom_object(GROUP, VERSION, TENANT_NS, "computejobs", "done")
    assert "done" not in found(busy_hub, "computejobs", TENANT_NS), "what is left can be deleted"


def test_a_drain_that_does_not_end_releases_nothing(busy_hub: Hub) -> None:
    done = sampan(busy_hub.api.kubeconfig, "--yes", "--timeout", "2")
    assert done.returncode == 1
    assert "nothing was released" in done.stderr
    assert "Job sj-running" in done.stdout
    jobs = found(busy_hub, "computejobs", TENANT_NS)
    assert all(item["metadata"]["finalizers"] == [FINALIZER] for item in jobs.values())
    policies = client.AdmissionregistrationV1Api(busy_hub.admin).list_validating_admission_policy().items
    assert "metadata.sampan.dev" in {policy.metadata.name for policy in policies}


def test_abandoning_lists_what_stays_on_members(busy_hub: Hub) -> None:
    custom(busy_hub.admin).delete_namespaced_custom_object(GROUP, VERSION, TENANT_NS, "computejobs", "running")
    uid = found(busy_hub, "computejobs", TENANT_NS)["running"]["metadata"]["uid"]
    done = sampan(busy_hub.api.kubeconfig, "--abandon-remote", "--yes")
    assert done.returncode == 0, done.stderr
    tail = done.stdout[done.stdout.index("what stays on members: 1") :]
    for word in ("hc-team/running", "11111111-2222-3333-4444-555555555555", "namespace sampan-jobs", "Job sj-running", uid):
        assert word in tail
    jobs = found(busy_hub, "computejobs", TENANT_NS)
    assert "running" not in jobs, "the deleted job is free to go"
    assert not any(item["metadata"].get("finalizers") for item in jobs.values())


def test_it_asks_before_it_acts(busy_hub: Hub) -> None:
    done = sampan(busy_hub.api.kubeconfig, "--abandon-remote")
    assert done.returncode == 1
    assert "1 bound jobs will be let go" in done.stdout
    assert found(busy_hub, "clusteroffers", PROVIDER_NS)["lingang"]["spec"]["accepting"] is True


def memory_limit(hub: Hub) -> str:
    """The memory limit of the operator's Deployment."""
    deployment = client.AppsV1Api(hub.admin).read_namespaced_deployment("sampan-operator", SYSTEM)
    return str(deployment.spec.template.spec.containers[0].resources.limits["memory"])


def rollback_of_the_notes(hub: Hub) -> list[str]:
    """The arguments of the `helm rollback` that the release's notes name."""
    (told,) = re.findall(r"`helm (rollback [^`]*)`", hub.helm.run("get", "notes", "sampan", "-n", SYSTEM).stdout)
    return str(told).split()


@pytest.mark.parametrize("revisions", [1, 3])
def test_after_a_refused_uninstall_the_rollback_of_the_notes_makes_the_release_whole(busy_hub: Hub, tmp_path: Path, revisions: int) -> None:
    """Without the number helm would go to the revision before, and of the first one to none."""
    busy_hub.helm.run("uninstall", "sampan", "-n", SYSTEM)
    for number in range(revisions):
        install_hub(busy_hub, **DEPLOYED, **{"operator.resources": {"limits": {"memory": f"{number + 1}Gi"}}})
    refused = _helm_uninstall(busy_hub, tmp_path)
    assert refused.returncode != 0
    assert "sampan-uninstall-guard failed" in refused.stderr
    assert memory_limit(busy_hub) == f"{revisions}Gi", "nothing was deleted"
    busy_hub.helm.run(*rollback_of_the_notes(busy_hub))
    assert memory_limit(busy_hub) == f"{revisions}Gi", "what was installed last, not what was before"
    status = yaml.safe_load(busy_hub.helm.run("status", "sampan", "-n", SYSTEM, "-o", "yaml").stdout)
    assert (status["info"]["status"], status["version"]) == ("deployed", revisions + 1)
    assert set(found(busy_hub, "computejobs", TENANT_NS)) == {"running", "queued", "done"}


def test_helm_uninstall_goes_through_once_no_job_is_bound(busy_hub: Hub, tmp_path: Path) -> None:
    install_hub(busy_hub, **DEPLOYED)
    patch_status(busy_hub.operator(), job("running"), {"phase": "Succeeded", "finishedAt": "2026-01-01T00:00:10Z"})
    allowed = _helm_uninstall(busy_hub, tmp_path)
    assert allowed.returncode == 0, allowed.stderr
    assert set(found(busy_hub, "computejobs", TENANT_NS)) == {"running", "queued", "done"}


def test_uninstall_stops_the_charts_operator(busy_hub: Hub) -> None:
    patch(busy_hub.admin, job("running"), {"spec": {"suspend": True}})
    patch_status(busy_hub.operator(), job("running"), {"phase": "Suspended", "binding": None})
    install_hub(busy_hub, **DEPLOYED)
    done = sampan(busy_hub.api.kubeconfig, "--yes")
    assert "stopped the operator" in done.stdout, done.stderr
    assert client.AppsV1Api(busy_hub.admin).read_namespaced_deployment("sampan-operator", SYSTEM).spec.replicas == 0


def _helm_uninstall(hub: Hub, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run `helm uninstall` and play the kubelet for the hook's pod: run its command with its ServiceAccount's token, report the end."""
    results: list[subprocess.CompletedProcess[str]] = []
    helm = threading.Thread(
        target=lambda: results.append(hub.helm.run("uninstall", "sampan", "-n", SYSTEM, "--timeout", f"{PATIENCE}s", check=False)),
        daemon=True,
    )
    helm.start()
    core = client.CoreV1Api(hub.admin)
    pod = wait_for(lambda: _hook_pod(core), "the hook's pod")
    assert pod.spec.service_account_name == "sampan-operator"
    assert pod.spec.containers[0].command == ["sampan", "uninstall", "--check"]
    done = sampan(_token_kubeconfig(hub, folder), "--check")
    status = {"phase": "Failed" if done.returncode else "Succeeded"}
    core.patch_namespaced_pod_status(pod.metadata.name, SYSTEM, {"status": status})
    helm.join(timeout=2 * PATIENCE)
    return results[0]


def _hook_pod(core: client.CoreV1Api) -> Any:
    """The hook's pod that has not ended; None before it is there."""
    pods = core.list_namespaced_pod(SYSTEM, label_selector="app.kubernetes.io/component=uninstall-guard").items
    return next((pod for pod in pods if pod.status.phase == "Pending" and not pod.metadata.deletion_timestamp), None)


def _token_kubeconfig(hub: Hub, folder: Path) -> Path:
    """A kubeconfig with the operator's token, as the hook's pod has it from its volume."""
    api = hub.operator().configuration
    path = folder / "hook.kubeconfig"
    cluster = {"server": api.host, "certificate-authority": api.ssl_ca_cert}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "hook",
        "clusters": [{"name": "hub", "cluster": cluster}],
        "users": [{"name": "operator", "user": {"token": api.api_key["authorization"].removeprefix("Bearer ")}}],
        "contexts": [{"name": "hook", "context": {"cluster": "hub", "user": "operator"}}],
    }
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


def test_the_values_of_the_tests_are_those_of_a_hub_without_deployment() -> None:
    assert HUB_VALUES["operator.enabled"] is False
