"""The online store: one packed row a customer and view in SQLite, read in tens of microseconds, without Feast.

One WITHOUT ROWID table a view; what each table meant when it was written stands in `schema`, how far the log has been folded
in `meta`, and both change in the transaction that changes the rows.
"""

import sqlite3
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from decisioning.customer import Profile
from features import population
from features.packed_lease import FileLease
from features.packed_rows import Form, StoredRows, entity_key
from features.packed_views import Views
from features.schema import ProfileSpec
from features.stores import StoreError
from features.wal import keep_in_wal

_IN_ONE_QUERY = 500
_BUSY_S = 10.0


class PackedStore:
    """The online store of one workspace, for the profile `spec`. Safe for threads; a connection each.

    A file that does not exist is made, empty: nothing of the log is folded in yet. A view whose stored schema is not that of
    `spec` reads as not found, and may not be written before it is loaded anew (`features materialize`).
    """

    def __init__(self, path: Path, spec: ProfileSpec) -> None:
        self._path = path
        self._mine = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._views = Views(spec)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._prepare()
            self._reading = self._compiled()
            # what is gone or is not what it should be is found now, and not by the first reader
            self._found(b"")
            _ = self.cursor, self.population()
        except (sqlite3.DatabaseError, ValueError, msgspec.DecodeError) as error:
            self.close()
            raise StoreError(
                f"{path}: not an online store ({error}); delete it and run 'kairos features materialize'"
            ) from error

    def close(self) -> None:
        while self._opened:
            self._opened.pop().close()

    def read(self, customer_id: str, now: datetime) -> Profile:
        """The customer's profile aged to `now`; empty for one nobody has heard of.

        A row of a third-party view that takes effect after `now` is not there yet, one past its ttl no more.
        """
        found, views = self._found(entity_key(customer_id))
        return self._views.profile(views, found, now)

    def rows(self, view: str, customers: Sequence[str]) -> StoredRows:
        """The stored rows of those customers who have one; none of a stale view."""
        # read again: another process may have loaded the store for another profile
        self._reading = self._compiled()
        return _rows(self._connection(), view, self._views.forms[view], () if view in self.stale else customers)

    @property
    def stale(self) -> tuple[str, ...]:
        """The views whose stored schema is not that of the profile."""
        return self._reading.stale

    @property
    def cursor(self) -> int:
        """The sequence of the last record folded in; 0 where none was."""
        return int(self.meta("cursor") or 0)

    def meta(self, name: str) -> str | None:
        row = self._connection().execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def population(self) -> dict[str, float]:
        """Mean habits of all customers by feature name, as of the last load; empty where nothing was loaded."""
        return population.decode(self.meta(population.META))

    def count(self, view: str) -> int:
        """How many customers have a row in a view."""
        return int(self._connection().execute(f"SELECT count(*) FROM {_quoted(view)}").fetchone()[0])

    @contextmanager
    def writing(self) -> Iterator["Writing"]:
        """One transaction, alone among writers; readers see all of it or nothing. Raises StoreError for a stale store."""
        with self._transaction() as connection:
            # read again, inside: another process may have loaded the store for another profile
            self._reading = self._compiled()
            if self.stale:
                views = ", ".join(self.stale)
                raise StoreError(
                    f"{self._path}: the profile changed since {views} were loaded; run 'kairos features materialize'"
                )
            yield Writing(connection, self._views.forms)

    @contextmanager
    def changing(self) -> Iterator["Writing"]:
        """One transaction like `writing`, in a store that may be stale: enough to delete, and to move the cursor."""
        with self._transaction() as connection:
            yield Writing(connection, self._views.forms)

    def load(self, rows: Mapping[str, StoredRows], *, cursor: int, meta: Mapping[str, str]) -> None:
        """Replace everything in one transaction: the rows of each view, what they mean, the cursor and further notes."""
        with self._transaction() as connection:
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE name GLOB 'view_*'").fetchall():
                connection.execute(f'DROP TABLE "{name}"')
            connection.execute("DELETE FROM schema")
            connection.execute("DELETE FROM meta")
            self._create_views(connection, self._views.forms)
            writing = Writing(connection, self._views.forms)
            for view, stored in rows.items():
                writing.put(view, stored)
            writing.move(cursor)
            connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
        self._reading = self._compiled()

    def renew(self, views: Collection[str] = ()) -> None:
        """Make the stale views and those named anew, empty.

        Raises StoreError where the store follows a log (cursor > 0): their history would be lost.
        """
        with self._transaction() as connection:
            stored = dict(connection.execute("SELECT view, checksum FROM schema").fetchall())
            anew = {*self._views.stale(stored), *views} & self._views.forms.keys()
            if anew and Writing(connection, self._views.forms).cursor:
                raise StoreError(f"{self._path}: the store follows the log; run 'kairos features materialize' to load it anew")
            for name in anew:
                connection.execute(f"DROP TABLE IF EXISTS {_quoted(name)}")
                connection.execute("DELETE FROM schema WHERE view = ?", (name,))
            self._create_views(connection, anew)
        self._reading = self._compiled()

    def lease(self) -> FileLease:
        return FileLease(self._path.with_name(f"{self._path.name}-lease"))

    def _found(self, key: bytes) -> tuple[tuple[bytes | None, ...], tuple[str, ...]]:
        reading = self._reading
        try:
            return self._connection().execute(reading.query, {"key": key}).fetchone(), reading.views
        except sqlite3.OperationalError:
            # another process loaded the store for another profile: ask for what both have
            self._reading = reading = self._compiled()
            return self._connection().execute(reading.query, {"key": key}).fetchone(), reading.views

    def _prepare(self) -> None:
        connection = self._connection()
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema'").fetchone():
            return
        with self._transaction():
            connection.execute("CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS schema (view TEXT PRIMARY KEY, checksum INTEGER NOT NULL) WITHOUT ROWID"
            )
            if connection.execute("SELECT 1 FROM schema").fetchone() is None:
                self._create_views(connection, self._views.forms)

    def _create_views(self, connection: sqlite3.Connection, names: Collection[str]) -> None:
        for view, form in self._views.forms.items():
            if view not in names:
                continue
            connection.execute(f"CREATE TABLE {_quoted(view)} (key BLOB PRIMARY KEY, row BLOB NOT NULL) WITHOUT ROWID")
            connection.execute("INSERT INTO schema VALUES (?, ?)", (view, form.checksum))

    def _compiled(self) -> "_Reading":
        stored = dict(self._connection().execute("SELECT view, checksum FROM schema").fetchall())
        fresh = self._views.fresh(stored)
        chosen = ", ".join(f"(SELECT row FROM {_quoted(name)} WHERE key = :key)" for name in fresh)
        return _Reading(query=f"SELECT {chosen or ':key'}", views=fresh, stale=self._views.stale(stored))

    def _connection(self) -> sqlite3.Connection:
        mine: sqlite3.Connection | None = getattr(self._mine, "connection", None)
        if mine is None:
            # closed by close(), which may run in another thread
            mine = sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
            self._opened.append(mine)
            keep_in_wal(mine, within_s=_BUSY_S)
            # a crash may lose the last commits, rows and cursor alike: they are folded again from the log
            mine.execute("PRAGMA synchronous = NORMAL")
            # what is deleted is overwritten
            mine.execute("PRAGMA secure_delete = ON")
            self._mine.connection = mine
        return mine

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self._connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


class Writing:
    """An open transaction of the store."""

    def __init__(self, connection: sqlite3.Connection, forms: Mapping[str, Form]) -> None:
        self._connection, self._forms = connection, forms

    @property
    def cursor(self) -> int:
        row = self._connection.execute("SELECT value FROM meta WHERE name = 'cursor'").fetchone()
        return 0 if row is None else int(row[0])

    def move(self, cursor: int) -> None:
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES ('cursor', ?)", (str(cursor),))

    def rows(self, view: str, customers: Sequence[str]) -> StoredRows:
        """The stored rows of those customers who have one."""
        return _rows(self._connection, view, self._forms[view], customers)

    def delete(self, customer_id: str) -> int:
        """Delete a customer's row from every view, those of older profiles too; how many there were."""
        views = self._connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'view_*'"
        ).fetchall()
        key = (entity_key(customer_id),)
        return sum(self._connection.execute(f'DELETE FROM "{view}" WHERE key = ?', key).rowcount for (view,) in views)

    def put(self, view: str, stored: StoredRows) -> None:
        """Write rows, over those that were there."""
        blobs = self._forms[view].pack(stored)
        self._connection.executemany(
            f"INSERT OR REPLACE INTO {_quoted(view)} VALUES (?, ?)", zip(map(entity_key, stored.customers), blobs, strict=True)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    query: str
    views: tuple[str, ...]
    stale: tuple[str, ...]


def _rows(connection: sqlite3.Connection, view: str, form: Form, customers: Sequence[str]) -> StoredRows:
    who = {entity_key(customer): customer for customer in customers}
    keys = list(who)
    found: list[tuple[bytes, bytes]] = []
    for start in range(0, len(keys), _IN_ONE_QUERY):
        part = keys[start : start + _IN_ONE_QUERY]
        marks = ", ".join("?" * len(part))
        found += connection.execute(f"SELECT key, row FROM {_quoted(view)} WHERE key IN ({marks})", part).fetchall()
    kept = [(who[key], blob) for key, blob in found if form.fits(blob)]
    return form.unpack([customer for customer, _ in kept], [blob for _, blob in kept])


def _quoted(view: str) -> str:
    return f'"view_{view}"'
