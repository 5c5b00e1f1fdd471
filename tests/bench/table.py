"""Pure: the figures of `bench.json` as Markdown, each beside its goal: `python -m bench table build/bench/bench.json`.

Nobody types a figure by hand. What must never live here: measuring, or a figure.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

Values = Mapping[str, float]
NOT_RUN, NOT_TAKEN, VOID, NONE = "not run", "not taken", "void", "-"


class Row(NamedTuple):
    """One row: a value of a scenario, or what is made of several, with its goal where it has one."""

    scenario: str
    what: str
    read: str | Callable[[Values], float]
    unit: str = ""
    goal: str = ""
    met: Callable[[float], bool] | None = None
    before: str = "-"
    """At commit 723f5c3 on a quiet machine of two cores, measured by hand: there was no `make bench` yet."""

    def value(self, values: Values) -> float | None:
        """Return it; None where the scenario has not given it."""
        try:
            return values[self.read] if isinstance(self.read, str) else self.read(values)
        except (KeyError, ZeroDivisionError):
            return None


def at_most(bound: float) -> tuple[str, Callable[[float], bool]]:
    """Return the goal in words and the check."""
    return f"≤ {bound:g}", lambda value: value <= bound


def at_least(bound: float) -> tuple[str, Callable[[float], bool]]:
    """Return the goal in words and the check."""
    return f"≥ {bound:g}", lambda value: value >= bound


def _growth(values: Values) -> float:
    return values["large sweep, operator CPU an event, ms"] / values["small sweep, operator CPU an event, ms"]


ROWS = (
    Row("cycle", "a cycle, p50", "cycle p50, ms", "ms", before="254 ms"),
    Row("cycle", "a cycle, p99", "cycle p99, ms", "ms", *at_most(100)),
    Row("cycle", "a cycle, largest", "cycle largest, ms", "ms", before="781 ms"),
    Row("cycle", "a cycle, processor time, p99", "cycle CPU p99, ms", "ms"),
    Row("idle", "operator, processor time a second", "operator CPU, ms/s", "ms"),
    Row("idle", "hub API server, the same", "hub API server CPU, ms/s", "ms"),
    Row("idle", "hub etcd, the same", "hub etcd CPU, ms/s", "ms"),
    Row("idle", "members' API servers, the same", "members' API servers CPU, ms/s", "ms"),
    Row("idle", "members' etcd, the same", "members' etcd CPU, ms/s", "ms"),
    Row("idle", "members' controllers, the same", "members' controllers CPU, ms/s", "ms"),
    Row("idle", "operator's calls", "operator calls/s", "/s"),
    Row("dispatch", "operator, processor time a job", "operator CPU, ms/job", "ms", *at_most(3), before="6.1 ms"),
    Row("dispatch", "operator, the same net of idle", "operator CPU net of idle, ms/job", "ms"),
    Row("dispatch", "hub API server, processor time a job", "hub API server CPU, ms/job", "ms", *at_most(8), before="11.1 ms"),
    Row("dispatch", "hub API server, the same net of idle", "hub API server CPU net of idle, ms/job", "ms"),
    Row("dispatch", "jobs/s until bound and created", "jobs/s", "", *at_least(90), before="57 to 79"),
    Row("dispatch", "hub writes a job, the user's create included", "hub writes of the job, a job"),
    Row("life", "operator, processor time a job", "operator CPU, ms/job", "ms", *at_most(7), before="18.5 to 30 ms"),
    Row("life", "operator, the same net of idle", "operator CPU net of idle, ms/job", "ms"),
    Row("life", "hub API server, processor time a job", "hub API server CPU, ms/job", "ms", *at_most(18), before="34 ms"),
    Row("life", "hub API server, the same net of idle", "hub API server CPU net of idle, ms/job", "ms"),
    Row("life", "jobs/s until the hub shows the end", "jobs/s", before="15"),
    Row("life", "hub writes a job, the user's create included", "hub writes of the job, a job"),
    Row("slow-member", "others' wait p99 while none is slow", "others' wait p99 while none is slow, s", "s"),
    Row("slow-member", "others' wait p99 beside the slow member", "others' wait p99, s", "s", before="9.4 s"),
    Row("slow-member", "the second as a part of the first", "others' wait p99, times that while none is slow", "", *at_most(1.1)),
    Row("offers", "a link flaps: longest stall", "longest stall while a link flaps, most, ms", "ms", *at_most(5), before="147 ms"),
    Row("offers", "the same, processor time of the loop's thread", "longest stall while a link flaps, most, ms of CPU", "ms", *at_most(5)),
    Row("offers", "an offer changes: longest stall", "longest stall while an offer changes, most, ms", "ms", *at_most(5), before="152 ms"),
    Row(
        "offers",
        "the same, processor time of the loop's thread",
        "longest stall while an offer changes, most, ms of CPU",
        "ms",
        *at_most(5),
    ),
    Row("offers", "nothing changes: longest stall", "longest stall while nothing changes, most, ms", "ms"),
    Row("sweep", "events seen at a watch, sweeps of 5,000 pods together", "both sweeps, pod events/s seen at a watch", "/s"),
    Row("sweep", "operator during these events", "both sweeps, operator, % of a core", "% of a core", *at_most(10)),
    Row("sweep", "operator without events", "operator without events, % of a core", "% of a core"),
    Row("sweep", "processor time an event, sweep of 1,000", "small sweep, operator CPU an event, ms", "ms"),
    Row("sweep", "processor time an event, sweep of 4,000", "large sweep, operator CPU an event, ms", "ms"),
    Row("sweep", "the second as a part of the first", _growth, "", "1: linear", before="quadratic"),
    Row(
        "virtual",
        "calls because of jobs with many, part of those with one",
        "calls a job, part of those with one",
        "",
        "1",
        lambda part: abs(part - 1) <= 0.05,
    ),
    Row("virtual", "calls while nothing happens, with one", "calls/s while nothing happens, one member", "/s"),
    Row("virtual", "calls while nothing happens, with many", "calls/s while nothing happens, many members", "/s"),
    Row("virtual", "operator while nothing happens, with many", "operator CPU while nothing happens, many members, ms/s", "ms/s"),
    Row("virtual", "rate with many, part of that with one", "rate, part of that with one", "", *at_least(0.85)),
    Row("restart", "until ready", "until ready, s", "s", *at_most(15)),
    Row("restart", "until a new job is bound and created", "until a new job is bound and created, s", "s"),
    Row("restart", "operator's memory", "operator memory, MiB", "MiB"),
)


def lines(found: Mapping[str, Any]) -> list[str]:
    """Return both tables: the figures, and of each scenario what bound it."""
    figures: dict[str, Mapping[str, Any]] = {figure["name"]: figure for figure in found["figures"]}
    told = f"Commit {found['commit']}, {found['at']}, {found['cores']} cores" + (
        "" if found["scale"] == 1 else f", scale {found['scale']:g}"
    )
    rows = [["scenario", "figure", "723f5c3", "goal", "measured", "met"], ["---"] * 6]
    for row in ROWS:
        measured, met = _measured(row, figures.get(row.scenario))
        rows.append([f"`{row.scenario}`", row.what, row.before, f"{row.goal} {row.unit}".strip() if row.goal else NONE, measured, met])
    bounds = [["scenario", "what", "bound by", "void", "load before", "took"], ["---"] * 6]
    for name, figure in figures.items():
        void = _cell(figure["void"][:3]) or "no"
        numbers = [f"{figure[key]:.0f}{unit}" if key in figure else NONE for key, unit in (("loadBefore", ""), ("tookSeconds", " s"))]
        bounds.append([f"`{name}`", figure.get("title", NONE), figure.get("limit", NOT_TAKEN), void, *numbers])
    return [told + ".", "", *map(_line, rows), "", *map(_line, bounds)]


def _measured(row: Row, figure: Mapping[str, Any] | None) -> tuple[str, str]:
    """Return the cell with the figure, and whether it meets the goal. One that is void is told as that, not as a number."""
    if figure is None:
        return NOT_RUN, NONE
    if figure["void"]:
        return VOID, "no" if row.goal else NONE
    value = row.value(figure["values"])
    if value is None:
        return NOT_TAKEN, "no" if row.goal else NONE
    met = NONE if row.met is None else "yes" if row.met(value) else "no"
    return f"{value:.4g} {row.unit}".strip(), met


def _cell(reasons: Iterable[str]) -> str:
    return "; ".join(" ".join(reason.split())[:200].replace("|", "\\|") for reason in reasons)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
