"""The best cell of an explanation is the first that is not refused."""

from builders import job
from sampan.model.offer import OfferKey
from sampan.model.reason import Reason
from sampan.scheduling.answers import CellAnswer, Explanation, Objection, Start


def cell(name: str, score: int | None) -> CellAnswer:
    objections = () if score is not None else (Objection(Reason.INSUFFICIENT_CAPACITY, "8 free devices", "4"),)
    key = OfferKey("prov", name)
    return CellAnswer(offer=key, pool="p", accelerator_class="", alternative=0, score=score, objections=objections)


def explanation(*cells: CellAnswer) -> Explanation:
    return Explanation(job=job(), headline="", cells=cells, place=None, waits_for="", start=Start())


def test_the_first_cell_with_a_score_is_best() -> None:
    assert explanation(cell("a", None), cell("b", 0), cell("c", 90)).best == cell("b", 0)


def test_where_all_are_refused_none_is() -> None:
    assert explanation(cell("a", None)).best is None
