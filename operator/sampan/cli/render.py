"""Tables, JSON and YAML for a terminal or a pipe. Remote text passes through `clean_text`; no server, no clock here."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

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
    "Cancelled": "red",
    "False": "red",
}
"""Colour of a cell that is exactly this word."""

PIPE_WIDTH = 4096
"""Columns assumed for a table: no cell is ever cut, neither in a pipe nor on a terminal."""


class Column(NamedTuple):
    """A column's heading, and whether it holds numbers (set right)."""

    heading: str
    right: bool = False


def table(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> Any:
    """A rich table in kubectl's plain form: headings, no lines, no markup from remote text."""
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
    """Print a table on stdout, coloured on a terminal and never cut: as kubectl's, its lines may be longer than the screen."""
    from rich.console import Console

    terminal = sys.stdout.isatty()
    console = Console(width=PIPE_WIDTH, force_terminal=terminal, color_system="auto" if terminal else None)
    with console.capture() as captured:
        console.print(table(columns, rows))
    for line in captured.get().splitlines():
        click.echo(line.rstrip())


def print_data(data: Any, output: str) -> None:
    """Print a value as JSON or YAML; every character outside ASCII is escaped, so remote text cannot drive the terminal."""
    if output == "json":
        click.echo(json.dumps(data, indent=2, ensure_ascii=True))
        return
    import yaml

    click.echo(yaml.safe_dump(data, sort_keys=False, allow_unicode=False), nl=False)


def print_objects(items: list[dict[str, Any]], output: str) -> None:
    """Print Kubernetes objects as the List object that `kubectl get -o json|yaml` prints."""
    print_data({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items}, output)
