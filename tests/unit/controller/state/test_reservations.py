"""A promise outlives the operator: what the status says is honoured from its first sight, and nothing else is."""

from dataclasses import replace
from typing import Any

import pytest

from jobs import NOW, OFFER, bound_status, record, shown, table
from sampan.controller.state.reservations import UNPLACED, ReservationStore, place_changed, reservation_of, reservation_view
from sampan.model.members.offer import OfferKey
from sampan.model.plan import Plan, StartUnknown
from sampan.model.reservation import Reservation
from sampan.model.status.job_status import JobStatus
from sampan.model.status.remote import ReservedPlace
from sampan.model.values.timestamp import to_rfc3339

CELL = (OFFER, "h100-x8")
PROMISE = Reservation(
    job_uid="u1", priority=3, cell=CELL, demand=0, nodes=(("n1", 1),), start=NOW + 5_000, published=NOW + 60_000, made=NOW - 60_000
)
PLACE = ReservedPlace(offer=OFFER, pool="h100-x8", alternative=0, start_at_latest=NOW + 5_000, made_at=NOW - 60_000)
VIEW: dict[str, Any] = {
    "offer": {"namespace": OFFER.namespace, "name": OFFER.name},
    "pool": "h100-x8",
    "alternative": 0,
    "startAtLatest": to_rfc3339(NOW + 5_000),
    "madeAt": to_rfc3339(NOW - 60_000),
}


def test_the_status_says_where_and_by_when_and_names_no_node() -> None:
    assert shown(JobStatus(reservation=reservation_view(PROMISE)))["reservation"] == VIEW
    assert reservation_view(PROMISE) == PLACE
    late = reservation_view(replace(PROMISE, start=NOW + 1, published=NOW + 1)).start_at_latest
    assert (late or 0) >= NOW + 1, "seconds are rounded up: a promise cut short would be broken"
    assert reservation_view(replace(PROMISE, start=UNPLACED)).start_at_latest == NOW + 60_000, "never later than published"


def test_what_a_status_promises_is_read_back_but_for_the_nodes() -> None:
    got = reservation_of(record(status={"reservation": VIEW}, spec={"priority": 3}))
    assert got == replace(PROMISE, nodes=(), start=UNPLACED, published=NOW + 5_000)


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("nothing is promised", {}),
        ("it is bound", {"status": bound_status().reserved(PLACE)}),
        ("it is suspended", {"status": {"reservation": VIEW}, "spec": {"suspend": True}}),
        ("the alternative is gone", {"status": {"reservation": {**VIEW, "alternative": 1}}}),
        ("the moment is no moment", {"status": {"reservation": {**VIEW, "startAtLatest": "soon"}}}),
    ],
)
def test_what_cannot_be_kept_is_not_read(name: str, kwargs: dict[str, Any]) -> None:
    assert reservation_of(record(**kwargs)) is None, name


def test_what_was_read_waits_for_its_cell() -> None:
    jobs = table(record(status={"reservation": VIEW}))
    promises = ReservationStore(jobs)
    promises.restore(jobs["u1"])
    assert promises.active(set(), lambda _: True) == ()
    promises.apply(Plan())
    assert promises.status_view("u1") == PLACE, "the member is not connected yet: the promise stands"
    assert [each.job_uid for each in promises.active({CELL}, lambda _: True)] == ["u1"]
    promises.apply(Plan(unknown_starts={"u1": StartUnknown.NO_DECLARED_END}))
    assert promises.active({CELL}, lambda _: True) == (), "the cycle saw it and did not keep it"
    assert promises.status_view("u1") is None
    assert {entry.uid: entry.start_unknown for entry in jobs.start_unknown} == {"u1": "NoDeclaredEnd"}
    promises.apply(Plan())
    assert not jobs.start_unknown


def test_a_promise_of_an_offer_that_is_gone_is_dropped() -> None:
    jobs = table(record(status={"reservation": VIEW}))
    promises = ReservationStore(jobs)
    promises.restore(jobs["u1"])
    assert promises.active(set(), lambda _: False) == ()
    assert promises.status_view("u1") is None


def test_the_cycle_has_the_last_word_in_order_of_making() -> None:
    jobs = table(record("u0"), record("u1"))
    promises = ReservationStore(jobs)
    second = replace(PROMISE, job_uid="u0", made=NOW)
    promises.apply(Plan(reservations=(second, PROMISE)))
    assert promises.active({CELL}, lambda _: True) == (PROMISE, second)
    promises.drop(jobs["u1"])
    assert promises.active({CELL}, lambda _: True) == (second,)


@pytest.mark.parametrize(
    ("told", "now", "want"),
    [
        (None, None, False),
        (None, PLACE, True),
        (PLACE, None, True),
        (PLACE, replace(PLACE, start_at_latest=None), False),
        (PLACE, replace(PLACE, pool="other"), True),
    ],
)
def test_what_is_news(told: ReservedPlace | None, now: ReservedPlace | None, want: bool) -> None:
    assert place_changed(told, now) is want


SHAPED: dict[str, Any] = {"replicas": 2, "alternatives": [{"accelerator": {"class": "nvidia-h100-sxm-80gb", "count": 4}}]}


def test_devices_that_are_kept_are_counted_by_pool() -> None:
    jobs, told = table(record("u1", spec=SHAPED), record("u2", spec=SHAPED)), list[object]()
    promises = ReservationStore(jobs)
    promises.on_change(lambda offers: told.append(set(offers)))
    kept = replace(PROMISE, nodes=(("n1", 1), ("n2", 1)))
    other = replace(kept, job_uid="u2", cell=(OFFER, "h100-x8@rack-1"))
    promises.apply(Plan(reservations=(kept, other)))
    assert promises.reserved_devices(OFFER) == {"h100-x8": 16}
    assert promises.reserved_devices(OfferKey("prov-b", "x")) == {}
    promises.apply(Plan(reservations=(replace(kept, start=NOW), other)))
    assert told == [{OFFER}], "another start keeps the same devices"
    promises.drop(jobs["u1"])
    promises.apply(Plan())
    assert told == [{OFFER}] * 3
    promises.apply(Plan(reservations=(kept,)))
    del jobs["u1"]
    assert promises.reserved_devices(OFFER) == {}, "a job that is gone keeps nothing"
