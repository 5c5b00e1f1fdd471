"""Tables, JSON and YAML for a terminal or a pipe. Remote text passes through `clean_text`; no server, no clock here."""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from unicodedata import combining, east_asian_width

import click

from sampan.kube.text import clean_text

STYLES = {
    "Succeeded": "green",
    "True": "green",
    "Running": "cyan",
    "Bound": "cyan",
    "Pending": "yellow",
    "Suspended": "yellow",
    "Failed": "red",
    "False": "red",
}
"""Colour of a cell that is exactly this word."""


class Column(NamedTuple):
    """A column's heading, and whether it holds numbers (set right)."""

    heading: str
    right: bool = False


def table(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> Any:
    """A rich table in kubectl's plain form, for a view that is drawn anew: headings, no lines, no markup from remote text."""
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for column in columns:
        made.add_column(column.heading, justify="right" if column.right else "left", no_wrap=True, overflow="ellipsis")
    for row in rows:
        cells = [clean_text(cell) for cell in row]
        made.add_row(*(Text(cell, style=STYLES.get(cell, "")) for cell in cells))
    return made


def print_table(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
    """Print a table on stdout, coloured on a terminal and never cut: as kubectl's, its lines may be longer than the screen.

    rich would print the same, but takes longer to import than a hub takes to answer.
    """
    cells = [[column.heading for column in columns], *([clean_text(cell) for cell in row] for row in rows)]
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    for number, row in enumerate(cells):
        line = []
        for column, width, cell in zip(columns, widths, row, strict=True):
            gap = " " * (width - _width(cell))
            shown = _styled(cell, heading=number == 0) if coloured else cell
            line.append(gap + shown if column.right else shown + gap)
        click.echo("   ".join(line).rstrip())


def _width(text: str) -> int:
    """Columns that a text takes on a terminal: two for what East Asia writes wide, none for marks that join the letter before them."""
    return len(text) if text.isascii() else sum(0 if combining(each) else 1 + (east_asian_width(each) in "WF") for each in text)


def _styled(cell: str, *, heading: bool) -> str:
    """The cell in its colour."""
    if heading:
        return click.style(cell, bold=True)
    return click.style(cell, fg=STYLES[cell]) if cell in STYLES else cell


def print_data(data: Any, output: str) -> None:
    """Print a value as JSON or YAML; every character outside ASCII is escaped, so remote text cannot drive the terminal."""
    if output == "json":
        click.echo(json.dumps(data, indent=2, ensure_ascii=True))
        return
    import yaml

    plain = json.loads(json.dumps(data))  # without enums, tuples, and aliases of what is told twice
    click.echo(yaml.safe_dump(plain, sort_keys=False, allow_unicode=False), nl=False)


def print_objects(items: list[dict[str, Any]], output: str) -> None:
    """Print Kubernetes objects as the List object that `kubectl get -o json|yaml` prints."""
    print_data({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items}, output)
