"""`sampan submit`: create compute jobs and, with --wait, tell each phase change until all have ended; with --logs, what they print.

Exit codes: 0 all succeeded, 1 one failed, 2 one was rejected, 4 the time ran out. Rejected outranks failed, failed outranks late.
"""

import contextlib
import signal
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import click

from sampan.cli.access import hub
from sampan.cli.access.watch import Change, ObjectWatch
from sampan.cli.jobs.cancel import delete
from sampan.cli.jobs.log_threads import LogThreads
from sampan.cli.lib import jobview, manifests
from sampan.cli.lib.errors import CliError, explain_api
from sampan.cli.lib.options import Target, target_options
from sampan.kube.text import clean_text

SUCCEEDED, FAILED, REJECTED, TIMED_OUT, INTERRUPTED = 0, 1, 2, 4, 130
WORST_FIRST = (REJECTED, FAILED, TIMED_OUT, SUCCEEDED)
MEANING = {
    SUCCEEDED: "every job succeeded",
    FAILED: "a job failed or was deleted",
    REJECTED: "a job was rejected",
    TIMED_OUT: "not all jobs ended in time",
}
TICK_SECONDS = 0.5


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
    paths = [path for source in sources for path in manifests.files(source)]
    jobs = [job for path in paths for job in manifests.parse(manifests.read(path), source=path)]
    hub_in_use = hub.connect(target)
    how = Following(timeout=timeout, err=logs, cancels=cancels)
    if not wait:
        _create_all(hub_in_use, jobs, how)
        return
    with _ended_by_signal():
        made = _create_all(hub_in_use, jobs, how)
        reading = _reading(hub_in_use.api, made) if logs else None
        code = follow(hub_in_use.api, made, how)
    if reading is not None and code != TIMED_OUT:
        reading.join()
    click.echo(f"exit code {code}: {MEANING[code]}", err=True)
    ctx.exit(code)


def _create_all(hub_in_use: hub.Hub, jobs: list[dict[str, Any]], how: Following) -> list[hub.Object]:
    """Create the jobs, one after the other; an interruption is about those that are there by then."""
    made: list[hub.Object] = []
    try:
        for job in jobs:
            made.append(_create(hub_in_use, job, err=how.err))
    except KeyboardInterrupt:
        raise _interrupted(hub_in_use.api, made, cancels=how.cancels) from None
    return made


def _reading(api: hub.HubApi, made: list[hub.Object]) -> LogThreads:
    """What the jobs print goes to stdout: of several replicas with their rank, of several jobs with their name."""
    reading = LogThreads(api, sys.stdout.buffer, named=len(made) > 1)
    for job in made:
        several = int(job["spec"].get("completions") or job["spec"].get("replicas") or 1) > 1
        reading.follow(job["metadata"]["namespace"], job["metadata"]["name"], all_ranks=several)
    return reading


def _create(hub_in_use: hub.Hub, manifest: dict[str, Any], *, err: bool) -> hub.Object:
    """Create one job and say so; a server's refusal is `Trouble` with exit code 2."""
    from kubernetes.client.exceptions import ApiException

    namespace = manifest["metadata"].get("namespace") or hub_in_use.default_namespace
    name = manifest["metadata"].get("name") or manifest["metadata"]["generateName"]
    try:
        made = hub_in_use.api.create(hub.JOBS, namespace, manifest)
    except ApiException as error:
        if error.status not in (400, 403, 409, 422):
            raise
        trouble = explain_api(error.status, error.body, reason=error.reason)
        raise CliError(f"computejob {namespace}/{name}: {trouble.message}", "", exit_code=REJECTED) from error
    click.echo(f"computejob.{hub.GROUP}/{made['metadata']['name']} created", err=err)
    return made


def follow(api: hub.HubApi, made: list[hub.Object], how: Following) -> int:
    """Print every phase change of these jobs until all have ended or the time is up; return the exit code."""
    deadline = None if how.timeout is None else time.monotonic() + how.timeout
    namespaces = {job["metadata"].get("namespace") for job in made}
    watch = _Watch(made)
    try:
        with ObjectWatch(api, hub.JOBS, namespaces.pop() if len(namespaces) == 1 else None, known=made) as feed:
            while watch.open and (deadline is None or time.monotonic() < deadline):
                change = feed.next(TICK_SECONDS)
                told = watch.observe(change) if change else None
                if told:
                    click.echo(f"{datetime.now(UTC):%H:%M:%S}  {told}", err=how.err)
    except KeyboardInterrupt:
        raise _interrupted(api, [job for job in made if job["metadata"]["uid"] in watch.open], cancels=how.cancels) from None
    if watch.open:
        left = ", ".join(sorted(watch.open.values()))
        click.echo(f"Error: not ended within {how.timeout:g} s: {left}; they go on, follow them with sampan jobs --watch", err=True)
    return watch.exit_code()


def at_a_terminal() -> bool:
    """Tell whether somebody is there who can be asked."""
    return sys.stdin.isatty()


def _interrupted(api: hub.HubApi, left: list[hub.Object], *, cancels: bool) -> CliError:
    """What is said after an interruption: where somebody is there, they are asked whether the jobs are to be cancelled."""
    there = ", ".join(sorted(map(jobview.key, left)))
    if left and (cancels or (at_a_terminal() and click.confirm(f"\nCancel {there}?", default=False, err=True))):
        delete(api, left)
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


class _Watch:
    """What was last told of each job, and how the ended ones ended."""

    def __init__(self, made: list[hub.Object]) -> None:
        self.open = {job["metadata"]["uid"]: jobview.key(job) for job in made}
        self._told: dict[str, tuple[str, str, str]] = {}
        self._codes: list[int] = []

    def observe(self, change: Change) -> str | None:
        """The line to print for a change; None where it is not ours or nothing that a person wants to know is new."""
        uid = change.object["metadata"]["uid"]
        if uid not in self.open:
            return None
        if change.kind == "DELETED":
            self._end(uid, FAILED)
            return f"{clean_text(jobview.key(change.object))}  deleted"
        job = change.object
        words = (jobview.phase(job), jobview.place(job), jobview.reason(job))
        if jobview.rejected(job):
            self._end(uid, REJECTED)
        elif words[0] in jobview.ENDED:
            self._end(uid, SUCCEEDED if words[0] == "Succeeded" else FAILED)
        if self._told.get(uid) == words:
            return None
        self._told[uid] = words
        return "  ".join(clean_text(word) for word in (jobview.key(job), *words) if word)

    def exit_code(self) -> int:
        """The gravest of the codes; late jobs count as timed out."""
        codes = {*self._codes, *([TIMED_OUT] if self.open else [])}
        return next(code for code in WORST_FIRST if code in codes or code == SUCCEEDED)

    def _end(self, uid: str, code: int) -> None:
        """One job has ended with this code."""
        self._codes.append(code)
        del self.open[uid]
