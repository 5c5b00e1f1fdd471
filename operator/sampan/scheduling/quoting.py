"""What a job would get, pay and wait for if it were submitted now. Nothing is stored, and nobody else's job is touched."""

from sampan.model.job import Job
from sampan.model.snapshot import Snapshot
from sampan.scheduling.answers import Quote
from sampan.scheduling.cell_answers import cell_answers, desk_of
from sampan.scheduling.forecast import HORIZON, forecast
from sampan.scheduling.memo import Memo


def quote(snapshot: Snapshot, memo: Memo, job: Job, *, horizon: int = HORIZON) -> tuple[Quote, Memo]:
    """Return the offer for a job that need not exist, and the memo for the next question: this one is used up."""
    desk, left = desk_of(snapshot, memo)
    cells = cell_answers(desk, desk.case(job))
    best = next((cell for cell in cells if cell.score is not None), None)
    return Quote(cells=cells, best=best, start=forecast(desk, job, horizon=horizon)), left
