"""`python -m sampan.controller.runtime.metrics_page [--check]`: writes docs/metrics.md from the table of metrics, and nothing else."""

from pathlib import Path
from typing import Final

from sampan.api.crd.generated import ROOT, Changes, differing, run
from sampan.controller.runtime.metrics import FAMILIES, Family, Kind

PAGE: Final = "docs/metrics.md"
HEAD: Final = """\
<!-- GENERATED from operator/sampan/controller/runtime/metrics.py by `make generate`: do not edit. -->
# Metrics

The operator serves them at `/metrics` of `SAMPAN_METRICS_ADDRESS`, in the text format of Prometheus. They are read from its state at each
scrape; counters and histograms begin at 0 when it starts. No label names a job, so the number of series does not grow with them: they
are by offer, by pool, by queue and by tenant, which is the namespace of the jobs, of at most 500 tenants, those with most jobs; all others
are `tenant="other"`. An offer that is gone, and a tenant or a queue without jobs, has no series. Of the process itself there are
`process_cpu_seconds_total`, `process_resident_memory_bytes` and their kin.


| metric | type | labels | what |
|---|---|---|---|
"""


def render() -> str:
    """Return the page, the same at every call."""
    return HEAD + "".join(_row(family) for family in sorted(FAMILIES, key=lambda family: family.name))


def _row(family: Family) -> str:
    name = f"{family.name}_total" if family.kind is Kind.COUNTER else family.name
    return f"| `{name}` | {family.kind} | {', '.join(f'`{label}`' for label in family.labels)} | {family.help} |\n"


def stale(root: Path) -> Changes:
    """Return the page if it is out of date."""
    return differing({root / PAGE: render()})


def main(arguments: list[str] | None = None, *, root: Path = ROOT) -> int:
    """Write or check the page; returns the exit code."""
    return run(stale, arguments, program="sampan.controller.runtime.metrics_page", root=root)


if __name__ == "__main__":
    raise SystemExit(main())
