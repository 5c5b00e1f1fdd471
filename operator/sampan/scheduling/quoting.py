"""What a job would get, pay and wait for if it were submitted now. Nothing is stored, and nobody else's job is touched."""

from dataclasses import replace

from sampan.model.job import Job
from sampan.model.snapshot import Snapshot
from sampan.scheduling.answers import Quote
from sampan.scheduling.cell_answers import cell_answers, desk_of
from sampan.scheduling.forecast import HORIZON, forecast
from sampan.scheduling.memo import Memo


def quote(snapshot: Snapshot, memo: Memo, job: Job, *, horizon: int = HORIZON) -> tuple[Quote, Memo]:
    """Return the offer for a job that need not exist, and the memo for the next question: this one is used up.

    A job of the same name that waits is taken for an earlier wording of this one: it is left out, and would else come first.
    """
    desk, left = desk_of(_without_namesake(snapshot, job), memo)
    cells = cell_answers(desk, desk.case(job))
    best = next((cell for cell in cells if cell.score is not None), None)
    return Quote(cells=cells, best=best, start=forecast(desk, job, horizon=horizon)), left


def _without_namesake(snapshot: Snapshot, job: Job) -> Snapshot:
    """Return the picture without a waiting job of the namespace and name, and without what is kept for it."""
    mine = (each for bucket in snapshot.backlog if bucket.key.namespace == job.namespace for each in bucket)
    known = next((each for each in mine if each.name == job.name), None)
    if known is None:
        return snapshot
    kept = tuple(each for each in snapshot.reservations if each.job_uid != known.uid)
    return replace(snapshot, backlog=snapshot.backlog.without_job(known), reservations=kept)
