"""What queues used, in SQL: charged when an attempt is bound, corrected when it ended, each once however often it is written.

Blocking calls: whoever has an event loop calls from a thread. How use decays is in `scheduling.charges`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from sampan.scheduling.queueing.charge import decayed_forward
from sampan.store.migration import upgrade
from sampan.store.tables import CHARGES, FACTS, TOTALS

HALF_LIFE: Final = "half-life"
_SCALE: Final = 1 << 62


class StoreError(Exception):
    """The database cannot be opened. The message never holds the URL, which may hold a password."""


Totals = Mapping[tuple[str, str], int]
"""By queue and namespace, inflated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What one attempt of a job is charged."""

    job_uid: str
    attempt: int
    queue: str
    namespace: str
    at: int
    """When it was bound: milliseconds since the epoch."""
    amount: int
    """Micro-units of common-unit hours for `seconds`, not inflated."""
    seconds: int
    final: bool = False
    """It has ended, and `seconds` is how long it lasted."""

    def lasted(self, seconds: int) -> "Use":
        """Return the correction of this charge once the attempt has ended, in proportion to how long it really lasted."""
        amount = self.amount * max(seconds, 0) // max(self.seconds, 1)
        fields = {name: getattr(self, name) for name in ("job_uid", "attempt", "queue", "namespace", "at")}
        return Use(**fields, amount=amount, seconds=max(seconds, 0), final=True)


class UseStore:
    """Charges and their sums. Raises StoreError at the start, and SQLAlchemyError where the database fails later."""

    def __init__(self, url: str, *, half_life: int, now: int) -> None:
        """Open and migrate; an empty URL is a database in memory. Times in milliseconds; sums follow a changed half-life."""
        self._half_life = half_life
        try:
            self._engine = _engine(url)
            upgrade(self._engine)
            with self._engine.begin() as connection:
                self._rescale(connection, now)
        except (SQLAlchemyError, ImportError) as error:
            raise StoreError(
                f"SAMPAN_STORE: the database cannot be opened ({type(error).__name__}); want sqlite:////PATH or postgresql+psycopg://…, "
                "its folder writable, its server there, its driver installed"
            ) from None

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
        """Take in charges and corrections, all or none. What is known already, or follows a correction, changes nothing."""
        with self._engine.begin() as connection:
            for use in uses:
                self._take(connection, use)

    def prune(self, before: int) -> None:
        """Forget corrected charges of attempts bound before then; the sums keep them."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(CHARGES).where(CHARGES.c.final, CHARGES.c.at < before))

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def _take(self, connection: sa.Connection, use: Use) -> None:
        mine = (CHARGES.c.job_uid == use.job_uid) & (CHARGES.c.attempt == use.attempt)
        known = connection.execute(sa.select(CHARGES).where(mine).with_for_update()).first()
        if known is None:
            connection.execute(sa.insert(CHARGES).values(**_values(use)))
            self._add(connection, use, decayed_forward(use.amount, use.at, self._half_life))
        elif use.final and not known.final:
            connection.execute(sa.update(CHARGES).where(mine).values(amount=use.amount, seconds=use.seconds, final=True))
            before, after = (decayed_forward(amount, known.at, self._half_life) for amount in (known.amount, use.amount))
            self._add(connection, Use(**known._mapping), after - before)

    def _add(self, connection: sa.Connection, use: Use, amount: int) -> None:
        mine = (TOTALS.c.queue == use.queue) & (TOTALS.c.namespace == use.namespace)
        known = connection.execute(sa.select(TOTALS.c.amount).where(mine).with_for_update()).scalar()
        if known is None:
            connection.execute(sa.insert(TOTALS).values(queue=use.queue, namespace=use.namespace, amount=str(amount)))
        else:
            connection.execute(sa.update(TOTALS).where(mine).values(amount=str(int(known) + amount)))

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


def _values(use: Use) -> dict[str, Any]:
    return {column.name: getattr(use, column.name) for column in CHARGES.columns}


def _engine(url: str) -> sa.Engine:
    if not url:
        return sa.create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    engine = sa.create_engine(url, pool_pre_ping=True)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _tune)
    return engine


def _tune(connection: Any, _: object) -> None:
    """Readers and the writer do not block each other, and what was committed survives a power cut."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
