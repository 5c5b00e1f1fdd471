"""`sampan exec` and `sampan attach`: into a running job's container, wherever it is."""

import sys
from contextlib import ExitStack

import click

from sampan.cli.jobs import terminal
from sampan.cli.jobs.remote_command import RemoteCommand
from sampan.cli.lib.options import target_options
from sampan.client.access import hub
from sampan.client.access.sockets import Pairs, StreamRequest
from sampan.client.access.target import Target

RANK = click.option("--rank", type=click.IntRange(min=0), default=0, help="In which replica; default: 0.")


@click.command(name="exec")
@target_options(all_namespaces=False)
@RANK
@click.option("-i", "--stdin", is_flag=True, help="Pass this command's input on.")
@click.option("-t", "--tty", is_flag=True, help="Give the command a terminal; with -i, for shells.")
@click.argument("name", metavar="JOB")
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="-- COMMAND...")
def exec_(*, target: Target, name: str, rank: int, stdin: bool, tty: bool, command: tuple[str, ...]) -> None:
    """Run a command in the container of a running job; its exit code is this one's.

    A shell: sampan exec -it JOB -- sh. A file into the job: sampan exec -i JOB -- sh -c 'cat > /tmp/x' < x.
    """
    if not command:
        raise click.UsageError("what is to be run? Give it after two dashes: sampan exec JOB -- COMMAND")
    if tty and not (stdin and terminal.is_terminal(0)):
        click.echo("no terminal to pass on: going on without -t", err=True)
        tty = False
    asked = [("stdin", "true")] * stdin + [("stdout", "true")] + [("tty", "true") if tty else ("stderr", "true")]
    params = [("rank", str(rank)), *asked, *(("command", word) for word in command)]
    _carry(hub.connect(target), name, "exec", params=params)


@click.command()
@target_options(all_namespaces=False)
@RANK
@click.argument("name", metavar="JOB")
def attach(*, target: Target, name: str, rank: int) -> None:
    """Show what a running job's own process prints from now on; its exit code is not told. `sampan logs -f` shows what was before too."""
    params = [("rank", str(rank)), ("stdout", "true"), ("stderr", "true")]
    _carry(hub.connect(target), name, "attach", params=params)


def _carry(hub_in_use: hub.Hub, name: str, kind: str, *, params: Pairs) -> None:
    """Carry a stream to its end and leave with its exit code; an interrupted one with 130."""
    stdin, tty = ("stdin", "true") in params, ("tty", "true") in params
    with ExitStack() as stack:
        socket = stack.enter_context(hub_in_use.api.stream(StreamRequest(hub_in_use.default_namespace, name, kind, params)))
        remote = RemoteCommand(socket, sys.stdout.buffer, sys.stderr.buffer)
        if tty:
            stack.enter_context(terminal.resized(remote.follow_size(lambda: terminal.size(0))))
            stack.enter_context(terminal.raw(0))
        if stdin:
            remote.feed(0, ends=not tty)
        try:
            code = remote.run()
        except KeyboardInterrupt:
            code = 130
    if code:
        raise SystemExit(code)
