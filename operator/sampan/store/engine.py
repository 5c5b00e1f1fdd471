"""Opens a database by its URL and brings it to the newest schema. No queries here."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from sampan.store.migration import upgrade


class StoreError(Exception):
    """The database cannot be opened. The message never holds the URL, which may hold a password."""


@contextmanager
def opening() -> Iterator[None]:
    """Turn what goes wrong while a database is opened into StoreError."""
    try:
        yield
    except (SQLAlchemyError, ImportError) as error:
        raise StoreError(
            f"SAMPAN_STORE: the database cannot be opened ({type(error).__name__}); want sqlite:////PATH or postgresql+psycopg://…, "
            "its folder writable, its server there, its driver installed"
        ) from None


def open_engine(url: str) -> sa.Engine:
    """Open and migrate; an empty URL is a database in memory, of this engine alone. Raises SQLAlchemyError and ImportError."""
    engine = _engine(url)
    upgrade(engine)
    return engine


def _engine(url: str) -> sa.Engine:
    if not url:
        return sa.create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    # A database without an encoding of its own (SQL_ASCII) answers in bytes, which SQLAlchemy cannot read, unless the client asks for text.
    text = {"client_encoding": "utf8"} if sa.make_url(url).get_backend_name() == "postgresql" else {}
    engine = sa.create_engine(url, pool_pre_ping=True, connect_args=text)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _tune)
    return engine


def _tune(connection: Any, _: object) -> None:
    """Readers and the writer do not block each other, and what was committed survives a power cut."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
