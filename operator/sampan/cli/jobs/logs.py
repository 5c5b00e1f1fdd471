"""`sampan logs`: what a job prints, wherever it runs; followed, from one attempt to the next and across broken connections."""

import re
import sys
from typing import Final

import click

from sampan.cli.lib.options import target_options
from sampan.client.access import hub
from sampan.client.access.target import Target
from sampan.client.client import Client
from sampan.client.log_stream import LogOptions

_SPAN: Final = re.compile(r"(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,8})s?)?")


class Span(click.ParamType):  # type: ignore[type-arg]  # generic for mypy, not when it runs
    """Seconds, or a span such as 90s, 5m, 1h30m; the verb gets whole seconds."""

    name = "span"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """See click."""
        found = _SPAN.fullmatch(str(value))
        hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
        total = hours * 3600 + minutes * 60 + seconds
        if not 1 <= total < 2**31:
            self.fail(f"{value!r} is no span: give one such as 90s, 5m or 1h30m", param, ctx)
        return total


@click.command()
@target_options(all_namespaces=False)
@click.option("-f", "--follow", is_flag=True, help="Go on until the job ends; wait for its start.")
@click.option("--rank", type=click.IntRange(min=0), help="Of which replica; default: 0.")
@click.option("--all-ranks", is_flag=True, help="Of all replicas, each line with its rank before it.")
@click.option("-p", "--previous", is_flag=True, help="Of the attempt before, or of a sweep's pod before.")
@click.option("--since", type=Span(), metavar="SPAN", help="Only what is not older, such as 5m.")
@click.option("--tail", type=click.IntRange(min=0), metavar="LINES", help="Only the last lines.")
@click.option("--timestamps", is_flag=True, help="With the time of each line.")
@click.argument("name", metavar="JOB")
def logs(
    *,
    target: Target,
    name: str,
    follow: bool,
    rank: int | None,
    all_ranks: bool,
    previous: bool,
    since: int | None,
    tail: int | None,
    timestamps: bool,
) -> None:
    """Print what a job's containers print, through the hub; no access to the member is needed."""
    if rank is not None and all_ranks:
        raise click.UsageError("--rank and --all-ranks exclude each other")
    if follow and previous:
        raise click.UsageError("-f and --previous exclude each other: what was before does not go on")
    options: LogOptions = {"follow": follow, "previous": previous, "timestamps": timestamps}
    if all_ranks:
        options["all_ranks"] = True
    else:
        options["rank"] = rank or 0
    if since is not None:
        options["since"] = since
    if tail is not None:
        options["tail"] = tail
    show(Client.of(hub.connect(target)), name, options)


def show(client: Client, name: str, options: LogOptions) -> None:
    """Write the output to stdout as it is; an interrupted one ends with exit code 130."""
    out = sys.stdout.buffer
    try:
        for chunk in client.log_bytes(name, **options):
            out.write(chunk)
            out.flush()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
