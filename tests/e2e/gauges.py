"""Reads figures where they are shown: the operator's /metrics, the hub's /metrics, /proc. Never here: assertions."""

import os
import re
import urllib.request
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
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as page:
            return parse(page.read().decode())
    except OSError:
        return {}


def metric(samples: Samples, name: str, **labels: str) -> float:
    """Return the sum of all samples of that name that have these labels."""
    return sum(value for (found, have), value in samples.items() if found == name and labels.items() <= dict(have).items())


def hub_watches(hub: Api) -> dict[str, int]:
    """Return how many cluster-wide watches the hub's API server serves now, by our kinds."""
    samples = parse(hub.kubectl("get", "--raw", "/metrics"))
    name = "apiserver_longrunning_requests"
    return {kind: int(metric(samples, name, group="sampan.dev", resource=kind, scope="cluster", verb="WATCH")) for kind in KINDS}


def cpu_seconds(pid: int) -> float:
    """Return the processor time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
