"""Opening the log's database, and bringing it to the version this code writes."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from decisioning.errors import KairosError

HEAD = "0003"
_MIGRATIONS = Path(__file__).with_name("migrations")


def engine_for(url: str) -> sa.Engine:
    """An engine whose writers take the write lock when they begin, and whose commits are on disk when they return."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "sqlite":
        raise KairosError(f"the log's URL {parsed.render_as_string()} is not supported; use sqlite:///path/to/log.db")
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(parsed)

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        # SQLAlchemy begins transactions itself, below: the driver's own way would begin too late
        connection.isolation_level = None
        # what is deleted is overwritten: an erased customer's key must not stay on the disk
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 10000", "secure_delete = ON"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


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
