"""Brings a database to the newest schema. The steps themselves are in `versions`."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory

from sampan.store.tables import METADATA


def upgrade(engine: sa.Engine) -> None:
    """Apply every step that is not applied yet, all in one transaction where the database can. Raises SQLAlchemyError."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("version_locations", str(Path(__file__).parent / "versions").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)

    def steps(revision: Any, _: Any) -> Any:
        return scripts._upgrade_revs("head", revision)

    with EnvironmentContext(config, scripts, fn=steps) as environment, engine.begin() as connection:
        environment.configure(connection=connection, target_metadata=METADATA)
        environment.run_migrations()
