"""`sampan jobs`: compute jobs, where they are and why; with --watch, one line per change."""

import json
from datetime import UTC, datetime

import click

from sampan.cli import hub, jobview
from sampan.cli.feed import Change, Feed
from sampan.cli.options import Target, output_option, target_options
from sampan.cli.render import print_objects, print_table
from sampan.kube.text import clean_text

TICK_SECONDS = 3600.0
WATCH_LINE = "{:<12} {:<24} {:<10} {:<56} {:>7} {:>5}  {}"


@click.command()
@target_options()
@output_option("table", "json", "yaml")
@click.option("-w", "--watch", is_flag=True, help="Keep printing a line (with -o json: an object) for each change.")
def jobs(target: Target, output: str, watch: bool) -> None:
    """List compute jobs with phase, place, devices, age and reason."""
    hub_in_use = hub.connect(target)
    if watch:
        _watch(hub_in_use, output)
        return
    items = hub_in_use.items(hub.JOBS)
    if output != "table":
        print_objects(items, output)
    elif not items:
        click.echo("No jobs found; try -A for all namespaces.", err=True)
    else:
        now = datetime.now(UTC)
        print_table(jobview.COLUMNS, [jobview.row(item, now=now) for item in items])


def _watch(hub_in_use: hub.Hub, output: str) -> None:
    """Print every job, then every change, until interrupted."""
    if output == "yaml":
        raise click.UsageError("--watch prints table lines or, with -o json, one object per line")
    if output == "table":
        click.echo(WATCH_LINE.format(*(column.heading for column in jobview.COLUMNS)).rstrip())
    with Feed(hub_in_use.api, hub.JOBS, hub_in_use.namespace) as feed:
        try:
            while True:
                change = feed.next(TICK_SECONDS)
                if change is not None:
                    click.echo(line(change, output=output, now=datetime.now(UTC)))
        except KeyboardInterrupt:
            click.echo("", err=True)


def line(change: Change, *, output: str, now: datetime) -> str:
    """One change as a table line, or as JSON `{type, object}`."""
    if output == "json":
        return json.dumps({"type": change.kind, "object": change.object}, ensure_ascii=True)
    cells = [clean_text(cell) for cell in jobview.row(change.object, now=now)]
    if change.kind == "DELETED":
        cells[2] = "(deleted)"
    return WATCH_LINE.format(*cells).rstrip()
