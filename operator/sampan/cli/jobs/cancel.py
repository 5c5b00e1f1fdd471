"""`sampan cancel`: end compute jobs, wherever they are. What ran is removed from its member, and what it printed is forgotten."""

from collections.abc import Sequence

import click

from sampan.cli.jobs.listing import named
from sampan.cli.lib.options import target_options
from sampan.client.access import hub
from sampan.client.access.target import Target
from sampan.client.client import Client
from sampan.client.errors import ClientError
from sampan.client.job import Job


@click.command()
@target_options(all_namespaces=False)
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait until nothing is left of them.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="Wait no longer than so (exit 4).")
@click.option(
    "--unfinished", is_flag=True, help="Only those that have not ended: pass over what has, and names that are not there. For pipelines."
)
@click.argument("names", nargs=-1, required=True, metavar="JOB...")
def cancel(*, target: Target, wait: bool, timeout: float | None, unfinished: bool, names: tuple[str, ...]) -> None:
    """Delete compute jobs: those that run are stopped on their members.

    To keep a job and only stop it, set spec.suspend: kubectl patch cpj JOB --type=merge -p '{"spec":{"suspend":true}}'.
    """
    if timeout is not None and not wait:
        raise click.UsageError("--timeout needs --wait")
    hub_in_use = hub.connect(target)
    client = Client.of(hub_in_use)
    items = hub_in_use.items(hub.JOBS)
    found = [item for item in items if item["metadata"]["name"] in names] if unfinished else named(items, names)
    going = [job for job in (Job(client, item) for item in found) if not unfinished or job.ending is None]
    delete(going)
    if wait and going:
        client.until_gone(going, timeout=timeout)


def delete(jobs: Sequence[Job]) -> None:
    """Ask for the deletion of each and say so; a refusal of one does not save the others, and is raised in the end."""
    failed: ClientError | None = None
    for job in jobs:
        try:
            job.cancel(wait=False)
        except ClientError as error:
            failed = failed or error
        else:
            click.echo(f"computejob.{hub.GROUP}/{job.name} cancelled", err=True)
    if failed is not None:
        raise failed
