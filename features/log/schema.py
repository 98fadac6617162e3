"""Bringing the log's database to the version this code writes."""

from pathlib import Path

import sqlalchemy as sa

from decisioning.errors import KairosError

HEAD = "0004"
_MIGRATIONS = Path(__file__).with_name("migrations")


def upgrade(engine: sa.Engine) -> None:
    """Run what migrations are missing. A database written by a newer Kairos is refused."""
    version = _version(engine)
    if version == HEAD:
        return
    if version is not None and version > HEAD:
        raise KairosError(f"the log was written by a newer Kairos (schema {version}, this one knows {HEAD}); upgrade Kairos")
    # alembic is needed on the first start only; importing it costs more than a check
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _version(engine: sa.Engine) -> str | None:
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
