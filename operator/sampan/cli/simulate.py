"""`sampan simulate`: a public trace through the scheduler under simulated time, beside the published figures. Needs no cluster."""

from pathlib import Path

import click

from sampan.cli.render import Column, print_data, print_table

PHILLY = (Column("RUN"), Column("JOBS", right=True), Column("MEAN COMPLETION", right=True), Column("MEAN WAIT", right=True))


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
