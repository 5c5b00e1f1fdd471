"""A ComputeJob as a row of a table. Never here: what is read of the job (sampan.client.jobview), and printing."""

from datetime import datetime
from typing import Any

from sampan.cli.lib import times
from sampan.cli.lib.render import Column
from sampan.client import jobview
from sampan.client.access.hub import Object

COLUMNS = (
    Column("NAMESPACE"),
    Column("NAME"),
    Column("PHASE"),
    Column("WHERE"),
    Column("DEVICES", right=True),
    Column("AGE", right=True),
    Column("REASON"),
)


def row(job: Object, *, now: datetime) -> list[str]:
    """The cells of `COLUMNS`."""
    metadata = job["metadata"]
    cells: list[Any] = [
        metadata.get("namespace", ""),
        metadata["name"],
        "Deleting" if metadata.get("deletionTimestamp") else jobview.phase(job),
        jobview.place(job) or "-",
        jobview.devices(job) or "-",
        times.age(metadata.get("creationTimestamp"), now=now),
        jobview.reason(job),
    ]
    return [str(cell) for cell in cells]
