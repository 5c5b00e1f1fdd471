"""Installs the two Helm charts, the same that real hubs and members get. Never here: their content."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sampan.local.paths import LocalError, shipped
from sampan.local.patience import PATIENCE
from sampan.local.processes.kubectl import tool_environment

HUB_NAMESPACE = "sampan-system"
MEMBER_NAMESPACE = "sampan-jobs"


@dataclass(frozen=True, slots=True)
class Helm:
    """helm with one kubeconfig and caches of its own."""

    binary: str
    kubeconfig: Path
    cache: Path

    def install_hub(self, *, provider_namespaces: list[str], tenant_namespaces: list[str], query: tuple[int, str] | None = None) -> None:
        """Installs or upgrades `helm/sampan` for an operator that runs outside the cluster; `query`: its port and certificate (PEM)."""
        served = {} if query is None else {"query": {"externalName": "localhost", "port": query[0], "caBundle": query[1]}}
        tenants = [f"system:serviceaccounts:{namespace}" for namespace in tenant_namespaces]
        values = {
            "operator": {"enabled": False, "allowLoopbackMembers": True},
            "providerNamespaces": provider_namespaces,
            "tenantNamespaces": tenant_namespaces,
            "catalogueReaderGroups": tenants,
            "offerReaderGroups": tenants,
            **served,
        }
        self._install("sampan", values)

    def install_member(self, values: Mapping[str, Any]) -> None:
        """Installs or upgrades `helm/sampan-member` with the provider's values, for a publisher that runs outside the cluster."""
        elsewhere = {**values.get("publisher", {}), "enabled": False}
        self._install("sampan-member", {**values, "publisher": elsewhere} if values.get("capacity") == "published" else values)

    def _install(self, chart: str, values: Mapping[str, Any]) -> None:
        folder = shipped("helm") / chart
        if not (folder / "Chart.yaml").is_file():
            raise LocalError(f"no chart {folder}: install Sampan anew")
        command = [self.binary, f"--kubeconfig={self.kubeconfig}", "upgrade", "--install", chart, str(folder)]
        command += ["--namespace", HUB_NAMESPACE, "--create-namespace", "--values", "-"]
        done = subprocess.run(
            command,
            input=json.dumps(values),
            env=tool_environment(self.cache),
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
            check=False,
        )
        if done.returncode != 0:
            raise LocalError(f"helm could not install {chart} on {self.kubeconfig.stem}: {done.stderr.strip()[-600:]}")
