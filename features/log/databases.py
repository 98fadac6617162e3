"""The two databases that a log may lie in, and what is each one's own: how a writer begins, what is durable, what is left."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from decisioning.errors import KairosError
from features.log.faults import LogUnavailable, guarded
from features.log.tables import metadata
from features.wal import keep_in_wal

FORMS = "sqlite:///path/to/log.db or postgresql://user:password@host:5432/database"
LEFT = (
    "what was deleted could not be overwritten, because others used the log or its server was lost: the customer's key, ids "
    "and state can be read in the database's files until it is tried again, which any other erasure does"
)
_WAIT_S = 10
_WRITERS = 0x4B6169726F73  # "Kairos": the number of the advisory lock that a writer holds until its commit is visible

_IN_TRANSACTION = 2  # PQTRANS_INTRANS of libpq: neither failed (3) nor unknown (4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """What one of the two needs said in its own words.

    `reading` and `writing` begin a transaction. A reader sees one moment; a writer is alone from its beginning to its
    commit, over all processes, so that sequences become visible in ascending order and a reader's cursor misses none.
    `prepare` readies each new connection; `goes_on` tells whether one is still within a transaction that can be committed.
    `overwrite` is run after an erasure; what that cannot reach `remains`.
    """

    dialect: ModuleType
    reading: str
    writing: str
    prepare: Callable[[Any], None]
    goes_on: Callable[[Any], bool]
    overwrite: str
    remains: tuple[str, ...] = ()


def engine_for(url: str) -> sa.Engine:
    """An engine whose writers take the write lock when they begin, and whose commits are on disk when they return.

    Raises KairosError for a URL of neither database. No message shows a password.
    """
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise KairosError(f"the log's URL is none; write {FORMS}") from None
    backend = parsed.get_backend_name()
    if backend not in _DATABASES:
        raise KairosError(f"a log in {backend} is not supported; use {FORMS}")
    try:
        engine = _in_a_file(parsed) if backend == "sqlite" else _on_a_server(parsed)
    except sa.exc.ArgumentError:  # shows the whole URL
        raise KairosError(f"the log's URL is none of {backend}; write {FORMS}") from None
    database = _DATABASES[backend]

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        database.prepare(connection)

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql(database.writing if writes else database.reading)

    return engine


def database_of(engine: sa.Engine) -> Database:
    return _DATABASES[engine.dialect.name]


def goes_on(connection: sa.Connection) -> bool:
    """Whether the transaction that was begun is still there: where a disk is full or a server lost, the database ends it."""
    if connection.closed or connection.invalidated:
        return False
    return database_of(connection.engine).goes_on(connection.connection.dbapi_connection)


def overwrite(engine: sa.Engine) -> bool:
    """Make what was deleted unreadable, as far as the database can; False where others kept it from that for too long."""
    try:
        with guarded(engine.dialect.loaded_dbapi.Error), closing(engine.raw_connection()) as raw:
            cursor = raw.cursor()
            cursor.execute(database_of(engine).overwrite)
            # a checkpoint tells that a reader was in its way; VACUUM tells nothing, and raises where it waited in vain
            busy = cursor.description and any(row[0] for row in cursor.fetchall())
    except LogUnavailable:
        return False
    return not busy


def folder_of(engine: sa.Engine) -> Path | None:
    """The folder of the log's file; None in memory and on a server."""
    if engine.dialect.name != "sqlite" or is_in_memory(engine):
        return None
    return Path(str(engine.url.database)).parent


def is_in_memory(engine: sa.Engine) -> bool:
    return engine.dialect.name == "sqlite" and engine.url.database in (None, "", ":memory:")


def _in_a_file(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(url)
    if folder := folder_of(engine):
        folder.mkdir(parents=True, exist_ok=True)
    return engine


def _on_a_server(url: sa.URL) -> sa.Engine:
    """At most 15 connections a process. One that a restarted server closed is replaced before it is used."""
    given = {"connect_timeout": "5", "tcp_user_timeout": str(_WAIT_S * 1000), "application_name": "kairos"} | dict(url.query)
    url = url.set(drivername="postgresql+psycopg", query=given)
    try:
        return sa.create_engine(url, pool_pre_ping=True, pool_size=5, max_overflow=10, pool_timeout=_WAIT_S)
    except ModuleNotFoundError as error:
        cure = "pip install 'kairos-nba[postgres]'"
        raise KairosError(f"a log on PostgreSQL needs the package {error.name!r}: {cure}") from error


def _prepare_file(connection: Any) -> None:
    # transactions begin by the event above: the driver's own way would begin too late
    connection.isolation_level = None
    keep_in_wal(connection, within_s=_WAIT_S)
    # what is deleted is overwritten: an erased customer's key must not stay on the disk
    for pragma in (f"busy_timeout = {_WAIT_S * 1000}", "synchronous = FULL", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _prepare_session(connection: Any) -> None:
    # as above
    connection.autocommit = True
    asked = "SELECT current_setting('fsync'), current_setting('synchronous_commit'), current_setting('server_encoding')"
    fsync, commits, encoding = connection.execute(asked).fetchone()
    if fsync != "on":
        raise KairosError("the PostgreSQL server runs with fsync = off and may lose what was acknowledged; turn it on")
    if encoding != "UTF8":
        raise KairosError(f"the database of the log is in {encoding}; create one with ENCODING 'UTF8'")
    # what an administrator made stricter stays
    if commits not in ("on", "remote_apply"):
        connection.execute("SET synchronous_commit = on")
    connection.execute(f"SET lock_timeout = '{_WAIT_S}s'")


_DATABASES = {
    "sqlite": Database(
        dialect=sqlite,
        reading="BEGIN",
        writing="BEGIN IMMEDIATE",
        prepare=_prepare_file,
        goes_on=lambda connection: bool(connection.in_transaction),
        # what was deleted would stay readable in the write-ahead log
        overwrite="PRAGMA wal_checkpoint(TRUNCATE)",
    ),
    "postgresql": Database(
        dialect=postgresql,
        reading="BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        # each statement sees what was committed before it, thus all that was while the lock was waited for
        writing=f"BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock({_WRITERS})",
        prepare=_prepare_session,
        goes_on=lambda connection: bool(connection.info.transaction_status == _IN_TRANSACTION),
        overwrite=f"VACUUM {', '.join(name for name in sorted(metadata.tables) if name != 'records')}",
        remains=(
            "PostgreSQL leaves the deleted key and state in freed pages, in its write-ahead log, on replicas and in backups "
            "until they are written over or expire: who has those and the master key could read them",
        ),
    ),
}
