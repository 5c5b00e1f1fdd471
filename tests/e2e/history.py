"""Every version of every ComputeJob that the hub ever had while one looked: kubectl's watch, written to a file.

A watch shows each write once, so that versions are writes. What must never live here: assertions.
"""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from e2e.life import job
from integration.support import PATIENCE, Api, wait_for
from sampan.local.processes.kubectl import tool_environment


@dataclass(frozen=True, slots=True)
class History:
    """What the watch has said so far."""

    file: Path

    def events(self) -> Iterator[dict[str, Any]]:
        """All events: type and object."""
        text, decoder, position = self.file.read_text(), json.JSONDecoder(), 0
        while (position := _skip(text, position)) < len(text):
            try:
                event, position = decoder.raw_decode(text, position)
            except ValueError:
                return  # the last one is not written out yet
            yield event

    def versions(self, name: str) -> list[dict[str, Any]]:
        """The versions of one ComputeJob, oldest first; a deletion is none."""
        found = (event["object"] for event in self.events() if event["type"] != "DELETED")
        return [body for body in found if body["metadata"].get("name") == name]

    def ever(self, name: str, holds: Callable[[dict[str, Any]], Any], what: str) -> dict[str, Any]:
        """Wait for the first status of a job that fulfils `holds`, also if the job has gone on by the time that one looks."""

        def look() -> dict[str, Any] | None:
            statuses = (body.get("status") or {} for body in self.versions(name))
            return next((status for status in statuses if holds(status)), None)

        return wait_for(look, f"{name}: {what}")

    def phases(self, name: str) -> list[str]:
        """The phases it went through, each as often as it was entered."""
        seen = [(body.get("status") or {}).get("phase", "Pending") for body in self.versions(name)]
        return [phase for index, phase in enumerate(seen) if index == 0 or seen[index - 1] != phase]


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position


@contextmanager
def recorded(api: Api, namespace: str, file: Path) -> Iterator[History]:
    """Record until the block ends."""
    command = [api.binaries["kubectl"], f"--kubeconfig={api.kubeconfig}", "get", "computejobs", "-n", namespace]
    with file.open("w") as out:
        process = subprocess.Popen(
            [*command, "--watch", "--output-watch-events", "-o", "json"],
            stdout=out,
            stderr=subprocess.DEVNULL,
            env=tool_environment(api.cache),
        )
        try:
            yield _begun(History(file), api)
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE)


def _begun(history: History, api: Api) -> History:
    """Once the watch tells what is created from now on: of a job that waits for its user, which goes again."""
    marker = job("history-begins", suspend=True)
    name, namespace = marker["metadata"]["name"], marker["metadata"]["namespace"]
    api.apply(marker)
    wait_for(lambda: history.versions(name), "the watch is on")
    api.kubectl("delete", "computejob", name, "-n", namespace, f"--timeout={PATIENCE}s")
    return history
