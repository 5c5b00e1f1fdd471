"""Why a waiting job waits, where it stands and when it starts: one answer put together. The parts are worked out elsewhere."""

from sampan.model.job import Job
from sampan.model.snapshot import Snapshot
from sampan.scheduling.answers import CellAnswer, Explanation
from sampan.scheduling.cell_answers import cell_answers, desk_of
from sampan.scheduling.desk import Case, Desk
from sampan.scheduling.explain import headline, word
from sampan.scheduling.forecast import HORIZON, forecast
from sampan.scheduling.memo import Memo
from sampan.scheduling.objections import moment
from sampan.scheduling.order import next_ripening
from sampan.scheduling.standing import place_of
from sampan.scheduling.verdicts import refusal


def explain(snapshot: Snapshot, memo: Memo, job: Job, *, horizon: int = HORIZON) -> tuple[Explanation, Memo]:
    """Return all that can be told of a waiting job now, and the memo for the next question: this one is used up.

    The memo of the cycle must not be given: answers keep their own.
    """
    desk, left = desk_of(snapshot, memo)
    case = desk.case(job)
    cells = cell_answers(desk, case)
    start = forecast(desk, job, horizon=horizon)
    place = place_of(snapshot, job)
    told = Explanation(
        job=job,
        headline=_headline(desk, case, cells),
        cells=cells,
        place=place,
        waits_for=_waits_for(snapshot, job, cells, position=place.position),
        start=start,
    )
    return told, left


def _headline(desk: Desk, case: Case, cells: tuple[CellAnswer, ...]) -> str:
    """Return the answer in one line."""
    if case.job.barred is not None:
        return f"the job may not compete: {case.job.barred} ({word(case.job.barred, case.job.shape)})"
    best = next((cell for cell in cells if cell.score is not None), None)
    if best is None:
        return headline(refusal(desk, case))
    return f"pool {best.pool} of offer {best.offer} suits best, with a score of {best.score}"


def _waits_for(snapshot: Snapshot, job: Job, cells: tuple[CellAnswer, ...], *, position: int) -> str:
    """Return what has to happen before the job can start, empty where nothing has to."""
    if job.barred is not None:
        return "a change of its queue or of the job"
    if any(cell.score is not None for cell in cells):
        return "" if position == 1 else "its turn"
    kept = next((each for each in snapshot.reservations if each.job_uid == job.uid), None)
    if kept is not None:
        return f"the nodes kept for it in pool {kept.cell[1]} of offer {kept.cell[0]}, free by {moment(kept.start)} at the latest"
    passing = sum(all(each.reason.passing for each in cell.objections) for cell in cells)
    if passing:
        return f"room in {'the 1 pool that suits' if passing == 1 else f'one of {passing} pools that suit'} it"
    ripening = next_ripening(job, snapshot.now)
    if ripening is not None:
        return f"its next alternative, which may be tried from {moment(ripening)}"
    return "a change of the job or of an offer: no pool suits it as they are"
