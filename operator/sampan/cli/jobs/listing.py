"""`sampan jobs`: compute jobs, where they are and why; with --watch, one line per change."""

import json
from datetime import UTC, datetime

import click

from sampan.cli.lib import job_rows
from sampan.cli.lib.errors import CliError
from sampan.cli.lib.options import output_option, target_options
from sampan.cli.lib.render import print_objects, print_table
from sampan.client.access import hub
from sampan.client.access.target import Target
from sampan.client.access.watch import Change, ObjectWatch
from sampan.kube.text import clean_text

TICK_SECONDS = 3600.0
WATCH_LINE = "{:<12} {:<24} {:<10} {:<56} {:>7} {:>5}  {}"


@click.command()
@target_options()
@output_option("table", "json", "yaml")
@click.option("-w", "--watch", is_flag=True, help="Keep printing a line (with -o json: an object) for each change.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
def jobs(target: Target, output: str, watch: bool, names: tuple[str, ...]) -> None:
    """List compute jobs with phase, place, devices, age and reason: all, or those named."""
    if names and target.all_namespaces:
        raise click.UsageError("names are of one namespace: give -n instead of -A")
    hub_in_use = hub.connect(target)
    if watch:
        _watch(hub_in_use, output, names)
        return
    items = named(hub_in_use.items(hub.JOBS), names)
    if output != "table":
        print_objects(items, output)
    elif not items:
        click.echo("No jobs found; try -A for all namespaces.", err=True)
    else:
        now = datetime.now(UTC)
        print_table(job_rows.COLUMNS, [job_rows.row(item, now=now) for item in items])


def named(items: list[hub.Object], names: tuple[str, ...]) -> list[hub.Object]:
    """The jobs of these names, all without any; a name that is not there is `Trouble`."""
    missing = sorted(set(names) - {item["metadata"]["name"] for item in items})
    if missing:
        raise CliError(f"no such job: {', '.join(missing)}", "list them with sampan jobs, or choose another -n NAMESPACE")
    return [item for item in items if not names or item["metadata"]["name"] in names]


def _watch(hub_in_use: hub.Hub, output: str, names: tuple[str, ...]) -> None:
    """Print every job, or those named, then every change, until interrupted."""
    if output == "yaml":
        raise click.UsageError("--watch prints table lines or, with -o json, one object per line")
    if output == "table":
        click.echo(WATCH_LINE.format(*(column.heading for column in job_rows.COLUMNS)).rstrip())
    with ObjectWatch(hub_in_use.api, hub.JOBS, hub_in_use.namespace) as feed:
        try:
            while True:
                change = feed.next(TICK_SECONDS)
                if change is not None and (not names or change.object["metadata"]["name"] in names):
                    click.echo(line(change, output=output, now=datetime.now(UTC)))
        except KeyboardInterrupt:
            click.echo("", err=True)


def line(change: Change, *, output: str, now: datetime) -> str:
    """One change as a table line, or as JSON `{type, object}`."""
    if output == "json":
        return json.dumps({"type": change.kind, "object": change.object}, ensure_ascii=True)
    cells = [clean_text(cell) for cell in job_rows.row(change.object, now=now)]
    if change.kind == "DELETED":
        cells[2] = "(deleted)"
    return WATCH_LINE.format(*cells).rstrip()
