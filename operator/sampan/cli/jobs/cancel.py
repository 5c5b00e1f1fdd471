"""`sampan cancel`: end compute jobs, wherever they are. What ran is removed from its member, and what it printed is forgotten."""

import time
from collections.abc import Sequence

import click

from sampan.cli.access import hub
from sampan.cli.access.watch import ObjectWatch
from sampan.cli.jobs.listing import named
from sampan.cli.lib.errors import CliError
from sampan.cli.lib.options import Target, target_options

TICK_SECONDS = 0.5
TIMED_OUT = 4


@click.command()
@target_options(all_namespaces=False)
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait until nothing is left of them.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="Wait no longer than so (exit 4).")
@click.argument("names", nargs=-1, required=True, metavar="JOB...")
def cancel(*, target: Target, wait: bool, timeout: float | None, names: tuple[str, ...]) -> None:
    """Delete compute jobs: those that run are stopped on their members.

    To keep a job and only stop it, set spec.suspend: kubectl patch cpj JOB --type=merge -p '{"spec":{"suspend":true}}'.
    """
    if timeout is not None and not wait:
        raise click.UsageError("--timeout needs --wait")
    hub_in_use = hub.connect(target)
    going = named(hub_in_use.items(hub.JOBS), names)
    delete(hub_in_use.api, going)
    if wait:
        _until_gone(hub_in_use.api, going, timeout=timeout)


def delete(api: hub.HubApi, jobs: Sequence[hub.Object]) -> None:
    """Ask for the deletion of each and say so; one that went meanwhile is as good as deleted."""
    from kubernetes.client.exceptions import ApiException

    failed: ApiException | None = None
    for job in jobs:
        namespace, name = job["metadata"]["namespace"], job["metadata"]["name"]
        try:
            api.delete(hub.JOBS, namespace, name)
        except ApiException as error:
            if error.status != 404:
                failed = failed or error
                continue
        click.echo(f"computejob.{hub.GROUP}/{name} cancelled", err=True)
    if failed is not None:
        raise failed


def _until_gone(api: hub.HubApi, jobs: Sequence[hub.Object], *, timeout: float | None) -> None:
    left = {job["metadata"]["uid"]: job["metadata"]["name"] for job in jobs}
    deadline = None if timeout is None else time.monotonic() + timeout
    with ObjectWatch(api, hub.JOBS, jobs[0]["metadata"]["namespace"], known=jobs) as feed:
        while left and (deadline is None or time.monotonic() < deadline):
            change = feed.next(TICK_SECONDS)
            if change is not None and change.kind == "DELETED":
                left.pop(change.object["metadata"]["uid"], None)
    if left:
        there = ", ".join(sorted(left.values()))
        raise CliError(f"not gone within {timeout:g} s: {there}", "they are being deleted; look with sampan jobs", exit_code=TIMED_OUT)
