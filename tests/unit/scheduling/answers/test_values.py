"""A cell is usable where it has a score."""

from sampan.model.members.offer import OfferKey
from sampan.model.reason import Reason
from sampan.scheduling.answers.values import CellAnswer, UnmetConstraint


def cell(name: str, score: int | None) -> CellAnswer:
    objections = () if score is not None else (UnmetConstraint(Reason.INSUFFICIENT_CAPACITY, "8 free devices", "4"),)
    key = OfferKey("prov", name)
    return CellAnswer(offer=key, pool="p", accelerator_class="", alternative=0, score=score, unmet=objections)


def test_a_cell_with_a_score_is_usable_be_it_nought() -> None:
    assert [cell(name, score).usable for name, score in (("a", None), ("b", 0), ("c", 90))] == [False, True, True]
