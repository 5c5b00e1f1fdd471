"""Any database comes to the newest schema, once and again, and that is the schema which the queries use."""

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.pool import StaticPool

from sampan.store.migration import upgrade
from sampan.store.tables import METADATA


def test_the_newest_schema_is_that_of_the_tables() -> None:
    engine = sa.create_engine("sqlite://", poolclass=StaticPool)
    upgrade(engine)
    upgrade(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
        assert connection.execute(sa.text("select version_num from alembic_version")).scalars().all() == ["0002"]
