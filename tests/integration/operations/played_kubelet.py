"""A kubelet for servers without nodes: pods' commands run as processes of this machine, with the pod's environment and ServiceAccount.

What the API server is told is what happens to the processes. What must never live here: assertions.
"""

import http.client
import os
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from integration.support import PATIENCE, Api

LOOK = 0.5
"""Seconds between two looks at the pods."""


@dataclass
class PlayedPod:
    """A pod's process, and where it says that it is ready."""

    process: subprocess.Popen[bytes]
    port: int
    told: str = ""
    """What the API server was told last."""

    def ready(self) -> bool:
        """Ask /readyz, as the pod's probe does."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


@dataclass
class PlayedKubelet:
    """Looks after the pods of one namespace until it is closed."""

    api: Api
    namespace: str
    folder: Path
    pods: dict[str, PlayedPod] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._core = client.CoreV1Api(self.api.client())
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End every process."""
        self._over.set()
        self._thread.join()
        for pod in self.pods.values():
            _end(pod.process)

    def _work(self) -> None:
        while not self._over.wait(LOOK):
            try:
                self._look()
            except ApiException as error:
                if error.status not in (404, 409):  # the pod went, or changed, meanwhile
                    self.faults.append(str(error))

    def _look(self) -> None:
        found = {pod.metadata.uid: pod for pod in self._core.list_namespaced_pod(self.namespace).items}
        for uid in sorted(set(self.pods) - set(found)):
            _end(self.pods.pop(uid).process)
        for uid, pod in found.items():
            if uid not in self.pods and pod.status.phase == "Pending":
                self.pods[uid] = self._start(pod)
            elif uid in self.pods:
                self._tell(pod, self.pods[uid])

    def _start(self, pod: Any) -> PlayedPod:
        container = pod.spec.containers[0]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        told = {each.name: each.value or "" for each in container.env or []}
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("SAMPAN_", "PYTEST_", "KUBECONFIG"))}
        here = {"SAMPAN_STORE": f"sqlite:///{self.folder / 'use.db'}", "SAMPAN_METRICS_ADDRESS": f"127.0.0.1:{port}"}
        command = [sys.executable, "-m", *container.command, "--kubeconfig", str(self._kubeconfig(pod.spec.service_account_name))]
        with (self.folder / f"{pod.metadata.name}.log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env={**kept, **told, **here})
        return PlayedPod(process, port)

    def _tell(self, pod: Any, played: PlayedPod) -> None:
        code = played.process.poll()
        state = "Running" if code is None else "Failed" if code else "Succeeded"
        ready = code is None and played.ready()
        told = f"{state} {ready}"
        if told == played.told:
            return
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        status = {"phase": state, "conditions": [{"type": "Ready", "status": str(ready), "lastTransitionTime": now}]}
        self._core.patch_namespaced_pod_status(pod.metadata.name, self.namespace, {"status": status})
        played.told = told

    def _kubeconfig(self, account: str) -> Path:
        """Write what the pod has in its volume: the server, its CA and a token of the ServiceAccount."""
        document = yaml.safe_load(self.api.kubeconfig.read_text(encoding="utf-8"))
        (context,) = document["contexts"]
        token = self.api.kubectl("create", "token", account, "-n", self.namespace, "--duration=1h").strip()
        document["users"] = [{"name": context["context"]["user"], "user": {"token": token}}]
        path = self.folder / f"{account}.kubeconfig"
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        return path


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
