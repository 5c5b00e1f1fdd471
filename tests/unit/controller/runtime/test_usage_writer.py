"""Everything is stored, in order and off the loop; a store that fails is tried again and is seen."""

import asyncio
import logging
import sqlite3
from collections.abc import Iterable

import pytest
from sqlalchemy.exc import OperationalError

from jobs import NOW, record
from sampan.controller.runtime.usage_writer import BATCH, GATHER, UsageWriter
from sampan.controller.state.entry import JobEntry
from sampan.controller.state.usage import WEEK, UsageTracker
from sampan.store.charges import Use
from sampan.store.use import UseStore
from unit.controller.fakes import until
from unit.controller.state.test_usage import running


class Frail(UseStore):
    """A real store that fails as often as it is told."""

    failures = 0
    batches = 0
    error: Exception = OperationalError("insert", {}, Exception("disk full"))

    def write(self, uses: Iterable[Use]) -> None:
        """Fail, or write."""
        self.batches += 1
        if self.failures:
            self.failures -= 1
            raise self.error
        super().write(uses)


def parts(failures: int = 0) -> tuple[UsageTracker, Frail, UsageWriter]:
    """A tracker, a store in memory, and a writer between them."""
    tracker, store = UsageTracker(clock=lambda: NOW), Frail("", half_life=WEEK, now=NOW)
    store.failures = failures
    return tracker, store, UsageWriter(tracker, store)


def charge(tracker: UsageTracker, *uids: str) -> None:
    """Jobs are bound."""
    for uid in uids:
        tracker.on_job(JobEntry(record=record(uid, status=running())), lambda: "q")


async def test_what_comes_within_a_second_is_one_transaction() -> None:
    tracker, store, writer = parts()
    task = asyncio.create_task(writer.run())
    for number in range(5):
        charge(tracker, f"u{number}")
        await asyncio.sleep(GATHER / 100)
    await until(lambda: not tracker.outbox)
    assert len(store.unsettled()) == 5
    assert store.batches == 1
    task.cancel()
    await asyncio.wait({task})
    store.close()


async def test_all_is_stored_in_batches() -> None:
    tracker, store, writer = parts()
    task = asyncio.create_task(writer.run())
    charge(tracker, *(f"u{n}" for n in range(BATCH + 1)))
    await until(lambda: not tracker.outbox)
    charge(tracker, "late")
    await until(lambda: not tracker.outbox)
    assert len(store.unsettled()) == BATCH + 2
    assert store.batches == 3
    task.cancel()
    await asyncio.wait({task})
    store.close()


ERRORS = [
    OperationalError("insert", {}, Exception("disk full")),
    OSError(28, "No space left on device"),
    sqlite3.DatabaseError("malformed"),
    TypeError("a bug"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda each: type(each).__name__)
async def test_a_failing_store_is_seen_and_loses_nothing(
    error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("sampan.controller.runtime.usage_writer.RETRY_DELAYS", (0, 0.01))
    monkeypatch.setattr("sampan.controller.runtime.usage_writer.GATHER", 0)
    tracker, store, writer = parts(failures=3)
    store.error = error
    seen: list[tuple[bool, int]] = []
    store_write = store.write

    def watched(uses: Iterable[Use]) -> None:
        seen.append((writer.healthy, writer.unstored))
        store_write(uses)

    monkeypatch.setattr(store, "write", watched)
    task = asyncio.create_task(writer.run())
    charge(tracker, "u1")
    await until(lambda: not tracker.outbox)
    assert seen == [(True, 1), (False, 1), (False, 1), (False, 1)]
    assert (writer.healthy, writer.errors) == (True, 3)
    assert [entry.levelno for entry in caplog.records if entry.message == "usage.write_failed"] == [logging.ERROR] * 3
    assert [use.job_uid for use in store.unsettled()] == ["u1"]
    task.cancel()
    await asyncio.wait({task})
    store.close()


@pytest.mark.parametrize("error", ERRORS, ids=lambda each: type(each).__name__)
def test_the_last_words_are_stored_or_the_failure_is_logged(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    tracker, store, writer = parts(failures=1)
    store.error = error
    charge(tracker, "u1")
    writer.flush()
    assert "usage.write_failed" in caplog.messages
    assert writer.unstored == 1
    writer.flush()
    assert writer.unstored == 0
    assert [use.job_uid for use in store.unsettled()] == ["u1"]
    store.close()
