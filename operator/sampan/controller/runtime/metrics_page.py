"""`python -m sampan.controller.runtime.metrics_page [--check]`: writes docs/metrics.md from the table of metrics, and nothing else."""

from pathlib import Path
from typing import Final

from sampan.api.crd.generated import ROOT, Changes, differing, run
from sampan.controller.runtime.metrics import FAMILIES, Family

PAGE: Final = "docs/metrics.md"
HEAD: Final = """\
<!-- GENERATED from operator/sampan/controller/runtime/metrics.py by `make generate`: do not edit. -->
# Metrics

The operator serves them at `/metrics` of `SAMPAN_METRICS_ADDRESS`, in the text format of Prometheus. They are read from its state at each
scrape; counters begin at 0 when it starts. No label names a job, a namespace or a user, so the number of series does not grow with them.

| metric | type | labels | what |
|---|---|---|---|
"""


def render() -> str:
    """Return the page, the same at every call."""
    return HEAD + "".join(_row(family) for family in sorted(FAMILIES, key=lambda family: family.name))


def _row(family: Family) -> str:
    name, kind = (f"{family.name}_total", "counter") if family.counter else (family.name, "gauge")
    return f"| `{name}` | {kind} | {', '.join(f'`{label}`' for label in family.labels)} | {family.help} |\n"


def stale(root: Path) -> Changes:
    """Return the page if it is out of date."""
    return differing({root / PAGE: render()})


def main(arguments: list[str] | None = None, *, root: Path = ROOT) -> int:
    """Write or check the page; returns the exit code."""
    return run(stale, arguments, program="sampan.controller.runtime.metrics_page", root=root)


if __name__ == "__main__":
    raise SystemExit(main())
