"""`sampan simulate`: a public trace through the scheduler under simulated time, beside the published figures. Needs no cluster."""

from pathlib import Path

import click

from sampan.cli.lib.render import Column, print_data, print_table

PHILLY = (Column("RUN"), Column("JOBS", right=True), Column("MEAN COMPLETION", right=True), Column("MEAN WAIT", right=True))

OPENB = (Column("SEED"), Column("PODS", right=True), Column("PLACED", right=True), Column("DEVICES ALLOCATED", right=True))


@click.group()
def simulate() -> None:
    """Play a recorded workload through the scheduler under simulated time."""


@simulate.command("philly")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-o", "--output", type=click.Choice(["table", "json", "yaml"]), default="table", help="How to print. Default table.")
def philly_command(folder: Path, output: str) -> None:
    """FOLDER holds jobs.csv (job_id, vc, submit_s, duration_s, gpus) and nodes.csv (vc, nodes) of four virtual clusters.

    Isolated: each virtual cluster alone; borrowing: one hub over all of them. Declared: every job's limit is its true run time.
    """
    from sampan.sim.philly import PUBLISHED_FIFO, compare
    from sampan.sim.traces import TraceError, philly_jobs, philly_sizes

    try:
        jobs, sizes = philly_jobs(folder), philly_sizes(folder)
    except TraceError as error:
        raise click.ClickException(str(error)) from error
    rows = [("published FIFO, isolated", len(jobs), *PUBLISHED_FIFO)]
    rows += [(run.name, run.outcome.jobs, run.outcome.mean_completion, run.outcome.mean_waiting) for run in compare(jobs, sizes)]
    if output == "table":
        print_table(PHILLY, [(name, str(count), f"{completion} s", f"{wait} s") for name, count, completion, wait in rows])
    else:
        keys = ("run", "jobs", "meanCompletionSeconds", "meanWaitSeconds")
        print_data([dict(zip(keys, row, strict=True)) for row in rows], output)


@simulate.command("openb")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--seed", "seeds", type=int, multiple=True, help="Seed of one run; may be repeated. Default 42 to 51, the published ones.")
@click.option("-o", "--output", type=click.Choice(["table", "json", "yaml"]), default="table", help="How to print. Default table.")
def openb_command(folder: Path, seeds: tuple[int, ...], output: str) -> None:
    """FOLDER holds pods.csv and nodes.csv of the openb trace; its nodes with devices are filled until 130 % of them are asked for.

    A run takes about two minutes.
    """
    from sampan.sim.openb import PUBLISHED, SEEDS, pack
    from sampan.sim.traces import TraceError, openb_nodes, openb_pods

    try:
        nodes, pods = openb_nodes(folder), openb_pods(folder)
    except TraceError as error:
        raise click.ClickException(str(error)) from error
    runs = [(seed, pack(nodes, pods, seed=seed)) for seed in seeds or SEEDS]
    mean = round(sum(packed.share for _, packed in runs) / len(runs))
    if output == "table":
        rows = [(f"published {name}, mean of ten", "", "", _percent(share)) for name, share in PUBLISHED]
        rows += [(str(seed), str(packed.pods), str(packed.placed), _percent(packed.share)) for seed, packed in runs]
        print_table(OPENB, [*rows, ("mean", "", "", _percent(mean))])
    else:
        found = [{"seed": seed, "pods": packed.pods, "placed": packed.placed, "allocated": _percent(packed.share)} for seed, packed in runs]
        print_data([*found, {"mean": _percent(mean)}], output)


def _percent(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02d} %"
