"""Talks to an API server through kubectl, as an administrator or as whom a kubeconfig names. Never here: what to say to it."""

import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sampan.local.paths import LocalError
from sampan.local.patience import PATIENCE

_NOT_YET = ("ServiceUnavailable", "no matches for kind", "There can be a delay")


class KubectlError(LocalError):
    """kubectl said no; the message is its own."""


@dataclass(frozen=True, slots=True)
class Kubectl:
    """kubectl with one kubeconfig; its discovery cache goes to `cache`, never to the user's home."""

    binary: str
    kubeconfig: Path
    cache: Path

    def run(self, *arguments: str, text: str | None = None, timeout: float = 2 * PATIENCE) -> str:
        """Standard output of the command; `text` goes to its standard input. Raises KubectlError with its last words."""
        command = [self.binary, f"--kubeconfig={self.kubeconfig}", *arguments]
        done = subprocess.run(
            command, input=text, env=tool_environment(self.cache), capture_output=True, text=True, timeout=timeout, check=False
        )
        if done.returncode != 0:
            raise KubectlError(f"kubectl {' '.join(arguments[:4])} ({self.kubeconfig.stem}): {done.stderr.strip()[-600:]}")
        return done.stdout

    def apply(self, objects: Sequence[Mapping[str, Any]], *, patience: float = PATIENCE) -> None:
        """Creates or changes the objects, server-side, with strict field validation; an empty list is fine.

        Tries again for `patience` seconds while the server says that it does not serve their kinds yet.
        """
        body = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        flags = ("--server-side", "--force-conflicts", "--field-manager=sampan-local", "--validate=strict")
        deadline = time.monotonic() + patience
        while objects:
            try:
                self.run("apply", *flags, "-f", "-", text=body)
            except KubectlError as error:
                # Kinds that were defined a moment ago, and policies that look at them, are served a little later.
                if time.monotonic() > deadline or not any(words in str(error) for words in _NOT_YET):
                    raise
                time.sleep(0.5)
            else:
                return

    def create_nodes(self, nodes: Sequence[Mapping[str, Any]]) -> None:
        """Creates nodes with their status, which only a plain create takes over; those that exist are an error."""
        if nodes:
            self.run("create", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(nodes)}))

    def get(self, *arguments: str) -> Any:
        """The decoded JSON of `kubectl get …`."""
        return json.loads(self.run("get", "-o", "json", *arguments))


def tool_settings(cache: Path) -> dict[str, str]:
    """Settings with which kubectl and helm read and write nothing in the user's home, and reach 127.0.0.1 past any proxy."""
    return {
        "KUBECONFIG": os.devnull,
        "KUBECACHEDIR": str(cache / "kube"),
        "HELM_CACHE_HOME": str(cache / "helm" / "cache"),
        "HELM_CONFIG_HOME": str(cache / "helm" / "config"),
        "HELM_DATA_HOME": str(cache / "helm" / "data"),
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def tool_environment(cache: Path) -> dict[str, str]:
    """Our own environment with those settings."""
    return {**os.environ, **tool_settings(cache)}
