"""Who used the processors: /proc, read at moments, by role. Never here: what a figure means.

Shares are in cores. Whatever else the machine did is what its own counters say beyond all roles.
"""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from e2e.gauges import cpu_seconds
from integration.support import FederationUnderTest

CORES = os.cpu_count() or 1
OPERATOR, GENERATOR = "operator", "generator"
HUB_API, HUB_ETCD, HUB_REST = "hub API server", "hub etcd", "hub controllers"
MEMBER_API, MEMBER_ETCD, MEMBER_REST = "members' API servers", "members' etcd", "members' controllers"
PROXY = "virtual members' proxy"
OTHERS = "other programs"
_PARTS = {"kube-apiserver": (HUB_API, MEMBER_API), "etcd": (HUB_ETCD, MEMBER_ETCD)}


def roles(federation: FederationUnderTest, proxies: Sequence[int] = ()) -> dict[str, tuple[int, ...]]:
    """Return the process ids of each role now; this process is the generator, `proxies` those of virtual members."""
    found: dict[str, list[int]] = {GENERATOR: [os.getpid()], OPERATOR: [pid for pid in [federation.operator.pid] if pid]}
    found |= {PROXY: [*proxies]} if proxies else {}
    for cluster in federation.federation.clusters:
        for component, pid in cluster.pids().items():
            role = _PARTS.get(component, (HUB_REST, MEMBER_REST))[cluster.name != "hub"]
            found.setdefault(role, []).append(pid)
    return {role: tuple(pids) for role, pids in found.items()}


@dataclass(frozen=True, slots=True)
class Moment:
    """What was used up to a moment."""

    at: float
    cpu: Mapping[str, float]
    machine: float
    """Seconds that all cores were busy since the machine started."""


def moment(pids: Mapping[str, tuple[int, ...]]) -> Moment:
    """Look now."""
    return Moment(time.monotonic(), {role: sum(map(cpu_seconds, each)) for role, each in pids.items()}, _busy())


@dataclass(frozen=True, slots=True)
class Usage:
    """What was used between two moments."""

    seconds: float
    cpu: Mapping[str, float]
    """Seconds of processor time by role, other programs among them."""

    def share(self, role: str) -> float:
        """Return the cores that a role used."""
        return self.cpu.get(role, 0.0) / self.seconds

    @property
    def busy(self) -> float:
        """Return the part of all cores that was in use, 0 to 1."""
        return sum(self.cpu.values()) / self.seconds / CORES

    def per_job(self, jobs: int) -> dict[str, float]:
        """Return milliseconds a job by role."""
        return {role: round(1000 * seconds / jobs, 2) for role, seconds in self.cpu.items()}

    def less(self, idle: "Usage") -> "Usage":
        """Return what was used beyond what `idle` uses in the same time."""
        return Usage(self.seconds, {role: seconds - idle.share(role) * self.seconds for role, seconds in self.cpu.items()})

    def and_then(self, other: "Usage") -> "Usage":
        """Return what was used in both times together."""
        cpu = {role: self.cpu.get(role, 0.0) + other.cpu.get(role, 0.0) for role in {**self.cpu, **other.cpu}}
        return Usage(self.seconds + other.seconds, cpu)


def between(start: Moment, end: Moment) -> Usage:
    """Return what was used."""
    cpu = {role: end.cpu[role] - start.cpu.get(role, 0.0) for role in end.cpu}
    cpu[OTHERS] = max(end.machine - start.machine - sum(cpu.values()), 0.0)
    return Usage(end.at - start.at, cpu)


def _busy() -> float:
    user, nice, system, _, _, irq, softirq, *_ = map(int, Path("/proc/stat").read_text().splitlines()[0].split()[1:])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
