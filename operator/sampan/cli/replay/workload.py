"""A recorded workload (CSV: job_id, vc, submit_s, duration_s, gpus) → planned ComputeJobs. Pure: no clock, no calls, no printing."""

import csv
import itertools
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sampan.cli.lib.errors import CliError
from sampan.client.access.hub import GROUP, VERSION

COLUMNS = ("job_id", "vc", "submit_s", "duration_s", "gpus")
DEVICES_PER_REPLICA = 8
RUN_LABEL = "replay-run"
"""Label of all jobs of one replay: what to select to find or delete them."""
MAX_ALTERNATIVES = 8
SHORTEST_SECONDS = 0.1
"""Nothing sleeps less, whatever the speed-up."""


class Recorded(NamedTuple):
    """One line of the file."""

    job_id: int
    vc: str
    submit_s: int
    duration_s: int
    gpus: int


class Planned(NamedTuple):
    """One job to submit, so many seconds after the start of the replay."""

    at: float
    name: str
    manifest: dict[str, Any]


class Recipe(NamedTuple):
    """How recorded jobs become ComputeJobs: the run's name, the time factor, the accelerators that will do, the image."""

    run: str
    speedup: float
    accelerators: Sequence[dict[str, str]]
    image: str


def read(lines: Iterable[str], *, source: str, skip: int, jobs: int) -> list[Recorded]:
    """So many recorded jobs after the first `skip`; raises `Trouble` that names file, line and column."""
    reader = csv.DictReader(lines, skipinitialspace=True)
    found: list[Recorded] = []
    try:
        missing = [column for column in COLUMNS if column not in (reader.fieldnames or [])]
        if missing:
            raise CliError(f"{source}: column {missing[0]} is missing", f"the first line must be {','.join(COLUMNS)}, separated by commas")
        for line in itertools.islice(reader, skip, skip + jobs):
            found.append(_recorded(line, where=f"{source}, line {reader.line_num}"))
    except UnicodeDecodeError as error:
        raise CliError(f"{source}: not a text file in UTF-8", "save it as CSV in UTF-8") from error
    except csv.Error as error:
        raise CliError(f"{source}, line {reader.line_num + 1}: not CSV: {error}", "give a text file with commas") from error
    if not found:
        raise CliError(f"{source}: no jobs after the first {skip}", "give a smaller --skip")
    return found


def plan(recorded: Sequence[Recorded], recipe: Recipe) -> list[Planned]:
    """The jobs in order of submission, the first of them at once, all times divided by the speed-up."""
    ordered = sorted(recorded, key=lambda job: (job.submit_s, job.job_id))
    start = ordered[0].submit_s
    return [Planned((job.submit_s - start) / recipe.speedup, f"replay-{recipe.run}-{job.job_id}", manifest(job, recipe)) for job in ordered]


def manifest(job: Recorded, recipe: Recipe) -> dict[str, Any]:
    """The ComputeJob: up to 8 devices in one replica, more as a gang of replicas of 8 (rounded up).

    It sleeps its duration divided by the speed-up.
    """
    replicas = max(-(-job.gpus // DEVICES_PER_REPLICA), 1)
    count = job.gpus if replicas == 1 else DEVICES_PER_REPLICA
    seconds = max(job.duration_s / recipe.speedup, SHORTEST_SECONDS)
    spec: dict[str, Any] = {
        "replicas": replicas,
        "template": {
            "image": recipe.image,
            "command": ["sh", "-c", f"sleep {seconds:.2f}"],
            "resources": {"requests": {"cpu": "1", "memory": "1Gi"}},
        },
        "expectedSeconds": max(round(seconds), 1),
        "startDeadlineSeconds": 600,
    }
    if count:
        spec["alternatives"] = [{"accelerator": {**wanted, "count": count}} for wanted in recipe.accelerators[:MAX_ALTERNATIVES]]
        spec["alternativeOrder"] = "ByScore"
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "ComputeJob",
        "metadata": {"name": f"replay-{recipe.run}-{job.job_id}", "labels": {RUN_LABEL: recipe.run, "replay-vc": job.vc}},
        "spec": spec,
    }


def _recorded(line: dict[str, Any], *, where: str) -> Recorded:
    """One checked line."""
    numbers: dict[str, int] = {}
    for column in ("job_id", "submit_s", "duration_s", "gpus"):
        text = line.get(column) or ""
        if not text.isdecimal() or len(text) > 12:
            raise CliError(f"{where}: {column} is {text!r}", "give a whole number, 0 or more")
        numbers[column] = int(text)
    vc = line.get("vc") or ""
    if not vc.isalnum() or not vc.isascii() or len(vc) > 63:
        raise CliError(f"{where}: vc is {vc!r}", "give letters and digits, at most 63")
    return Recorded(vc=vc, **numbers)
