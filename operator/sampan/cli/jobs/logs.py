"""`sampan logs`: what a job prints, wherever it runs; followed, from one attempt to the next and across broken connections."""

import re
import sys
from functools import partial
from typing import Final

import click

from sampan.cli.access import hub
from sampan.cli.jobs.log_stream import LogStream, is_passing
from sampan.cli.lib.options import Target, target_options

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
    asked = {
        "rank": "all" if all_ranks else str(rank or 0),
        "follow": "true" if follow else "",
        "previous": "true" if previous else "",
        "timestamps": "true" if timestamps else "",
        "sinceSeconds": "" if since is None else str(since),
        "tailLines": "" if tail is None else str(tail),
    }
    show(hub.connect(target), name, {key: value for key, value in asked.items() if value})


def show(hub_in_use: hub.Hub, name: str, params: dict[str, str]) -> None:
    """Write the output to stdout as it is; an interrupted one ends with exit code 130."""
    asking = partial(hub_in_use.api.log, hub_in_use.default_namespace, name)
    stream = LogStream(asking, params, broken=is_passing)
    out = sys.stdout.buffer
    try:
        for chunk in stream.chunks():
            out.write(chunk)
            out.flush()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
