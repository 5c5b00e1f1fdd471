"""The `sampan` command: its list of verbs, each loaded only when it is called, and the one place where errors become one line on stderr.

What must never live here: a verb's work, and any import that `sampan --help` does not need (it has to start in under 300 ms).
"""

import contextlib
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import click

from sampan import __version__


def _offers() -> click.Command:
    from sampan.cli.verbs.offers import offers

    return offers


def _pools() -> click.Command:
    from sampan.cli.verbs.pools import pools

    return pools


def _jobs() -> click.Command:
    from sampan.cli.jobs.listing import jobs

    return jobs


def _submit() -> click.Command:
    from sampan.cli.jobs.submit import submit

    return submit


def _cancel() -> click.Command:
    from sampan.cli.jobs.cancel import cancel

    return cancel


def _logs() -> click.Command:
    from sampan.cli.jobs.logs import logs

    return logs


def _exec() -> click.Command:
    from sampan.cli.jobs.shell import exec_

    return exec_


def _attach() -> click.Command:
    from sampan.cli.jobs.shell import attach

    return attach


def _port_forward() -> click.Command:
    from sampan.cli.jobs.port_forward import port_forward

    return port_forward


def _explain() -> click.Command:
    from sampan.cli.verbs.explain import explain

    return explain


def _quote() -> click.Command:
    from sampan.cli.verbs.quote import quote

    return quote


def _what_if() -> click.Command:
    from sampan.cli.verbs.what_if import what_if

    return what_if


def _operator() -> click.Command:
    from sampan.cli.verbs.run_operator import operator

    return operator


def _local() -> click.Command:
    from sampan.cli.verbs.local import local

    return local


def _replay() -> click.Command:
    from sampan.cli.replay.verb import replay

    return replay


def _simulate() -> click.Command:
    from sampan.cli.verbs.simulate import simulate

    return simulate


def _demo() -> click.Command:
    from sampan.cli.demo.verb import demo

    return demo


def _uninstall() -> click.Command:
    from sampan.cli.uninstall.verb import uninstall

    return uninstall


def _join() -> click.Command:
    from sampan.cli.join.verb import join

    return join


def _publish() -> click.Command:
    from sampan.cli.verbs.publish import publish

    return publish


def _inspect() -> click.Command:
    from sampan.cli.verbs.inspect_cluster import inspect

    return inspect


def _catalog() -> click.Command:
    from sampan.cli.verbs.catalog import catalog

    return catalog


class Verb(NamedTuple):
    """One subcommand: its name, its line in `--help` (kept here so that help imports nothing), and how to load it."""

    name: str
    summary: str
    load: Callable[[], click.Command]


VERBS = (
    Verb("offers", "Offers of providers: terms, region, conditions, free devices.", _offers),
    Verb("pools", "Node pools of the offers: class, devices, largest gang.", _pools),
    Verb("catalog", "Accelerator classes: figures, how they are told, launch recipes.", _catalog),
    Verb("jobs", "Compute jobs: phase, place, reason.", _jobs),
    Verb("submit", "Create compute jobs from a file, and wait for them if asked.", _submit),
    Verb("cancel", "End compute jobs, wherever they are.", _cancel),
    Verb("logs", "What a job prints, wherever it runs.", _logs),
    Verb("exec", "Run a command, or a shell, in a running job.", _exec),
    Verb("attach", "What a running job's own process prints from now on.", _attach),
    Verb("port-forward", "Connections to this machine lead to ports of a running job.", _port_forward),
    Verb("explain", "Why a job waits, and when it starts; why it went where it is.", _explain),
    Verb("quote", "What a job would get and cost, before it is submitted.", _quote),
    Verb("what-if", "The same with more nodes in a pool, or without an offer.", _what_if),
    Verb("inspect", "What Sampan would see of a cluster, from its objects in a file.", _inspect),
    Verb("replay", "Submit a recorded workload and report waits and use.", _replay),
    Verb("simulate", "Play a public trace through the scheduler in simulated time.", _simulate),
    Verb("local", "A federation on this machine: up, down, status, kubeconfig.", _local),
    Verb("demo", "Local federation, twenty example jobs, a checked result.", _demo),
    Verb("operator", "Run the operator.", _operator),
    Verb("join", "Join a cluster to a hub as a member, and offer it there.", _join),
    Verb("publish", "Publish a member's capacity to its hub, from inside it.", _publish),
    Verb("uninstall", "Drain a hub and release what Sampan holds on it.", _uninstall),
)


class VerbGroup(click.Group):
    """A group that knows its verbs by name and summary and imports one only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs in the order a newcomer needs them."""
        return [verb.name for verb in VERBS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The loaded verb, or None where there is no such verb."""
        for verb in VERBS:
            if verb.name == cmd_name:
                return verb.load()
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The help table, from the summaries alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(verb.name, verb.summary) for verb in VERBS])

    def invoke(self, ctx: click.Context) -> object:
        """Run the verb; expected trouble of the world becomes one line that says what is wrong and what to do next."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            from sampan.cli.lib.errors import to_cli_error

            trouble = to_cli_error(error)
            if trouble is None:
                raise
            raise trouble from error


@click.group(cls=VerbGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sampan")
def cli() -> None:
    """Ferry AI jobs to the member cluster that serves them best.

    Also runs as `kubectl sampan`. Verbs that talk to a hub take kubectl's --kubeconfig, --context and -n;
    `sampan VERB --help` lists the options of each.
    """


def main() -> None:
    """Run the command that was typed, as `sampan` or as `kubectl sampan`; ends with SystemExit."""
    as_plugin = Path(sys.argv[0]).name.startswith("kubectl-sampan")
    cli(prog_name="kubectl sampan" if as_plugin else "sampan")


def run() -> None:
    """Entry point of the console scripts `sampan` and `kubectl-sampan`: the process ends with the command.

    A watch may still read on a daemon thread. One that is inside compiled code when the interpreter goes down takes the process
    with it (SIGABRT), and the exit code that a script waits for is lost: so the process leaves without that.
    """
    try:
        main()
    except SystemExit as end:
        if threading.active_count() == 1 or not isinstance(end.code, int | None):
            raise
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(BrokenPipeError):
                stream.flush()
        os._exit(end.code or 0)
