"""Pure: a figure as it is written down and printed. Never here: measuring it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.usage import HUB_API, OPERATOR, OTHERS, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What one scenario gave."""

    name: str
    title: str
    values: Mapping[str, float]
    """By name with the unit at its end."""
    limit: str
    """What bound it."""
    void: Sequence[str] = ()
    """Why it must not be used: jobs that were lost or doubled, a watch that broke."""
    usage: Mapping[str, float] = field(default_factory=dict)
    """Cores by role."""

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "name": self.name,
            "title": self.title,
            "void": list(self.void),
            "values": dict(self.values),
            "limit": self.limit,
            "cores": dict(self.usage),
        }

    def lines(self) -> list[str]:
        """Return it for people."""
        told = [f"{self.name}: {self.title}"]
        told += [f"  VOID: {reason}" for reason in self.void[:5]]
        width = max(map(len, self.values), default=0)
        told += [f"  {key:<{width}}  {value:g}" for key, value in self.values.items()]
        return [*told, f"  bound by {self.limit}"]


def cores(usage: Usage) -> dict[str, float]:
    """Return the cores that each role used, largest first."""
    shares = {role: round(usage.share(role), 3) for role in usage.cpu}
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def cpu_per_job(usage: Usage, jobs: int) -> dict[str, float]:
    """Return milliseconds of processor time a job by role, ours first."""
    return {f"{role} CPU, ms/job": value for role, value in usage.per_job(jobs).items() if role != OTHERS}


def net_per_job(usage: Usage, idle: Usage, jobs: int) -> dict[str, float]:
    """Return the same, beyond what is used while nothing happens, of those that each have a goal."""
    net = usage.less(idle).per_job(jobs)
    return {f"{role} CPU net of idle, ms/job": net[role] for role in (OPERATOR, HUB_API)}


def percentile(values: Sequence[float], part: int) -> float:
    """Return the value that `part` percent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) * part // 100, len(ordered) - 1)]
