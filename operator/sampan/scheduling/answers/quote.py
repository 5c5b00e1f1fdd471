"""What a job would get, pay and wait for if it were submitted now. Nothing is stored, and nobody else's job is touched."""

from dataclasses import replace

from sampan.model.job import Job
from sampan.model.snapshot import Snapshot
from sampan.scheduling.answers.cells import cell_answers
from sampan.scheduling.answers.explain import waits_for
from sampan.scheduling.answers.forecast import HORIZON, forecast
from sampan.scheduling.answers.next_cycle import next_cycle
from sampan.scheduling.answers.position import queue_position
from sampan.scheduling.answers.values import Quote
from sampan.scheduling.cache import Memo


def quote(snapshot: Snapshot, memo: Memo, job: Job, *, horizon: int = HORIZON) -> tuple[Quote, Memo]:
    """Return the offer for a job that need not exist, and the memo for the next question: this one is used up.

    A job of the same name that waits is taken for an earlier wording of this one: it is left out, and would else come first.
    """
    found = next_cycle(_without_namesake(snapshot, job), memo, job)
    cells = cell_answers(found.state, found.entry)
    told = Quote(
        cells=cells,
        starts_in=cells[0] if found.choice is not None else None,
        waits_for=waits_for(found, cells, ahead=queue_position(snapshot, job).position - 1),
        start=forecast(found, horizon=horizon),
    )
    return told, found.cycle.close()


def _without_namesake(snapshot: Snapshot, job: Job) -> Snapshot:
    """Return the picture without a waiting job of the namespace and name, and without what is kept for it."""
    mine = (each for bucket in snapshot.backlog if bucket.key.namespace == job.namespace for each in bucket)
    known = next((each for each in mine if each.name == job.name), None)
    if known is None:
        return snapshot
    kept = tuple(each for each in snapshot.reservations if each.job_uid != known.uid)
    return replace(snapshot, backlog=snapshot.backlog.without_job(known), reservations=kept)
