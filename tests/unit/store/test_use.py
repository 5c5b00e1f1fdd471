"""Each attempt is charged once and corrected once, whatever is written how often, in any order, across restarts."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import SQLAlchemyError

from sampan.scheduling.queueing.charge import decayed_forward
from sampan.store.charges import Use
from sampan.store.engine import StoreError
from sampan.store.use import UseStore

NOW = 1_800_000_000_000
DAY = 24 * 3600 * 1000
WEEK = 7 * DAY


def use(uid: str = "u1", attempt: int = 1, *, amount: int = 8_000_000, at: int = NOW, queue: str = "q", namespace: str = "team-a") -> Use:
    """A charge for two hours."""
    return Use(job_uid=uid, attempt=attempt, queue=queue, namespace=namespace, at=at, amount=amount, seconds=7200)


@contextmanager
def store(folder: Path | None = None, *, half_life: int = WEEK, now: int = NOW) -> Iterator[UseStore]:
    """A store in a file, or in memory."""
    made = UseStore(f"sqlite:///{folder / 'use.db'}" if folder else "", half_life=half_life, now=now)
    try:
        yield made
    finally:
        made.close()


def test_a_charge_is_kept_across_restarts_and_corrected_once(tmp_path: Path) -> None:
    with store(tmp_path) as st1:
        st1.write([use(), use()])
        assert st1.totals() == {("q", "team-a"): decayed_forward(8_000_000, NOW, WEEK)}
    with store(tmp_path) as st2:
        assert st2.unsettled() == [use()]
        for _ in range(2):
            st2.write([use().lasted(3600)])
        st2.write([use().lasted(10), use()])
        assert st2.totals() == {("q", "team-a"): decayed_forward(4_000_000, NOW, WEEK)}
        assert st2.unsettled() == []


CHARGES = [
    use(f"u{n}", n % 3 + 1, amount=n * 1_000_003, at=NOW + n * DAY, queue=f"q{n % 2}", namespace=f"team-{n % 3}") for n in range(1, 7)
]
CORRECTIONS = [each.lasted(n * 1_111) for n, each in enumerate(CHARGES[:4])]
STEPS = st.lists(st.sampled_from([*CHARGES, *CORRECTIONS, "restart"]), max_size=30)


@given(STEPS, st.permutations([*CHARGES, *CORRECTIONS]))
def test_any_order_of_writes_and_restarts_gives_the_same_sums(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Use | str], rest: list[Use]
) -> None:
    folder = tmp_path_factory.mktemp("store")
    made = UseStore(f"sqlite:///{folder / 'use.db'}", half_life=WEEK, now=NOW)
    for step in [*steps, *rest]:
        if isinstance(step, Use):
            made.write([step])
        else:
            made.close()
            made = UseStore(f"sqlite:///{folder / 'use.db'}", half_life=WEEK, now=NOW)
    want: dict[tuple[str, str], int] = {}
    for each in [*CORRECTIONS, *CHARGES[4:]]:
        key = each.queue, each.namespace
        want[key] = want.get(key, 0) + decayed_forward(each.amount, each.at, WEEK)
    assert made.totals() == want
    made.close()


def test_a_batch_is_taken_whole_or_not_at_all(tmp_path: Path) -> None:
    with store(tmp_path) as made:
        broken = use("u2", queue=None)  # type: ignore[arg-type]
        with pytest.raises(SQLAlchemyError):
            made.write([use(), broken])
        assert made.totals() == {}
        assert made.unsettled() == []


def test_sums_outgrow_any_number_type(tmp_path: Path) -> None:
    later = NOW + 20 * 365 * DAY
    with store(tmp_path) as made:
        made.write([use(at=later)])
        assert made.totals()["q", "team-a"] == decayed_forward(8_000_000, later, WEEK) > 2**512


def test_another_half_life_keeps_what_counts_now(tmp_path: Path) -> None:
    with store(tmp_path) as made:
        made.write([use(), use("u2", queue="other", amount=2_000_000)])
    with store(tmp_path, half_life=2 * WEEK) as made:
        totals = made.totals()
        assert abs(totals["q", "team-a"] - decayed_forward(8_000_000, NOW, 2 * WEEK)) <= 2
        assert abs(totals["q", "team-a"] - 4 * totals["other", "team-a"]) <= 8


def test_old_corrected_charges_go_and_the_sums_stay() -> None:
    with store() as made:
        made.write([use(), use("u2"), use().lasted(3600)])
        before = made.totals()
        made.prune(NOW + 1)
        assert made.totals() == before
        assert [each.job_uid for each in made.unsettled()] == ["u2"]


@pytest.mark.parametrize(
    "url", ["sqlite:////nowhere/at/all/use.db", "postgresql+nodriver://u:secret@h/db", "postgresql+psycopg://u:secret@127.0.0.1:9/db"]
)
def test_a_store_that_cannot_be_opened_says_what_is_wanted_and_no_password(url: str) -> None:
    with pytest.raises(StoreError, match="SAMPAN_STORE: the database cannot be opened") as caught:
        UseStore(url, half_life=WEEK, now=NOW)
    assert "secret" not in str(caught.value)
