"""`sampan uninstall`: drain a hub, or abandon what it has on members, and take the finalizers off, so that `helm uninstall` leaves
nothing behind that cannot be deleted.

The order matters. No new binding (offers closed) → nothing bound (jobs suspended, the operator removes their copies) → operator stopped
→ policies removed, for they let nobody but the operator take a finalizer off and put it back on whatever is changed → finalizers off.
What must never live here: calls (teardown.py), and deletes of anybody's job: suspended jobs go on after the next installation.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import click

from sampan.cli.lib.errors import CliError
from sampan.cli.lib.options import target_options
from sampan.cli.uninstall.bound_jobs import Object, copies, has_finalizer, is_bound, is_busy
from sampan.cli.uninstall.teardown import JOBS, OFFERS, Teardown
from sampan.client.access.target import Target

DEFAULT_NAMESPACE = "sampan-system"
SHOWN = 20
"""Lines of a list that are printed before `… and N more`; what stays on members is always printed in full."""
POLL = 1.0
"""Seconds between two looks at the hub."""


@click.command(name="uninstall")
@target_options(all_namespaces=False, default="where the operator is")
@click.option("--check", is_flag=True, help="Change nothing: exit 1 while a job is bound, 0 otherwise.")
@click.option("--abandon-remote", is_flag=True, help="Do not wait for members: list what stays there, and let go.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--timeout", type=click.IntRange(min=1), default=600, show_default=True, help="Seconds to wait for the drain.")
@click.option("--release", default="sampan", show_default=True, metavar="NAME", help="Name of the helm release, for the last hint.")
def uninstall(*, target: Target, check: bool, abandon_remote: bool, yes: bool, timeout: int, release: str) -> None:
    """Drain the hub and take its finalizers off; then `helm uninstall` removes the rest.

    Needs an administrator's kubeconfig; -n is the namespace of the installation.
    Bound jobs are suspended, never deleted: after a new installation they go on. Kinds and objects stay.
    """
    from sampan.client.access.connection import client_for

    if check and abandon_remote:
        raise click.UsageError("--check and --abandon-remote exclude each other")
    client, _ = client_for(target)
    hub = Teardown(client)
    if check:
        _check(hub)
        return
    namespace = target.namespace or _installed_in(hub)
    _confirm(hub, abandon_remote=abandon_remote, yes=yes)
    closed = hub.close_offers()
    click.echo(f"closed {len(closed)} offers (accepting: false)")
    if not abandon_remote:
        _drain(hub, timeout=timeout)
    _stop_operator(hub, namespace, timeout=timeout)
    left = copies(hub.objects(JOBS), datetime.now(UTC))
    for policy in hub.remove_policies():
        click.echo(f"removed {policy}")
    _release(hub, timeout=timeout)
    click.echo(f"what stays on members: {len(left) or 'nothing'}")
    for copy in left:
        click.echo(f"  {copy.line()}")
    click.echo(f"now run: helm uninstall {release} -n {namespace}    (kinds and objects stay; a new installation finds them)")


def _installed_in(hub: Teardown) -> str:
    """Where the operator is; where it runs elsewhere, the namespace that people are told to install into."""
    found = hub.installations()
    if len(found) > 1:
        raise CliError(f"operators are in the namespaces {', '.join(found)}", "name that of the installation with -n")
    return found[0] if found else DEFAULT_NAMESPACE


def _check(hub: Teardown) -> None:
    """The pre-delete hook of the chart: refuse while a job is bound."""
    jobs = list(hub.objects(JOBS))
    bound = [copy.line() for copy in copies([job for job in jobs if is_bound(job)], datetime.now(UTC))]
    if bound:
        _list(bound)
        raise CliError(f"{len(bound)} jobs are bound to members", "run `sampan uninstall` first: it drains the hub")
    held = sum(has_finalizer(item) for item in [*jobs, *hub.objects(OFFERS)])
    if held:
        click.echo(f"{held} objects keep the finalizer and cannot be deleted without an operator; `sampan uninstall` takes it off")
    click.echo("no job is bound")


def _confirm(hub: Teardown, *, abandon_remote: bool, yes: bool) -> None:
    """Say what will happen and ask, unless told not to."""
    bound = [copy.line() for copy in copies([job for job in hub.objects(JOBS) if is_bound(job)], datetime.now(UTC))]
    verb = "let go while their copies run on" if abandon_remote else "suspended and their copies removed"
    click.echo(f"{len(bound)} bound jobs will be {verb}")
    _list(bound)
    if not yes:
        click.confirm("Go on?", abort=True)


def _drain(hub: Teardown, *, timeout: int) -> None:
    """Suspend what is bound, again and again until the operator has removed every copy; `Trouble` when time is up."""
    busy: list[Object] = []

    def drained() -> bool:
        jobs = list(hub.objects(JOBS))
        for job in hub.suspend_bound(jobs):
            click.echo(f"suspended {job['metadata']['namespace']}/{job['metadata']['name']}")
        now = datetime.now(UTC)
        before, busy[:] = len(busy), [job for job in jobs if is_busy(job, now)]
        if len(busy) != before and busy:
            click.echo(f"waiting for the copies of {len(busy)} jobs to go")
        return not busy

    if not _until(drained, timeout):
        _list([copy.line() for copy in copies(busy, datetime.now(UTC))])
        raise CliError(
            f"{len(busy)} jobs still have copies on members after {timeout} s",
            "see that the operator runs and reaches the members and run this again, or give --abandon-remote; nothing was released",
        )
    click.echo("drained: no copy is left on any member")


def _stop_operator(hub: Teardown, namespace: str, *, timeout: int) -> None:
    """End the chart's Deployment: an operator that looks on would put finalizers back."""
    if hub.stop_operator(namespace) is None:
        click.echo(f"no Deployment of the operator in {namespace}: if it runs elsewhere, stop it before you go on using this hub")
        return
    if not _until(lambda: hub.stop_operator(namespace) is not False, timeout):
        raise CliError(f"the operator's pods have not ended after {timeout} s", f"look at them: kubectl -n {namespace} get pods")
    click.echo("stopped the operator")


def _release(hub: Teardown, *, timeout: int) -> None:
    """Finalizers off. An API server takes a moment to forget a policy, so look until none is left."""
    most = 0

    def released() -> bool:
        nonlocal most
        held = hub.release()
        most = max(most, held)
        return held == 0

    if not _until(released, timeout):
        raise CliError("finalizers come back", "something still puts them on: stop the operator, then run this again")
    click.echo(f"took the finalizer off {most} objects")


def _until(done: Callable[[], bool], timeout: float) -> bool:
    """Poll until `done` or until so many seconds have passed; it is always asked at least once."""
    deadline = time.monotonic() + timeout
    while not done():
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL)
    return True


def _list(lines: list[str]) -> None:
    """The first lines of a list, and how many more there are."""
    for line in lines[:SHOWN]:
        click.echo(f"  {line}")
    if len(lines) > SHOWN:
        click.echo(f"  … and {len(lines) - SHOWN} more")
