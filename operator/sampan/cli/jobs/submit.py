"""`sampan submit`: create compute jobs and, with --wait, tell each phase change until all have ended; with --logs, what they print.

Exit codes: 0 all succeeded, 1 one failed, 2 one was rejected, 4 the time ran out. Rejected outranks failed, failed outranks late.
"""

import contextlib
import signal
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import click

from sampan.cli.jobs.cancel import delete
from sampan.cli.lib.errors import CliError
from sampan.cli.lib.options import target_options
from sampan.client import jobview
from sampan.client.access import hub
from sampan.client.access.target import Target
from sampan.client.client import Client
from sampan.client.job import Job
from sampan.client.log_threads import LogThreads
from sampan.client.manifests import read_all
from sampan.client.waiting import FAILED, REJECTED, SUCCEEDED, TIMED_OUT
from sampan.kube.text import clean_text

INTERRUPTED = 130
MEANING = {
    SUCCEEDED: "every job succeeded",
    FAILED: "a job failed or was deleted",
    REJECTED: "a job was rejected",
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
@click.option("--wait", is_flag=True, help="Follow the jobs to their end; the exit code tells how they ended.")
@click.option("--logs", is_flag=True, help="With --wait: print what the jobs print; all else goes to stderr.")
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="With --wait: give up after so long (exit 4)."
)
@click.option("--cancel-on-interrupt", "cancels", is_flag=True, help="With --wait: cancel the jobs on Ctrl-C or SIGTERM, without asking.")
@click.pass_context
def submit(
    ctx: click.Context, /, *, target: Target, sources: tuple[str, ...], wait: bool, logs: bool, timeout: float | None, cancels: bool
) -> None:
    """Create compute jobs.

    With --wait each phase change is printed with time, place and reason; exit code 0 succeeded, 1 failed, 2 rejected, 4 timed out.
    Interrupted, it asks whether the jobs are to be cancelled; without a terminal they go on, but for --cancel-on-interrupt.
    """
    if (timeout is not None or logs or cancels) and not wait:
        raise click.UsageError("--timeout, --logs and --cancel-on-interrupt need --wait")
    manifests = read_all(sources)
    client = Client.of(hub.connect(target))
    how = Following(timeout=timeout, err=logs, cancels=cancels)
    if not wait:
        _create_all(client, manifests, how)
        return
    with _ended_by_signal():
        made = _create_all(client, manifests, how)
        reading = _reading(made) if logs else None
        code = _follow(client, made, how)
    if reading is not None and code != TIMED_OUT:
        reading.join()
    click.echo(f"exit code {code}: {MEANING[code]}", err=True)
    ctx.exit(code)


def _create_all(client: Client, manifests: list[dict[str, Any]], how: Following) -> list[Job]:
    """Create the jobs, one after the other; an interruption is about those that are there by then."""
    made: list[Job] = []
    try:
        for manifest in manifests:
            made.append(client.submit(manifest))
            click.echo(f"computejob.{hub.GROUP}/{made[-1].name} created", err=how.err)
    except KeyboardInterrupt:
        raise _interrupted(made, cancels=how.cancels) from None
    return made


def _reading(made: list[Job]) -> LogThreads:
    """What the jobs print goes to stdout: of several replicas with their rank, of several jobs with their name."""
    reading = LogThreads(sys.stdout.buffer, lambda told: click.echo(told, err=True), named=len(made) > 1)
    for job in made:
        reading.follow(job)
    return reading


def _follow(client: Client, made: list[Job], how: Following) -> int:
    """Print every phase change of these jobs until all have ended or the time is up; return the exit code."""
    follower = client.follow(made, timeout=how.timeout)
    try:
        for step in follower:
            words = "  ".join(clean_text(word) for word in (jobview.key(step.job), *step[1:]) if word)
            click.echo(f"{datetime.now(UTC):%H:%M:%S}  {words}", err=how.err)
    except KeyboardInterrupt:
        left = {job["metadata"]["uid"] for job in follower.left}
        raise _interrupted([job for job in made if job.uid in left], cancels=how.cancels) from None
    if follower.left:
        left_over = ", ".join(sorted(map(jobview.key, follower.left)))
        click.echo(f"Error: not ended within {how.timeout:g} s: {left_over}; they go on, follow them with sampan jobs --watch", err=True)
    return follower.exit_code


def at_a_terminal() -> bool:
    """Tell whether somebody is there who can be asked."""
    return sys.stdin.isatty()


def _interrupted(left: list[Job], *, cancels: bool) -> CliError:
    """What is said after an interruption: where somebody is there, they are asked whether the jobs are to be cancelled."""
    there = ", ".join(sorted(jobview.key(job.object) for job in left))
    if left and (cancels or (at_a_terminal() and click.confirm(f"\nCancel {there}?", default=False, err=True))):
        delete(left)
        return CliError(f"interrupted; cancelled: {there}", "", exit_code=INTERRUPTED)
    how = "follow them with sampan jobs --watch, end them with sampan cancel"
    return CliError(f"interrupted; still there: {there}", how, exit_code=INTERRUPTED)


@contextlib.contextmanager
def _ended_by_signal() -> Iterator[None]:
    """Have SIGTERM, by which CI systems abort a step, do what Ctrl-C does."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
