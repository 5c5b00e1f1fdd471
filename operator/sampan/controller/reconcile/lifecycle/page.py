"""`python -m sampan.controller.reconcile.lifecycle.page [--check]`: writes docs/lifecycle.md from the tables, and nothing else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sampan.api.crd.generated import ROOT, Changes, differing, run
from sampan.controller.reconcile.lifecycle.situation import MEANING, Stage
from sampan.controller.reconcile.lifecycle.table import BY_STAGE, RULES
from sampan.model.lifecycle import TABLE

PAGE: Final = "docs/lifecycle.md"
HEAD: Final = """\
<!-- GENERATED from model/lifecycle.py and controller/reconcile/lifecycle of operator/sampan by `make generate`: do not edit. -->
# A job's life

Users see a *phase*. The operator reconciles by a finer *stage*, which follows from the object on the hub and from what the member shows,
and is stored nowhere. After each change and each action the first rule of the stage that applies names the one next action
([decision 0006](decisions/0006-one-action-at-a-time.md), [decision 0018](decisions/0018-a-status-is-a-value.md)).

"""
PHASES: Final = """\
## Phases

`status.phase`, and what leads from one to the next. An event that has no arrow here is an error of ours.

"""
STAGES: Final = """\
## Stages

| stage | where the job stands |
|---|---|
"""
DIAGRAM: Final = """
Arrows are writes and calls of the rules below, and the one write that is not theirs: a cycle's plan is bound. From every stage a deletion
by the user leads to Deleting; between the stages of an open attempt the member leads as well, by what it shows.

"""
TABLES: Final = """
## Rules

In each stage the first that applies counts. An action that was tried and came to nothing is first paused, 1, 2, 4 … 60 s with jitter, and
what keeps failing is told in the status.
"""
BOUND: Final = (Stage.WAITING, Stage.NO_COPY, "a plan is bound to it")
"""The one step that the scheduler takes (`ActionExecutor.bind`)."""


def render() -> str:
    """Return the page, the same at every call."""
    stages = "".join(f"| {stage} | {MEANING[stage]} |\n" for stage in Stage)
    tables = "".join(f"\n### {stage}\n\n| when | action | what |\n|---|---|---|\n{''.join(_rows(stage))}" for stage in Stage)
    return HEAD + PHASES + _drawn(_phases()) + "\n" + STAGES + stages + DIAGRAM + _drawn(_arrows()) + TABLES + tables


def _phases() -> Iterator[str]:
    yield "[*] --> Pending"
    yield from (f"{before} --> {after}: {event}" for (before, event), after in TABLE.items())
    yield from (f"{phase} --> [*]" for phase in dict.fromkeys(TABLE.values()) if phase.ended)


def _arrows() -> Iterator[str]:
    yield f"[*] --> {Stage.WAITING}"
    yield "{} --> {}: {}".format(*BOUND)
    for rule in RULES:
        words = f"{rule.when.replace('`', '')}, {rule.action.__name__}"
        yield from (f"{stage} --> {after}: {words}" for stage in rule.stages for after in rule.to if after is not stage)
    yield f"{Stage.DELETING} --> [*]: Release"


def _drawn(lines: Iterator[str]) -> str:
    return "```mermaid\nstateDiagram-v2\n" + "".join(f"  {line}\n" for line in lines) + "```\n"


def _rows(stage: Stage) -> Iterator[str]:
    for rule in BY_STAGE[stage]:
        leads = f" → {' or '.join(rule.to)}" if rule.to else ""
        yield f"| {rule.when} | {rule.action.__name__} | {rule.what}{leads} |\n"


def stale(root: Path) -> Changes:
    """Return the page if it is out of date."""
    return differing({root / PAGE: render()})


def main(arguments: list[str] | None = None, *, root: Path = ROOT) -> int:
    """Write or check the page; returns the exit code."""
    return run(stale, arguments, program="sampan.controller.reconcile.lifecycle.page", root=root)


if __name__ == "__main__":
    raise SystemExit(main())
