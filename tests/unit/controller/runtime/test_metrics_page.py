"""The page of metrics: every family by the name that a scrape has, and a check that writes nothing."""

import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from sampan.controller.runtime import metrics as m
from sampan.controller.runtime import metrics_page as page


def test_the_page_names_what_a_scrape_names() -> None:
    """By the names, types and words that Prometheus is given."""
    registry = CollectorRegistry()
    registry.register(m.StateCollector(dict))
    text = generate_latest(registry).decode()
    told = {(name, words) for name, words in re.findall(r"^# HELP (\S+) (.*)$", text, re.MULTILINE)}
    typed = set(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    rows = re.findall(r"^\| `(\S+)` \| (\S+) \| .* \| (.*) \|$", page.render(), re.MULTILINE)
    assert {(name, words) for name, _, words in rows} == told
    assert {(name, kind) for name, kind, _ in rows} == typed


def test_the_labels_are_named() -> None:
    (row,) = (line for line in page.render().splitlines() if line.startswith("| `sampan_api_calls_total`"))
    assert "| `target`, `verb`, `resource`, `code` |" in row


def test_a_check_names_the_page_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert page.main(["--check"], root=tmp_path) == 1
    assert "docs/metrics.md is out of date: run `make generate`" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
    assert page.main([], root=tmp_path) == 0
    assert page.main(["--check"], root=tmp_path) == 0
