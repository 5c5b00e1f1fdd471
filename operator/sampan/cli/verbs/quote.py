"""`sampan quote`: what a job would get, pay and wait for if it were submitted now. Nothing is created."""

from datetime import UTC, datetime

import click

from sampan.cli.lib.errors import CliError
from sampan.cli.lib.options import output_option, target_options
from sampan.cli.lib.render import print_data
from sampan.cli.lib.verdicts import say_pools, say_start
from sampan.client import manifests
from sampan.client.access import hub
from sampan.client.access.hub import Object
from sampan.client.access.target import Target
from sampan.kube.text import clean_text


@click.command()
@target_options(all_namespaces=False)
@output_option("table", "json", "yaml")
@click.option("-f", "--filename", required=True, metavar="FILE", help="File with one ComputeJob, or - for stdin; other kinds are left out.")
def quote(target: Target, output: str, filename: str) -> None:
    """Tell what a job would get if it were submitted now: pools, scores, prices, when it would start. Nothing is created."""
    hub_in_use = hub.connect(target)
    answer = ask(hub_in_use, one_job(filename))
    if output != "table":
        print_data(answer, output)
        return
    now, status = datetime.now(UTC), answer["status"]
    say_head(answer)
    say_start(status["now"], now=now)
    click.echo()
    say_pools(status["now"], currency=clean_text(status["currency"]))


def one_job(filename: str) -> Object:
    """The ComputeJob of a file, whatever else is in it; raises `Trouble` where there is not just one."""
    found = manifests.parse(manifests.read(filename), source=filename, pass_over=True)
    if len(found) != 1:
        raise CliError(f"{filename}: {len(found)} ComputeJobs", "give one at a time", exit_code=2)
    return found[0]


def ask(hub_in_use: hub.Hub, job: Object, what_if: Object | None = None) -> Object:
    """The Quote of a job, in its own namespace."""
    namespace = job["metadata"].get("namespace") or hub_in_use.default_namespace
    spec = {"job": job, **({} if what_if is None else {"whatIf": what_if})}
    return hub_in_use.api.quote(namespace, {"apiVersion": f"{hub.QUERY_GROUP}/{hub.VERSION}", "kind": "Quote", "spec": spec})


def say_head(answer: Object) -> None:
    """Print which job is meant, and whether its queue would let it in."""
    meta, status = answer["metadata"], answer["status"]
    job = f"{meta['namespace']}/{meta['name']}, not submitted"
    click.echo(f"Job:        {clean_text(job)}")
    barred = f", which would not let it compete: {status['barred']}" if status.get("barred") else ""
    queue = f"{status['queue']}{barred}"
    click.echo(f"Queue:      {clean_text(queue)}")
