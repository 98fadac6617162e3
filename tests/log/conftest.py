"""A log of its own for each test, once in a file and once on a real PostgreSQL."""

import base64
import itertools
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from features.log import Log
from features.log.keys import VARIABLE
from features.log.tables import metadata
from tests import postgres_server
from tests.log.writing import RULES

VERSIONS = "alembic_version"
KEY = base64.b64encode(bytes(32)).decode()
_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgres_server.Server]:
    """A server with an empty log, migrated, in its database `postgres`: its tables are copied for each test."""
    with postgres_server.running() as server:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(VARIABLE, KEY)
            Log(server.url + "postgres").close()
        yield server


@pytest.fixture
def empty(postgres: postgres_server.Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """An address on the server where nothing is."""
    monkeypatch.setenv(VARIABLE, KEY)
    schema = f"log_{next(_numbers)}"
    postgres.run(f"CREATE SCHEMA {schema}")
    return f"{postgres.url}postgres?options=-csearch_path%3D{schema}"


@pytest.fixture(params=["file", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a log can be, with nothing written yet: every test of a log runs for each, unless it says `in_a_file`."""
    if request.param == "file":
        return f"sqlite:///{tmp_path / 'log.db'}"
    address: str = request.getfixturevalue("empty")
    copies = [f"CREATE TABLE {name} (LIKE public.{name} INCLUDING ALL)" for name in (*metadata.tables, VERSIONS)]
    with psycopg.connect(address) as connection:
        connection.execute("; ".join((*copies, f"INSERT INTO {VERSIONS} TABLE public.{VERSIONS}")).encode())
    return address


@pytest.fixture
def log(url: str) -> Iterator[Log]:
    log = Log(url, RULES)
    yield log
    log.close()
