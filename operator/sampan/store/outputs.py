"""The last lines of attempts' output, in SQL: kept for a while, within a size a namespace and in all. Blocking calls.

Never here: where output comes from, what a line is.
"""

import threading
import zlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from sampan.store.engine import open_engine, opening
from sampan.store.tables import OUTPUTS

CHUNK: Final = 500
"""Values of one statement at most: databases bound its parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What one rank printed last in one attempt."""

    job_uid: str
    attempt: int
    rank: int
    namespace: str
    at: int
    """When it was kept: milliseconds since the epoch."""
    text: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputLimits:
    """What may be kept: milliseconds, and bytes as they are stored, packed."""

    retention: int
    of_namespace: int
    in_all: int


class OutputStore:
    """Raises StoreError at the start, and SQLAlchemyError where the database fails later. May be called from several threads."""

    def __init__(self, url: str, limits: OutputLimits) -> None:
        """Open and migrate; an empty URL is a database in memory."""
        self._limits = limits
        self._turn = threading.Lock()  # in memory there is one connection for all
        with opening():
            self._engine = open_engine(url)

    def put(self, outputs: Iterable[Output]) -> None:
        """Keep these, in place of what is kept of the same; the oldest go where there is too much."""
        rows = [_row(each) for each in outputs]
        with self._turn, self._engine.begin() as connection:
            for row in rows:
                connection.execute(_of(row["job_uid"], row["attempt"], row["rank"]))
                connection.execute(sa.insert(OUTPUTS), [row])
            for namespace in sorted({str(row["namespace"]) for row in rows}):
                _shrink(connection, self._limits.of_namespace, OUTPUTS.c.namespace == namespace)
            _shrink(connection, self._limits.in_all, sa.true())

    def get(self, job_uid: str, attempt: int, rank: int) -> bytes | None:
        """Return what is kept of a rank; None where nothing is."""
        mine = (OUTPUTS.c.job_uid == job_uid) & (OUTPUTS.c.attempt == attempt) & (OUTPUTS.c.rank == rank)
        with self._turn, self._engine.connect() as connection:
            packed = connection.execute(sa.select(OUTPUTS.c.packed).where(mine)).scalar()
        return None if packed is None else zlib.decompress(packed)

    def ranks(self, job_uid: str, attempt: int) -> list[int]:
        """Return the ranks of which something is kept, in order."""
        mine = (OUTPUTS.c.job_uid == job_uid) & (OUTPUTS.c.attempt == attempt)
        with self._turn, self._engine.connect() as connection:
            return list(connection.execute(sa.select(OUTPUTS.c.rank).where(mine).order_by(OUTPUTS.c.rank)).scalars())

    def forget(self, job_uids: Collection[str]) -> None:
        """Forget what is kept of these jobs."""
        every = sorted(job_uids)
        with self._turn, self._engine.begin() as connection:
            for start in range(0, len(every), CHUNK):
                connection.execute(sa.delete(OUTPUTS).where(OUTPUTS.c.job_uid.in_(every[start : start + CHUNK])))

    def jobs(self) -> set[str]:
        """Return the UIDs of all jobs of which something is kept."""
        with self._turn, self._engine.connect() as connection:
            return set(connection.execute(sa.select(OUTPUTS.c.job_uid).distinct()).scalars())

    def prune(self, now: int) -> None:
        """Forget what is older than may be kept."""
        with self._turn, self._engine.begin() as connection:
            connection.execute(sa.delete(OUTPUTS).where(OUTPUTS.c.at < now - self._limits.retention))

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()


def _row(output: Output) -> dict[str, object]:
    packed = zlib.compress(output.text, 6)
    return {
        "job_uid": output.job_uid,
        "attempt": output.attempt,
        "rank": output.rank,
        "namespace": output.namespace,
        "at": output.at,
        "size": len(packed),
        "packed": packed,
    }


def _of(job_uid: object, attempt: object, rank: object) -> sa.Delete:
    return sa.delete(OUTPUTS).where(OUTPUTS.c.job_uid == job_uid, OUTPUTS.c.attempt == attempt, OUTPUTS.c.rank == rank)


def _shrink(connection: sa.Connection, most: int, which: sa.ColumnElement[bool]) -> None:
    """Delete the oldest until the rest is no larger than may be; of the same moment, the higher ranks first."""
    over = (connection.execute(sa.select(sa.func.coalesce(sa.func.sum(OUTPUTS.c.size), 0)).where(which)).scalar() or 0) - most
    if over <= 0:
        return
    keys = (OUTPUTS.c.job_uid, OUTPUTS.c.attempt, OUTPUTS.c.rank)
    for row in connection.execute(sa.select(*keys, OUTPUTS.c.size).where(which).order_by(OUTPUTS.c.at, OUTPUTS.c.rank.desc())).all():
        if over <= 0:
            break
        connection.execute(_of(row.job_uid, row.attempt, row.rank))
        over -= row.size
