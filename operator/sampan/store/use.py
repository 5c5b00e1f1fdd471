"""What queues used, in SQL: charged when an attempt is bound, corrected when it ended, each once however often it is written.

Blocking calls: whoever has an event loop calls from a thread. How use decays is in `scheduling.queueing.charge`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import sqlalchemy as sa

from sampan.scheduling.queueing.charge import decayed_forward
from sampan.store.charges import FoldedUse, Totals, Use
from sampan.store.engine import open_engine, opening
from sampan.store.tables import CHARGES, FACTS, TOTALS

HALF_LIFE: Final = "half-life"
CHUNK: Final = 500
"""Entries of one statement at most: databases bound its parameters."""
_SCALE: Final = 1 << 62

CORRECT: Final = (
    sa.update(CHARGES)
    .where(CHARGES.c.job_uid == sa.bindparam("uid"), CHARGES.c.attempt == sa.bindparam("number"))
    .values(amount=sa.bindparam("amount"), seconds=sa.bindparam("seconds"), final=True)
)
ADD_TOTAL: Final = sa.insert(TOTALS).values(
    queue=sa.bindparam("of_queue"), namespace=sa.bindparam("of_namespace"), amount=sa.bindparam("sum")
)
SET_TOTAL: Final = (
    sa.update(TOTALS)
    .where(TOTALS.c.queue == sa.bindparam("of_queue"), TOTALS.c.namespace == sa.bindparam("of_namespace"))
    .values(amount=sa.bindparam("sum"))
)


class UseStore:
    """Charges and their sums. Raises StoreError at the start, and SQLAlchemyError where the database fails later."""

    def __init__(self, url: str, *, half_life: int, now: int) -> None:
        """Open and migrate; an empty URL is a database in memory. Times in milliseconds; sums follow a changed half-life."""
        self._half_life = half_life
        with opening():
            self._engine = open_engine(url)
            with self._engine.begin() as connection:
                self._rescale(connection, now)

    def totals(self) -> Totals:
        """Return the sums."""
        with self._engine.connect() as connection:
            return {(row.queue, row.namespace): int(row.amount) for row in connection.execute(sa.select(TOTALS))}

    def unsettled(self) -> list[Use]:
        """Return the charges of attempts that have not ended as far as is known here, in order."""
        query = sa.select(CHARGES).where(sa.not_(CHARGES.c.final)).order_by(CHARGES.c.job_uid, CHARGES.c.attempt)
        with self._engine.connect() as connection:
            return [Use(**row._mapping) for row in connection.execute(query)]

    def write(self, uses: Iterable[Use]) -> None:
        """Take in charges and corrections, all or none. What is known already, or follows a correction, changes nothing.

        However many there are, each table is read and written once per `CHUNK` of them.
        """
        every = list(uses)
        with self._engine.begin() as connection:
            for start in range(0, len(every), CHUNK):
                self._take(connection, every[start : start + CHUNK])

    def prune(self, before: int) -> None:
        """Forget corrected charges of attempts bound before then; the sums keep them."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(CHARGES).where(CHARGES.c.final, CHARGES.c.at < before))

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def _take(self, connection: sa.Connection, uses: Sequence[Use]) -> None:
        stored = _stored(connection, uses)
        rows = dict(stored)
        gains: dict[tuple[str, str], int] = {}
        for use in uses:
            known = rows.get(_key(use))
            if known is None:
                row, before = use, 0
            elif use.final and not known.final:
                row = replace(known, amount=use.amount, seconds=use.seconds, final=True)
                before = decayed_forward(known.amount, known.at, self._half_life)
            else:
                continue
            rows[_key(use)] = row
            total = row.queue, row.namespace
            after = use.gain if isinstance(use, FoldedUse) else decayed_forward(row.amount, row.at, self._half_life)
            gains[total] = gains.get(total, 0) + after - before
        added = [{column.name: getattr(row, column.name) for column in CHARGES.c} for key, row in rows.items() if key not in stored]
        corrected = [_correction(row) for key, row in rows.items() if key in stored and row != stored[key]]
        if added:
            connection.execute(sa.insert(CHARGES), added)
        if corrected:
            connection.execute(CORRECT, corrected)
        if gains:
            _add(connection, gains)

    def _rescale(self, connection: sa.Connection, now: int) -> None:
        """Keep what counts at this moment where the half-life is another than the sums were made with."""
        known = connection.execute(sa.select(FACTS.c.value).where(FACTS.c.name == HALF_LIFE)).scalar()
        if known is None:
            connection.execute(sa.insert(FACTS).values(name=HALF_LIFE, value=str(self._half_life)))
        elif int(known) != self._half_life:
            before, after = decayed_forward(_SCALE, now, int(known)), decayed_forward(_SCALE, now, self._half_life)
            for row in connection.execute(sa.select(TOTALS)).all():
                mine = (TOTALS.c.queue == row.queue) & (TOTALS.c.namespace == row.namespace)
                connection.execute(sa.update(TOTALS).where(mine).values(amount=str(int(row.amount) * after // before)))
            connection.execute(sa.update(FACTS).where(FACTS.c.name == HALF_LIFE).values(value=str(self._half_life)))


def _key(use: Use) -> tuple[str, int]:
    return use.job_uid, use.attempt


def _correction(row: Use) -> dict[str, Any]:
    return {"uid": row.job_uid, "number": row.attempt, "amount": row.amount, "seconds": row.seconds}


def _stored(connection: sa.Connection, uses: Sequence[Use]) -> dict[tuple[str, int], Use]:
    """Return every charge of the jobs named, locked until the end of the transaction."""
    query = sa.select(CHARGES).where(CHARGES.c.job_uid.in_(sorted({use.job_uid for use in uses}))).with_for_update()
    found = (Use(**row._mapping) for row in connection.execute(query))
    return {_key(use): use for use in found}


def _add(connection: sa.Connection, gains: Mapping[tuple[str, str], int]) -> None:
    """Add to the sums: here and not in SQL, because no number type of SQL holds them."""
    query = sa.select(TOTALS).where(TOTALS.c.queue.in_(sorted({queue for queue, _ in gains}))).with_for_update()
    known = {(row.queue, row.namespace): int(row.amount) for row in connection.execute(query)}
    sums = [
        {"of_queue": queue, "of_namespace": namespace, "sum": str(known.get((queue, namespace), 0) + gain)}
        for (queue, namespace), gain in sorted(gains.items())
    ]
    changed = [each for each in sums if (each["of_queue"], each["of_namespace"]) in known]
    fresh = [each for each in sums if (each["of_queue"], each["of_namespace"]) not in known]
    if changed:
        connection.execute(SET_TOTAL, changed)
    if fresh:
        connection.execute(ADD_TOTAL, fresh)
