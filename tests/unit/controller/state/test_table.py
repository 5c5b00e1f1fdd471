"""The index is what a walk over all jobs would find, and nothing of a job that was deleted is in it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs import OFFER, binding, bound_status, record
from sampan.controller.state.entry import JobEntry
from sampan.controller.state.table import JobTable
from sampan.model.members.offer import OfferKey
from sampan.model.status.attempt import Binding

OTHER = OfferKey("prov-b", "other")
KINDS = [None, binding(), replace(binding(), cluster_uid="c-2"), replace(binding(), offer=OTHER), binding(attempt=2)]
STEPS = st.lists(st.tuples(st.sampled_from(["u1", "u2", "u3"]), st.sampled_from(KINDS)), max_size=30)


def uids(entries: tuple[JobEntry, ...]) -> list[str]:
    """Which jobs these are."""
    return sorted(entry.uid for entry in entries)


@given(STEPS)
def test_it_finds_what_a_walk_would_find(steps: list[tuple[str, Binding | None]]) -> None:
    table, jobs = JobTable(), dict[str, Binding | None]()
    for uid, bound in steps:
        table.put(record(uid, status=bound_status(bound) if bound else {}))
        jobs[uid] = bound
    for cluster in ("c-1", "c-2", "c-3"):
        assert uids(table.of_member(cluster)) == sorted(uid for uid, bound in jobs.items() if bound and bound.cluster_uid == cluster)
    for offer in (OFFER, OTHER):
        assert uids(table.of_offer(offer)) == sorted(uid for uid, bound in jobs.items() if bound and bound.offer == offer)
        assert uids(table.open_on("c-1")) == uids(table.of_member("c-1"))
    assert sorted(table.waiting) == sorted(uid for uid, bound in jobs.items() if bound is None)
    for uid in jobs:
        del table[uid]
    assert (dict(table), dict(table.records), table._index) == ({}, {}, {})


def test_what_is_set_on_an_entry_is_found_once_the_table_hears_of_it() -> None:
    table = JobTable()
    entry = table.put(record())
    assert (dict(table.assumed), table.reserved) == ({}, ())
    entry.assumed = True
    table.changed(entry)
    assert dict(table.assumed) == {"u1": entry}
    shape = entry.record.shape
    assert shape is not None
    assert (table.like("team-a", shape), table.like("team-b", shape)) == ((entry,), ())
    told: list[str] = []
    table.on_delete.append(told.append)
    del table["u1"]
    assert (told, table._index) == (["u1"], {})


def test_a_record_that_cannot_be_read_changes_nothing() -> None:
    table = JobTable()
    entry = table.put(record(status=bound_status()))
    with pytest.raises(ValueError, match="Nonsense"):
        table.put(record(status={"phase": "Nonsense"}))
    with pytest.raises(ValueError, match="Nonsense"):
        table.put(record("u2", status={"phase": "Nonsense"}))
    assert (list(table), table.of_member("c-1")) == (["u1"], (entry,))
    assert entry.record.attempt_open


@given(STEPS)
def test_open_attempts_are_in_order_and_phases_are_counted(steps: list[tuple[str, Binding | None]]) -> None:
    table = JobTable()
    for uid, bound in steps:
        table.put(record(uid, status=bound_status(bound, running=uid == "u2") if bound else {}))
        for cluster in ("c-1", "c-2"):
            assert [entry.uid for entry in table.open_on(cluster)] == uids(table.of_member(cluster))
        assert table.by_phase == Counter(str(entry.record.phase) for entry in table.values())
    for uid in list(table):
        del table[uid]
    assert (table.by_phase, table._open) == ({}, {})


def test_what_is_under_way_and_how_many_jobs_there_are_is_not_worked_out_from_all_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    table = JobTable()
    for number in range(300):
        table.put(record(f"u{number}", status=bound_status()))
    walked: list[str] = []

    def uid(entry: JobEntry) -> str:
        walked.append(entry.record.uid)
        return entry.record.uid

    def each(table: JobTable) -> Iterator[str]:
        walked.append("all")
        return iter(table._entries)

    monkeypatch.setattr(JobEntry, "uid", property(uid))
    monkeypatch.setattr(JobTable, "__iter__", each)
    assert len(table.open_on(binding().cluster_uid)) == 300
    assert table.by_phase == {"Bound": 300}
    assert walked == []
