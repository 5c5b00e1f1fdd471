"""What waits for a store that is away is bounded by the jobs that run, and not one charge is lost, doubled or rounded."""

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from sampan.scheduling.queueing.charge import decayed_forward
from sampan.store.charges import FoldedUse, Use
from sampan.store.outbox import FOLD_FROM, Outbox
from sampan.store.use import UseStore

HOUR = 3_600_000
WEEK = 168 * HOUR
NOW = 1_800_000_000_000
FEW = 8
"""Entries from which on the tests fold."""


def begun(uid: str, *, at: int = NOW, amount: int = 1_000_003, namespace: str = "a") -> Use:
    """What an attempt is charged when it is bound."""
    return Use(job_uid=uid, attempt=1, queue="q", namespace=namespace, at=at, amount=amount, seconds=86_400)


def outbox(fold_from: int = FEW) -> Outbox:
    """One that folds early."""
    return Outbox(half_life=WEEK, fold_from=fold_from)


def live(of: Outbox, number: int, *, namespace: str = "a") -> None:
    """Have an attempt begin and end."""
    use = begun(f"{namespace}{number}", at=NOW + number * 977, namespace=namespace)
    of.put(use)
    of.put(use.lasted(number % 300))


def test_what_waits_is_bounded_by_what_runs_however_long_the_store_is_away() -> None:
    of = outbox()
    for running in range(20):
        of.put(begun(f"runs-{running}"))
    for number in range(5_000):
        live(of, number, namespace="ab"[number % 2])
    assert len(of) <= 2 * (20 + 2 + 1)
    assert {use.job_uid for use in of if not use.final} >= {f"runs-{running}" for running in range(20)}
    assert of.folded == sum(use.attempts for use in of if isinstance(use, FoldedUse))
    assert of.folded > 4_900


def test_nothing_is_folded_while_the_store_answers() -> None:
    of = outbox(FOLD_FROM)
    for number in range(FOLD_FROM):
        live(of, number)
        of.stored(len(of.batch(500)))
    assert of.folded == 0
    assert not list(of)


def test_folded_charges_are_exact_in_the_sum() -> None:
    """Inflating rounds down, so that the sum inflated is not the sum of what was inflated."""
    of = outbox()
    for number in range(500):
        live(of, number)
    (store, want) = UseStore("", half_life=WEEK, now=NOW), 0
    for number in range(500):
        use = begun("x", at=NOW + number * 977).lasted(number % 300)
        want += decayed_forward(use.amount, use.at, WEEK)
    store.write(of)
    assert store.totals() == {("q", "a"): want}
    store.write(of)
    assert store.totals() == {("q", "a"): want}, "once, however often it is written"
    store.close()


def test_what_the_store_may_have_is_never_folded() -> None:
    """A write whose answer was lost may have been stored: what is tried again is the same."""
    of = outbox()
    for number in range(3):
        live(of, number)
    tried = of.batch(500)
    for number in range(3, 600):
        live(of, number)
    assert of.batch(500)[: len(tried)] == tried


def test_the_correction_of_what_is_stored_as_running_keeps_its_entry() -> None:
    """Else the store would take the attempt for one that runs, after a restart."""
    of, store = outbox(), UseStore("", half_life=WEEK, now=NOW)
    use = begun("before")
    of.put(use)
    store.write(of.batch(500))
    of.stored(1)
    of.put(use.lasted(60))
    for number in range(600):
        live(of, number)
    store.write(of)
    assert store.unsettled() == []
    store.close()


class Unsure(UseStore):
    """A real store that fails as it is told: before it writes, or after, when only the answer is lost."""

    fails = ""

    def write(self, uses: Iterable[Use]) -> None:
        """Write, or fail, or both."""
        if self.fails != "before":
            super().write(uses)
        if self.fails:
            raise OperationalError("insert", {}, Exception("gone"))


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("begin"), st.integers(0, 400 * HOUR)),
        st.tuples(st.just("end"), st.integers(0, 30)),
        st.tuples(st.just("write"), st.sampled_from(["", "before", "after"])),
    ),
    min_size=10,
    max_size=120,
)


@settings(deadline=None)
@given(steps=STEPS)
def test_in_any_history_the_store_comes_to_the_same_as_one_that_never_failed(steps: list[tuple[str, int | str]]) -> None:
    of, runs = outbox(4), list[Use]()
    store, sure = Unsure("", half_life=WEEK, now=NOW), UseStore("", half_life=WEEK, now=NOW)

    def put(use: Use) -> None:
        of.put(use)
        sure.write([use])

    def write() -> None:
        batch = of.batch(5)
        try:
            store.write(batch)
        except OperationalError:
            return
        of.stored(len(batch))

    for number, (what, value) in enumerate(steps):
        if what == "begin":
            runs.append(begun(f"u{number}", at=NOW + int(value), namespace="ab"[number % 2], amount=7**number % 1_000_003))
            put(runs[-1])
        elif what == "end" and runs:
            put(runs.pop(int(value) % len(runs)).lasted(int(value) * 3_001))
        elif what == "write":
            store.fails = str(value)
            write()
    store.fails = ""
    while of:
        write()
    assert store.totals() == sure.totals()
    assert store.unsettled() == sure.unsettled()
    store.close()
    sure.close()


@pytest.mark.parametrize("attempts", [1, 2])
def test_a_sum_is_named_after_no_job(attempts: int) -> None:
    of = outbox(1)
    for number in range(attempts):
        live(of, number)
    found = [use for use in of if isinstance(use, FoldedUse)]
    assert [use.job_uid for use in found] == ["folded:a0"]
