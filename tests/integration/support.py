"""What integration tests share: an API server as a test sees it, and waiting for a condition with a deadline.

What must never live here: assertions of one test, and any code of the operator (only `sampan.local`, which runs the servers).
"""

import json
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from kubernetes import client, config

from sampan.local.binaries import Binaries
from sampan.local.cluster import Cluster
from sampan.local.federation import Federation
from sampan.local.processes.kubectl import tool_environment
from sampan.local.processes.operator_process import OperatorProcess

ROOT = Path(__file__).resolve().parents[2]
CRDS = ROOT / "crds"
PATIENCE = 180
"""Seconds after which what has not come is missing. Only a test that fails waits so long, so that a loaded machine may take its time; the
operator's slow looks (resync 240 s, review of a link and cool-down 300 s) do not come into it: what is told at once is still asked for."""
T = TypeVar("T")


@dataclass
class Api:
    """One API server as one identity: kubectl and the official client, both with the same kubeconfig."""

    name: str
    kubeconfig: Path
    binaries: Binaries
    cache: Path
    _clients: list[client.ApiClient] = field(default_factory=list)

    def client(self) -> client.ApiClient:
        """The official client, one for all callers; closed at the end of the session."""
        if not self._clients:
            self._clients.append(config.new_client_from_config(config_file=str(self.kubeconfig)))
        return self._clients[0]

    def try_kubectl(self, *arguments: str, input: str | None = None, timeout: float = PATIENCE + 60) -> subprocess.CompletedProcess[str]:  # noqa: A002
        """Run kubectl and give its exit code, output and words, whatever they are."""
        command = [self.binaries["kubectl"], f"--kubeconfig={self.kubeconfig}", *arguments]
        env = tool_environment(self.cache)
        return subprocess.run(command, input=input, env=env, capture_output=True, text=True, timeout=timeout, check=False)

    def kubectl(self, *arguments: str, input: str | None = None, timeout: float = PATIENCE + 60) -> str:  # noqa: A002
        """Standard output of kubectl, which must succeed."""
        done = self.try_kubectl(*arguments, input=input, timeout=timeout)
        if done.returncode != 0:
            raise AssertionError(f"kubectl {' '.join(arguments)} on {self.name}: {done.stderr.strip()}")
        return done.stdout

    def apply(self, *objects: Mapping[str, Any], validate: str = "strict") -> None:
        """Create or change objects as `kubectl apply` does."""
        body = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        self.kubectl("apply", f"--validate={validate}", "-f", "-", input=body)

    def get(self, *arguments: str) -> Any:
        """The decoded answer of `kubectl get … -o json`."""
        return json.loads(self.kubectl("get", "-o", "json", *arguments))

    def items(self, *arguments: str) -> list[dict[str, Any]]:
        """The items of a list."""
        found: list[dict[str, Any]] = self.get(*arguments)["items"]
        return found

    def close(self) -> None:
        """Close the client's connections."""
        while self._clients:
            self._clients.pop().close()


@dataclass
class FederationUnderTest:
    """A whole federation with handles for tests: administrators of hub and members, the tenant, the operator's process."""

    federation: Federation
    binaries: Binaries
    hub: Api
    tenant: Api
    members: dict[str, Api]

    @property
    def name(self) -> str:
        """The federation's name."""
        return self.federation.name

    @property
    def operator(self) -> OperatorProcess:
        """The operator's process: start, stop, kill, pause, log."""
        return self.federation.operator

    def cluster(self, name: str) -> Cluster:
        """The control plane's processes of the hub or a member: start, stop, pids."""
        return self.federation.cluster(name)

    def api(self, who: str) -> Api:
        """The API server as an identity that has a kubeconfig: `provider-NAME`, `operator`, …; the caller closes it."""
        return Api(who, self.federation.existing_kubeconfig(who), self.binaries, self.federation.folder / "cache")

    def close(self) -> None:
        """Close all clients."""
        for api in (self.hub, self.tenant, *self.members.values()):
            api.close()


def handles(federation: Federation, binaries: Binaries) -> FederationUnderTest:
    """The handles of a running federation."""

    def api(who: str) -> Api:
        return Api(who, federation.existing_kubeconfig(who), binaries, federation.folder / "cache")

    members = {member.name: api(member.name) for member in federation.members}
    return FederationUnderTest(federation, binaries, hub=api("hub"), tenant=api("tenant"), members=members)


def wait_for(look: Callable[[], T | None], what: str, *, seconds: float = PATIENCE, every: float = 0.1) -> T:
    """The first answer of `look` that is not None or False; AssertionError naming `what` and the last answer after the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if seen is not None and seen is not False:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}; last seen: {seen!r}")
        time.sleep(every)


def lose_node(member: Api, node: str) -> None:
    """The node's kubelet dies: its pods stay as they are; the control plane takes 40 s to notice."""
    member.kubectl("annotate", "node", node, "local.sampan.dev/lost=true", "--overwrite")
    wait_for(lambda: not member.get("node", node)["status"].get("addresses"), f"the kubelet of {node} is gone")


def bring_node_back(member: Api, node: str) -> None:
    """The node's kubelet is back; returns when the node is Ready."""
    member.kubectl("annotate", "node", node, "local.sampan.dev/lost-")
    member.kubectl("delete", "lease", node, "-n", "kube-node-lease")
    member.kubectl("wait", "--for=condition=Ready", f"node/{node}", f"--timeout={PATIENCE}s")
    wait_for(lambda: member.get("node", node)["status"].get("addresses"), f"the kubelet of {node} is back")


def batch_job(name: str, command: list[str], *, namespace: str = "default", **pod: Any) -> dict[str, Any]:
    """A plain batch/v1 Job of one pod that is never retried; `pod` goes over the pod's spec, `container` over the container."""
    container = {
        "name": "main",
        "image": "registry.example/tool:1",
        "command": command,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        **pod.pop("container", {}),
    }
    spec = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 2, "containers": [container], **pod}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"backoffLimit": 0, "template": {"spec": spec}},
    }


def pods_of(member: Api, job: str) -> list[dict[str, Any]]:
    """The pods of a Job."""
    pods: list[dict[str, Any]] = member.items("pods", "-l", f"job-name={job}")
    return pods


def terminated(member: Api, job: str) -> dict[str, Any] | None:
    """How the only container of the Job's only pod ended; None before."""
    for pod in pods_of(member, job):
        for status in pod["status"].get("containerStatuses", []):
            if "terminated" in status["state"]:
                ended: dict[str, Any] = status["state"]["terminated"]
                return ended
    return None


def finish_pods(member: Api, selector: str, *, namespace: str) -> None:
    """End the running pods of a selector well, as their kubelet does when their command has ended: whatever that command was to run for."""
    core, serialize = client.CoreV1Api(member.client()), member.client().sanitize_for_serialization
    for pod in serialize(core.list_namespaced_pod(namespace, label_selector=selector))["items"]:
        if pod["status"].get("phase") == "Running":
            finish(core, pod)


def finish(core: client.CoreV1Api, pod: Mapping[str, Any]) -> None:
    """End one running pod well."""
    ended = [_ended(each) for each in pod["status"]["containerStatuses"]]
    status = {"phase": "Succeeded", "containerStatuses": ended}
    core.patch_namespaced_pod_status(pod["metadata"]["name"], pod["metadata"]["namespace"], {"status": status})


def _ended(container: Mapping[str, Any]) -> dict[str, Any]:
    """The status of a container that ran and has ended well."""
    started = container["state"]["running"]["startedAt"]
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    terminated = {"exitCode": 0, "reason": "Completed", "startedAt": started, "finishedAt": now}
    return {**container, "ready": False, "started": False, "state": {"terminated": terminated}}


def seconds_between(start: str, end: str) -> float:
    """Seconds from one API timestamp to another."""
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
