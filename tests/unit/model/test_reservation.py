"""Reservations: a value that a status can hold and a cycle can compare."""

from dataclasses import replace

from sampan.model.members.offer import OfferKey
from sampan.model.reservation import Reservation


def test_a_move_keeps_what_was_published() -> None:
    kept = Reservation(
        job_uid="u", priority=0, cell=(OfferKey("p", "o"), "x8"), demand=0, nodes=(("n", 1),), start=20, published=20, made=1
    )
    earlier = replace(kept, start=10)
    assert earlier.published == 20
    assert earlier != kept
