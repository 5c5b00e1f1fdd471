"""The first step can be taken and taken back."""

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy.pool import StaticPool

from sampan.store.versions import v0001_use


def test_up_and_down_again() -> None:
    engine = sa.create_engine("sqlite://", poolclass=StaticPool)
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        v0001_use.upgrade()
        assert set(sa.inspect(connection).get_table_names()) == {"charges", "totals", "facts"}
        v0001_use.downgrade()
    with engine.connect() as connection:
        assert sa.inspect(connection).get_table_names() == []
