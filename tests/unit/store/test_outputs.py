"""What jobs printed last is kept for a while, within its bounds, and goes with the job."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.store.engine import StoreError
from sampan.store.outputs import Output, OutputLimits, OutputStore

NOW = 1_800_000_000_000
AMPLE = OutputLimits(retention=1000, of_namespace=10**9, in_all=10**9)


def output(
    uid: str = "u1", attempt: int = 1, rank: int = 0, *, at: int = NOW, text: bytes = b"text\n", namespace: str = "team-a"
) -> Output:
    """What a rank printed."""
    return Output(job_uid=uid, attempt=attempt, rank=rank, namespace=namespace, at=at, text=text)


@contextmanager
def store(folder: Path | None = None, limits: OutputLimits = AMPLE) -> Iterator[OutputStore]:
    """A store in a file, or in memory."""
    made = OutputStore(f"sqlite:///{folder / 'use.db'}" if folder else "", limits)
    try:
        yield made
    finally:
        made.close()


def test_what_is_kept_is_there_after_a_restart(tmp_path: Path) -> None:
    with store(tmp_path) as first:
        first.put([output(), output(rank=3, text=b"\xff\x00"), output(attempt=2)])
        first.put([output(text=b"newer")])
    with store(tmp_path) as second:
        assert second.get("u1", 1, 0) == b"newer"
        assert second.get("u1", 1, 3) == b"\xff\x00"
        assert second.get("u1", 1, 1) is None
        assert (second.ranks("u1", 1), second.ranks("u1", 2), second.ranks("u2", 1)) == ([0, 3], [0], [])


def test_jobs_and_old_outputs_are_forgotten() -> None:
    with store() as kept:
        kept.put([output(), output("u2", at=NOW - 500), *(output(f"x{n}") for n in range(1200))])
        kept.forget([f"x{n}" for n in range(1200)])
        kept.forget([])
        assert kept.jobs() == {"u1", "u2"}
        kept.prune(NOW + 600)
        assert kept.jobs() == {"u1"}


def noise(seed: int, size: int = 2000) -> bytes:
    """Bytes that hardly pack."""
    import random

    return random.Random(seed).randbytes(size)


def test_of_too_much_the_oldest_go_first_and_of_one_tenant_s_own() -> None:
    with store(limits=OutputLimits(retention=1000, of_namespace=7000, in_all=15_000)) as kept:
        kept.put([output("b", text=noise(0), at=NOW - 9, namespace="team-b")])
        for number in range(5):
            kept.put([output(f"a{number}", text=noise(number), at=NOW + number)])
        assert kept.jobs() == {"b", "a2", "a3", "a4"}


def test_of_one_moment_the_higher_ranks_go_first() -> None:
    with store(limits=OutputLimits(retention=1000, of_namespace=5000, in_all=10**9)) as kept:
        kept.put([output(rank=rank, text=noise(rank)) for rank in range(4)])
        assert kept.ranks("u1", 1) == [0, 1]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["team-a", "team-b"]), st.integers(0, 5), st.integers(0, 3000)), max_size=15)
)
def test_never_more_is_kept_than_may_be(puts: list[tuple[str, str, int, int]]) -> None:
    with store(limits=OutputLimits(retention=1000, of_namespace=4000, in_all=6000)) as kept:
        for uid, namespace, at, size in puts:
            kept.put([output(uid + namespace, text=noise(size, size), at=NOW + at, namespace=namespace)])
        sizes = {space: sum(len(kept.get(uid + space, 1, 0) or b"") for uid in "abc") for space in ("team-a", "team-b")}
        assert max(sizes.values()) <= 4000
        assert sum(sizes.values()) <= 6000


def test_a_database_that_cannot_be_opened_is_told_without_its_url() -> None:
    with pytest.raises(StoreError, match="SAMPAN_STORE: the database cannot be opened") as caught:
        OutputStore("sqlite:////no/such/folder/secret.db", AMPLE)
    assert "secret" not in str(caught.value)
