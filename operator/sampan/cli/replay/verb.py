"""`sampan replay`: submit a recorded workload to a running federation at its own pace, follow it to the end, report.

What must never live here: the file's form (workload.py), the creating (replay_submit.py) and the arithmetic (replay_report.py).
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from sampan.cli.lib.errors import CliError
from sampan.cli.lib.options import output_option, target_options
from sampan.cli.lib.render import Column, print_data, print_table
from sampan.cli.replay import workload
from sampan.cli.replay.report import Report, Spread, report
from sampan.cli.replay.submit import Progress, Submitter
from sampan.cli.verbs.pools import pool_list
from sampan.client import jobview
from sampan.client.access import hub
from sampan.client.access.target import Target
from sampan.client.access.watch import ObjectWatch

TICK_SECONDS = 0.5
IMAGE = "registry.example/replay:1"


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@target_options(all_namespaces=False)
@output_option("table", "json", "yaml")
@click.option("--jobs", "count", type=click.IntRange(min=1), default=100, show_default=True, help="How many jobs of the file.")
@click.option("--skip", type=click.IntRange(min=0), default=0, show_default=True, help="Leave out so many jobs at the file's start.")
@click.option("--speedup", type=click.FloatRange(min=0, min_open=True), default=1.0, show_default=True, help="Divide all times by this.")
@click.option(
    "--accelerator",
    "accelerators",
    multiple=True,
    metavar="KEY=VALUE",
    help="class=, family= or stack= that will do; may be repeated. Default: every class that an offer has.",
)
@click.option("--run", "run", default=None, help="Name of this replay, part of every job's name; default: the time of day.")
@click.pass_context
def replay(ctx: click.Context, /, *, file: Path, target: Target, output: str, **options: Any) -> None:
    """Submit a recorded workload (CSV: job_id, vc, submit_s, duration_s, gpus) as compute jobs and follow it to its end.

    Jobs of more than 8 devices become gangs of replicas of 8. Each job sleeps its recorded duration divided by --speedup.
    """
    with file.open(encoding="utf-8-sig", newline="") as lines:
        recorded = workload.read(lines, source=str(file), skip=options["skip"], jobs=options["count"])
    hub_in_use = hub.connect(target)
    pools = _pools(hub_in_use)
    recipe = workload.Recipe(
        run=options["run"] or f"{datetime.now(UTC):%H%M%S}",
        speedup=options["speedup"],
        accelerators=_accelerators(options["accelerators"], pools),
        image=IMAGE,
    )
    made = run(hub_in_use, recipe, planned=workload.plan(recorded, recipe), pools=pools)
    if output != "table":
        print_data(made.as_dict(), output)
    else:
        _print(made)
    ctx.exit(0 if set(made.phases) == {"Succeeded"} else 1)


def run(hub_in_use: hub.Hub, recipe: workload.Recipe, *, planned: Sequence[workload.Planned], pools: Sequence[dict[str, Any]]) -> Report:
    """Submit and follow to the end; Ctrl-C says what is left and how to clean up."""
    progress = Progress()
    namespace = hub_in_use.default_namespace
    clean_up = f"kubectl delete computejobs -n {namespace} -l {workload.RUN_LABEL}={recipe.run}"
    click.echo(f"Replay {recipe.run}: {len(planned)} jobs into namespace {namespace}, {planned[-1].at:.0f} s of submissions", err=True)
    submitter = Submitter(hub_in_use.api, namespace, progress=progress)
    with ObjectWatch(hub_in_use.api, hub.JOBS, namespace) as feed:
        try:
            submitter.start(planned)
            _follow(feed, progress, names={job.name for job in planned})
        except KeyboardInterrupt:
            progress.stop.set()
            left = progress.left(len(planned))
            raise CliError(
                f"interrupted; {left} of {len(planned)} jobs have not ended", f"to clean up: {clean_up}", exit_code=130
            ) from None
        finally:
            progress.stop.set()
    click.echo(f"Clean up with: {clean_up}", err=True)
    for name, why in list(progress.refused.items())[:5]:
        click.echo(f"Error: computejob {namespace}/{name}: {why}", err=True)
    sizes = {f"{pool['offer']['namespace']}/{pool['offer']['name']} {pool.get('name')}": int(pool.get("devices") or 0) for pool in pools}
    return report(recipe.run, jobs=progress.jobs, submitted=progress.submitted, pool_sizes=sizes, refused=len(progress.refused))


def _follow(feed: ObjectWatch, progress: Progress, *, names: set[str]) -> None:
    """Read changes until every job has ended, was refused or is gone; a progress line on stderr every few seconds."""
    last = time.monotonic()
    while progress.left(len(names)) > 0:
        change = feed.next(TICK_SECONDS)
        if change is not None and change.object["metadata"]["name"] in names:
            name = change.object["metadata"]["name"]
            progress.jobs[name] = change.object
            if change.kind == "DELETED" and jobview.phase(change.object) not in jobview.ENDED:
                progress.gone.add(name)
        if time.monotonic() - last >= 5.0:
            last = time.monotonic()
            click.echo(progress.line(len(names)), err=True)
    click.echo(progress.line(len(names)), err=True)


def _pools(hub_in_use: hub.Hub) -> list[dict[str, Any]]:
    """The pools of all offers that we may read."""
    return pool_list(hub_in_use.api.list(hub.OFFERS, None)["items"])


def _accelerators(given: Sequence[str], pools: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    """The accelerator requirements: as given, else one per class that an offer has, most devices first."""
    wanted = []
    for text in given:
        key, _, value = text.partition("=")
        if key not in ("class", "family", "stack") or not value:
            raise click.BadParameter(f"{text!r} is not class=, family= or stack= and a name", param_hint="--accelerator")
        wanted.append({key: value})
    if wanted:
        return wanted
    devices: dict[str, int] = {}
    for pool in pools:
        name = pool.get("acceleratorClass")
        if name:
            devices[name] = devices.get(name, 0) + int(pool.get("devices") or 0)
    if not devices:
        raise CliError("no offer has a pool of accelerators", "look at sampan offers -A, or name one with --accelerator")
    return [{"class": name} for name in sorted(devices, key=lambda name: (-devices[name], name))]


def _print(made: Report) -> None:
    """The report as tables."""
    click.echo(f"{made.span_seconds:.1f} s from first submission to last end, {made.jobs_per_second:.2f} jobs/s ended")
    click.echo("  ".join(f"{phase} {count}" for phase, count in made.phases.items()))
    figures = [_figure("wait until bound", made.wait), _figure("completion", made.completion)]
    print_table(_columns("SECONDS", "JOBS", "MEAN", "P50", "P95"), [row for row in figures if row])
    if made.pools:
        print_table(_columns("POOL", "JOBS", "DEVICE-SECONDS", "DEVICES", "USE"), [_pool_row(pool) for pool in made.pools])


def _columns(first: str, *numbers: str) -> list[Column]:
    """A column of words, then columns of numbers."""
    return [Column(first), *(Column(heading, right=True) for heading in numbers)]


def _figure(title: str, figures: Spread | None) -> list[str]:
    """One row of seconds; empty where there is nothing to show."""
    return [title, str(figures.count), f"{figures.mean:.2f}", f"{figures.p50:.2f}", f"{figures.p95:.2f}"] if figures else []


def _pool_row(pool: Any) -> list[str]:
    """One row of use."""
    use = f"{100 * pool.use:.1f} %" if pool.use is not None else "-"
    return [pool.pool, str(pool.jobs), f"{pool.device_seconds:.0f}", str(pool.devices or "-"), use]
