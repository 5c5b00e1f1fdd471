"""Reads figures where they are shown: the operator's /metrics, the hub's /metrics, /proc. Never here: assertions."""

import os
import re
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from integration.support import Api

KINDS = ("computejobs", "clusteroffers", "providers", "acceleratorclasses", "placementpolicies")
_LINE = re.compile(r"^(?P<name>\w+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)$")
_LABEL = re.compile(r'(\w+)="([^"]*)"')

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def parse(text: str) -> Samples:
    """Return the samples of a metrics page by (name, sorted labels)."""
    found: Samples = {}
    for line in text.splitlines():
        match = _LINE.match(line)
        if match:
            labels = tuple(sorted(_LABEL.findall(match["labels"] or "")))
            found[match["name"], labels] = float(match["value"])
    return found


def operator_metrics(address: str) -> Samples:
    """Return what the operator shows at this address; nothing while it is not there."""
    try:
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=60) as page:
            return parse(page.read().decode())
    except OSError:
        return {}


def metric(samples: Samples, name: str, **labels: str) -> float:
    """Return the sum of all samples of that name that have these labels."""
    return sum(value for (found, have), value in samples.items() if found == name and labels.items() <= dict(have).items())


@dataclass(frozen=True)
class Watches:
    """Cluster-wide watches on the hub's API server, by our kinds."""

    now: dict[str, int]
    """Served at this moment."""
    ended: dict[str, int]
    """That came to their end since the server started."""


def hub_watches(hub: Api) -> Watches:
    """Ask the hub's API server for its watches."""
    samples = parse(hub.kubectl("get", "--raw", "/metrics"))

    def of_each_kind(name: str) -> dict[str, int]:
        return {kind: int(metric(samples, name, group="sampan.dev", resource=kind, scope="cluster", verb="WATCH")) for kind in KINDS}

    return Watches(now=of_each_kind("apiserver_longrunning_requests"), ended=of_each_kind("apiserver_request_total"))


def cpu_seconds(pid: int) -> float:
    """Return the processor time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
