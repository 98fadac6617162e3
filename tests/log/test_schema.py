"""Opening the log's database, and what migrations make of it."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from decisioning.errors import KairosError
from features.log import Log
from features.log.databases import engine_for
from features.log.schema import HEAD, upgrade
from features.log.tables import metadata
from tests.log.writing import event


@pytest.mark.parametrize("server", [False, True])
def test_the_migrations_make_the_tables_that_the_code_reads(
    server: bool, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("empty") if server else f"sqlite:///{tmp_path / 'log.db'}"
    Log(url).close()
    engine = engine_for(url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_opening_a_log_again_changes_nothing(log: Log, url: str) -> None:
    log.append([event("A")])
    engine = engine_for(url)
    upgrade(engine)
    engine.dispose()
    assert log.last_sequence() == 1


def test_a_log_that_a_newer_kairos_wrote_is_refused_and_left_alone(log: Log, url: str) -> None:
    log.append([event("A")])
    engine = engine_for(url)
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(KairosError, match=f"newer Kairos .*9999.*{HEAD}.*upgrade"):
        Log(url)
    assert log.last_sequence() == 1


def test_the_newest_migration_is_the_one_the_code_knows() -> None:
    versions = Path(__file__).parents[2] / "features" / "log" / "migrations" / "versions"
    assert max(path.name.split("_")[0] for path in versions.glob("[0-9]*.py")) == HEAD
