"""`sampan explain`: why a job waits and when it starts, or why it went where it is. The operator answers; nothing is worked out here."""

import shutil
import textwrap
from datetime import UTC, datetime

import click

from sampan.cli.lib.options import output_option, target_options
from sampan.cli.lib.render import print_data
from sampan.cli.lib.verdicts import say_place, say_pools, say_start
from sampan.client.access import hub
from sampan.client.access.hub import Object
from sampan.client.access.target import Target
from sampan.kube.text import clean_text

MOST_COLUMNS = 120


@click.command()
@target_options(all_namespaces=False)
@output_option("table", "json", "yaml")
@click.argument("name", metavar="JOB")
def explain(target: Target, output: str, name: str) -> None:
    """Tell why a job waits, where it stands and when it starts; of a bound one, the verdicts of that moment.

    For each refused pool all requirements that it fails are told, with what is needed and present and the smallest change that helps.
    """
    hub_in_use = hub.connect(target)
    answer = hub_in_use.api.explanation(hub_in_use.default_namespace, name)
    if output != "table":
        print_data(answer, output)
        return
    say(answer, now=datetime.now(UTC))


def say(answer: Object, *, now: datetime) -> None:
    """Print an Explanation."""
    meta, status = answer["metadata"], answer["status"]
    reason = f" ({status['reason']})" if status.get("reason") else ""
    job = f"{meta['namespace']}/{meta['name']}, {status['phase']}{reason}"
    click.echo(f"Job:        {clean_text(job)}")
    click.echo(_wrapped("In short:   ", clean_text(status["message"], 1024)))
    say_place(status.get("place"))
    say_start(status, now=now)
    for each in status.get("member") or ():
        click.echo(f"Member:     {each['pods']} pods wait: {clean_text(each['reason'])}: {clean_text(each['message'])}")
    if not status.get("pools") and status["phase"] != "Pending":
        click.echo("\nNo pools were judged: it takes no place now. `sampan quote -f FILE` tells what it would get.")
        return
    click.echo()
    if status.get("binding"):
        click.echo(f"When it was bound, at {clean_text(status['observedAt'])}:")
    say_pools(status, currency=clean_text(status["currency"]))


def _wrapped(label: str, text: str) -> str:
    """Text after its label, on lines that a terminal shows whole."""
    width = max(MOST_COLUMNS // 2, min(shutil.get_terminal_size((MOST_COLUMNS, 24)).columns, MOST_COLUMNS))
    return textwrap.fill(label + text, width, subsequent_indent=" " * len(label), break_long_words=False, break_on_hyphens=False)
