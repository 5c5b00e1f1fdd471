"""The page of a job's life: every stage, rule and phase is on it, and a check writes nothing."""

from pathlib import Path

import pytest

from sampan.controller.reconcile.lifecycle import page
from sampan.controller.reconcile.lifecycle.situation import Stage
from sampan.controller.reconcile.lifecycle.table import BY_STAGE
from sampan.model.lifecycle import TABLE


def test_the_page_shows_every_rule_in_its_stage_and_every_change_of_phase() -> None:
    text = page.render()
    sections = {part.split("\n", 1)[0]: part for part in text.split("\n### ")[1:]}
    assert list(sections) == [str(stage) for stage in Stage]
    for stage, rules in BY_STAGE.items():
        rows = [line for line in sections[stage].splitlines() if line.startswith("| ") and not line.startswith("| when")]
        assert [row.split(" | ")[0] for row in rows] == [f"| {rule.when}" for rule in rules]
    for (before, event), after in TABLE.items():
        assert f"  {before} --> {after}: {event}\n" in text


def test_an_arrow_is_one_line_with_one_colon() -> None:
    """Mermaid reads what follows the first colon as the label, and a second one is not always let pass."""
    arrows = [line for line in page.render().splitlines() if " --> " in line]
    assert arrows
    assert [line for line in arrows if line.count(":") > 1] == []


def test_a_check_names_the_page_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert page.main(["--check"], root=tmp_path) == 1
    assert "docs/lifecycle.md is out of date: run `make generate`" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
    assert page.main([], root=tmp_path) == 0
    assert page.main(["--check"], root=tmp_path) == 0
