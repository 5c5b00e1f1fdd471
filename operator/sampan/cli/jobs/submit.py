"""`sampan submit`: create compute jobs and, with --wait, tell each phase change until all have ended; with --logs, what they print.

Exit codes: 0 all succeeded, 1 one failed, 2 one was rejected, 4 the time ran out. Rejected outranks failed, failed outranks late.
"""

import contextlib
import sys
from datetime import UTC, datetime
from typing import Any, NamedTuple

import click

from sampan.cli.jobs.cancel import delete
from sampan.cli.lib.errors import CliError
from sampan.cli.lib.interruption import held, interruptible
from sampan.cli.lib.options import target_options
from sampan.client import jobview
from sampan.client.access import hub
from sampan.client.access.target import Target
from sampan.client.client import Client
from sampan.client.job import Job
from sampan.client.log_threads import LogThreads
from sampan.client.manifests import read_all, renamed
from sampan.client.waiting import FAILED, REJECTED, SUCCEEDED, TIMED_OUT, Follower
from sampan.kube.text import clean_text

INTERRUPTED = 130
MEANING = {
    SUCCEEDED: "every job succeeded",
    FAILED: "a job failed or was deleted",
    REJECTED: "a job was rejected, or no pool would ever take it",
    TIMED_OUT: "not all jobs ended in time",
}


class Following(NamedTuple):
    """How jobs are followed: seconds at most, whether phases go to stderr, and whether an interruption cancels what has not ended."""

    timeout: float | None = None
    err: bool = False
    cancels: bool = False


@click.command()
@target_options(all_namespaces=False)
@click.option(
    "-f", "--filename", "sources", multiple=True, required=True, help="File or folder with ComputeJobs, or - for stdin; may be repeated."
)
@click.option("--name", metavar="NAME", help="Name of the job in place of its manifest's; for one job.")
@click.option("--wait", is_flag=True, help="Follow the jobs to their end; the exit code tells how they ended.")
@click.option("--logs", is_flag=True, help="With --wait: print what the jobs print; all else goes to stderr.")
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="With --wait: give up after so long (exit 4)."
)
@click.option("--cancel-on-interrupt", "cancels", is_flag=True, help="With --wait: cancel the jobs on Ctrl-C or SIGTERM, without asking.")
@click.pass_context
def submit(
    ctx: click.Context,
    /,
    *,
    target: Target,
    sources: tuple[str, ...],
    name: str | None,
    wait: bool,
    logs: bool,
    timeout: float | None,
    cancels: bool,
) -> None:
    """Create compute jobs.

    With --wait each phase change is printed with time, place and reason; exit code 0 succeeded, 1 failed, 2 rejected, 4 timed out.
    Interrupted, it asks whether the jobs are to be cancelled; without a terminal they go on, but for --cancel-on-interrupt.
    """
    if (timeout is not None or logs or cancels) and not wait:
        raise click.UsageError("--timeout, --logs and --cancel-on-interrupt need --wait")
    manifests = read_all(sources)
    if name is not None and len(manifests) > 1:
        raise click.UsageError(f"--name is for one job: there are {len(manifests)}")
    if name is not None:
        manifests = [renamed(manifests[0], name)]
    how = Following(timeout=timeout, err=logs, cancels=cancels)
    with interruptible():
        code = _submit(Client.of(hub.connect(target)), manifests, how, follows=wait)
    if code is not None:
        click.echo(f"exit code {code}: {MEANING[code]}", err=True)
        ctx.exit(code)


def _submit(client: Client, manifests: list[dict[str, Any]], how: Following, *, follows: bool) -> int | None:
    """Create the jobs, and follow them if asked; an interruption is about those that are there by then and have not ended."""
    made: list[Job] = []
    follower: Follower | None = None
    try:
        for manifest in manifests:
            with held():
                made.append(client.submit(manifest))
            click.echo(f"computejob.{hub.GROUP}/{made[-1].name} created", err=how.err)
        if not follows:
            return None
        reading = _reading(made) if how.err else None
        follower = client.follow(made, timeout=how.timeout)
        _tell(follower, how)
    except KeyboardInterrupt:
        going = {job["metadata"]["uid"] for job in follower.left} if follower else {job.uid for job in made}
        raise _interrupted([job for job in made if job.uid in going], cancels=how.cancels) from None
    if reading is not None and follower.exit_code != TIMED_OUT:
        reading.join(but={job["metadata"]["uid"] for job in follower.in_vain})
    return follower.exit_code


def _reading(made: list[Job]) -> LogThreads:
    """What the jobs print goes to stdout: of several replicas with their rank, of several jobs with their name."""
    reading = LogThreads(sys.stdout.buffer, lambda told: click.echo(told, err=True), named=len(made) > 1)
    for job in made:
        reading.follow(job)
    return reading


def _tell(follower: Follower, how: Following) -> None:
    """Print every phase change of the jobs until all have ended or the time is up."""
    for step in follower:
        words = "  ".join(clean_text(word) for word in (jobview.key(step.job), *step[1:]) if word)
        click.echo(f"{datetime.now(UTC):%H:%M:%S}  {words}", err=how.err)
    if follower.left:
        left_over = ", ".join(sorted(map(jobview.key, follower.left)))
        click.echo(f"Error: not ended within {how.timeout:g} s: {left_over}; they go on, follow them with sampan jobs --watch", err=True)
    for key in map(jobview.key, follower.in_vain):
        click.echo(f"{key} is still there: edit it, have it offered more, or end it with sampan cancel", err=True)


def at_a_terminal() -> bool:
    """Tell whether somebody is there who can be asked."""
    return sys.stdin.isatty()


def _interrupted(left: list[Job], *, cancels: bool) -> CliError:
    """What is said after an interruption: where somebody is there, they are asked whether the jobs are to be cancelled."""
    there = ", ".join(sorted(jobview.key(job.object) for job in left))
    if left and (cancels or (at_a_terminal() and click.confirm(f"\nCancel {there}?", default=False, err=True))):
        with contextlib.suppress(KeyboardInterrupt), held():  # one more signal changes nothing
            delete(left)
        return CliError(f"interrupted; cancelled: {there}", "", exit_code=INTERRUPTED)
    how = "follow them with sampan jobs --watch, end them with sampan cancel"
    return CliError(f"interrupted; still there: {there}", how, exit_code=INTERRUPTED)
