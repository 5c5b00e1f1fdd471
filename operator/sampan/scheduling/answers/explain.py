"""Why a waiting job waits, where it stands and when it starts: one answer put together. The parts are worked out elsewhere."""

from dataclasses import replace

from sampan.model.job import Job
from sampan.model.snapshot import Snapshot
from sampan.scheduling.answers.cells import cell_answers
from sampan.scheduling.answers.forecast import HORIZON, forecast
from sampan.scheduling.answers.next_cycle import NextCycle, next_cycle
from sampan.scheduling.answers.position import queue_position
from sampan.scheduling.answers.values import CellAnswer, Explanation, StartForecast
from sampan.scheduling.answers.wording import headline, word
from sampan.scheduling.cache import Memo
from sampan.scheduling.diagnosis import refusal
from sampan.scheduling.feasibility.constraints.phrases import moment
from sampan.scheduling.queueing.order import next_eligible_at


def explain(snapshot: Snapshot, memo: Memo, job: Job, *, not_before: int = 0, horizon: int = HORIZON) -> tuple[Explanation, Memo]:
    """Return all that can be told of a waiting job now, and the memo for the next question: this one is used up.

    `not_before` (milliseconds since the epoch): the next cycles leave the job out until then. The memo of the cycle must not be
    given: answers keep their own.
    """
    found = next_cycle(snapshot, memo, job)
    cells = cell_answers(found.state, found.entry)
    place = queue_position(snapshot, found.job)
    told = Explanation(
        job=found.job,
        headline=_headline(found, cells),
        cells=cells,
        starts_in=cells[0] if found.choice is not None else None,
        position=place,
        waits_for=waits_for(found, cells, ahead=place.position - 1),
        start=forecast(found, horizon=horizon),
    )
    if not_before > snapshot.now:
        told = replace(
            told,
            starts_in=None,
            waits_for=f"the end of its pause, at {moment(not_before)}",
            start=_later(told.start, not_before),
        )
    return told, found.cycle.close()


def _headline(found: NextCycle, cells: tuple[CellAnswer, ...]) -> str:
    """Return the answer in one line."""
    job = found.job
    if job.inadmissible is not None:
        return f"the job may not compete: {job.inadmissible} ({word(job.inadmissible, job.shape)})"
    best = next((cell for cell in cells if cell.usable), None)
    if best is None:
        return headline(refusal(found.state, found.entry))
    return f"pool {best.pool} of offer {best.offer} suits best, with a score of {best.score}"


def waits_for(found: NextCycle, cells: tuple[CellAnswer, ...], *, ahead: int) -> str:
    """Return what has to happen before the job can start, empty where nothing has to; `ahead`: jobs whose turn comes before."""
    job, snapshot = found.job, found.state.snapshot
    if job.inadmissible is not None:
        return "a change of its queue or of the job"
    if found.choice is not None:
        return ""
    if any(cell.usable for cell in cells):
        come = "1 job comes" if ahead == 1 else f"{ahead} jobs come"
        return f"its turn: {come} before it, and a cycle starts no more than {snapshot.limit} now"
    if found.kept is not None:
        pool, offer = found.kept.cell[1], found.kept.cell[0]
        return f"the nodes kept for it in pool {pool} of offer {offer}, free by {moment(found.kept.start)} at the latest"
    passing = sum(all(each.reason.passing for each in cell.unmet) for cell in cells)
    if passing:
        return f"room in {'the 1 pool that suits' if passing == 1 else f'one of {passing} pools that suit'} it{_first(found)}"
    ripening = next_eligible_at(job, snapshot.now)
    if ripening is not None:
        return f"its next alternative, which may be tried from {moment(ripening)}"
    return "a change of the job or of an offer: no pool suits it as they are"


def _first(found: NextCycle) -> str:
    """Return who takes room before the job in the very next cycle."""
    count = len(found.cycle.assignments)
    return f"; {'1 job starts' if count == 1 else f'{count} jobs start'} first now" if count else ""


def _later(start: StartForecast, not_before: int) -> StartForecast:
    """Return a start that is not before a moment."""
    at_latest, likely = (None if at is None else max(at, not_before) for at in (start.at_latest, start.likely))
    return replace(start, at_latest=at_latest, likely=likely)
