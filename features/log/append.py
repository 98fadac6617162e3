"""Appending: durable before it is acknowledged, idempotent by message id, the state in the same transaction."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from decisioning.domain import State
from decisioning.errors import KairosError
from features.log import offers, state, tables
from features.log.records import Record, microseconds, moment
from features.log.schema import engine_for, upgrade
from features.log.state import StateRules

_CHUNK = 500


class Conflict(KairosError):
    """Another decision changed the customer's state, or took the last of a budget, since it was read: decide again."""


class LogUnavailable(KairosError):
    """The log cannot be written or read now; nothing was acknowledged."""


class Log:
    """The log of one workspace, and the state its records imply.

    `url` is an SQLAlchemy URL (SQLite in WAL mode with full sync). Safe for threads; a connection each.
    """

    def __init__(self, url: str, rules: StateRules | None = None) -> None:
        self._engine = engine_for(url)
        self._rules = rules or StateRules()
        self._dialect = sqlite if self._engine.dialect.name == "sqlite" else postgresql
        try:
            with self._guarded():
                upgrade(self._engine)
        except KairosError:
            self._engine.dispose()
            raise

    def close(self) -> None:
        self._engine.dispose()

    # ------------------------------------------------------------------------------------------------------------ writing

    def append(
        self,
        records: Sequence[Record],
        *,
        expecting: Mapping[str, int] | None = None,
        budgets: Mapping[str, int] | None = None,
    ) -> list[bool]:
        """Append in one durable commit. True for each record that is new, False where its message id was there already.

        `expecting` gives the version of a customer's state that the record was made from, `budgets` the number that may
        ever be out of an action it takes; where either no longer holds nothing is written and Conflict is raised.
        """
        with self._writing() as connection:
            known = self._known(connection, [record.message_id for record in records])
            new: list[bool] = []
            fresh: list[Record] = []
            for record in records:
                is_new = record.message_id not in known
                known.add(record.message_id)
                new.append(is_new)
                if is_new:
                    fresh.append(record)
            if fresh:
                self._insert(connection, fresh)
                self._fold(connection, fresh, expecting or {})
                offers.follow(connection, self._dialect, fresh)
                if not offers.within_budgets(connection, budgets or {}, fresh):
                    raise Conflict("a budget ran out while the decision was made")
        return new

    def set_once(self, name: str, value: str) -> str:
        """Keep a setting if none is kept yet; the one that is kept."""
        with self._writing() as connection:
            insert = self._dialect.insert(tables.settings).values(name=name, value=value)
            connection.execute(insert.on_conflict_do_nothing())
            found = connection.execute(sa.select(tables.settings.c.value).where(tables.settings.c.name == name))
            return str(found.scalar_one())

    # ------------------------------------------------------------------------------------------------------------ reading

    def setting(self, name: str) -> str | None:
        query = sa.select(tables.settings.c.value).where(tables.settings.c.name == name)
        with self._reading() as connection:
            return connection.execute(query).scalar_one_or_none()

    def state(self, customer_id: str) -> tuple[State, int]:
        """A customer's state and its version; an empty state and 0 for one nobody has heard of."""
        query = sa.select(tables.customers.c.body, tables.customers.c.version)
        with self._reading() as connection:
            row = connection.execute(query.where(tables.customers.c.customer_id == customer_id)).one_or_none()
        return (State(customer_id=customer_id), 0) if row is None else (state.decode(row.body), row.version)

    def record(self, message_id: str) -> Record | None:
        query = sa.select(tables.records).where(tables.records.c.message_id == message_id)
        with self._reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _record(row)

    def latest(self, kind: str) -> Record | None:
        """The newest record of a kind."""
        query = sa.select(tables.records).where(tables.records.c.kind == kind)
        with self._reading() as connection:
            row = connection.execute(query.order_by(tables.records.c.sequence.desc()).limit(1)).one_or_none()
        return None if row is None else _record(row)

    def read(self, *, after: int = 0, kinds: Sequence[str] = (), limit: int | None = None) -> Iterator[Record]:
        """Records with a sequence above `after`, in order, all kinds or only those named."""
        query = self._after(sa.select(tables.records), after, kinds).order_by(tables.records.c.sequence)
        with self._reading() as connection:
            for row in connection.execution_options(yield_per=10_000).execute(query.limit(limit)):
                yield _record(row)

    def columns(self, *, kinds: Sequence[str] = (), after: int = 0) -> dict[str, list[Any]]:
        """The same as columns, for vectorised readers: sequence, kind, customer_id, event_us, known_us, payload."""
        table = tables.records.c
        wanted = (table.sequence, table.kind, table.customer_id, table.event_us, table.known_us, table.payload)
        query = self._after(sa.select(*wanted), after, kinds).order_by(table.sequence)
        with self._reading() as connection:
            rows = connection.execute(query).all()
        names = [column.name for column in wanted]
        return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)) if rows else {name: [] for name in names}

    def last_sequence(self) -> int:
        with self._reading() as connection:
            query = sa.select(sa.func.coalesce(sa.func.max(tables.records.c.sequence), 0))
            return int(connection.execute(query).scalar_one())

    def query(self, ask: Callable[[sa.Connection], Any]) -> Any:
        """Run a read of the log's other rooms (features.log.offers) on a connection of this log."""
        with self._reading() as connection:
            return ask(connection)

    # ------------------------------------------------------------------------------------------------------------- inside

    def _known(self, connection: sa.Connection, ids: list[str]) -> set[str]:
        known: set[str] = set()
        for start in range(0, len(ids), _CHUNK):
            query = sa.select(tables.records.c.message_id).where(tables.records.c.message_id.in_(ids[start : start + _CHUNK]))
            known.update(connection.execute(query).scalars())
        return known

    def _insert(self, connection: sa.Connection, records: Sequence[Record]) -> None:
        rows = [
            {
                "message_id": record.message_id,
                "kind": record.kind,
                "version": record.version,
                "customer_id": record.customer_id,
                "event_us": microseconds(record.event_time),
                "known_us": microseconds(record.known_time),
                "payload": record.payload,
            }
            for record in records
        ]
        connection.execute(sa.insert(tables.records), rows)

    def _fold(self, connection: sa.Connection, records: Sequence[Record], expecting: Mapping[str, int]) -> None:
        """Fold the records into their customers' states, one read and one write a customer."""
        by_customer: dict[str, list[Record]] = defaultdict(list)
        for record in records:
            if record.customer_id is not None:
                by_customer[record.customer_id].append(record)
        table, ids = tables.customers, list(by_customer)
        rows = {}
        for start in range(0, len(ids), _CHUNK):
            query = sa.select(table).where(table.c.customer_id.in_(ids[start : start + _CHUNK]))
            rows.update({row.customer_id: row for row in connection.execute(query)})
        changed = []
        for customer_id, theirs in by_customer.items():
            row = rows.get(customer_id)
            version = row.version if row else 0
            if expecting.get(customer_id, version) != version:
                raise Conflict("the customer's state changed while the decision was made")
            before = state.decode(row.body) if row else State(customer_id=customer_id)
            after = before
            for record in theirs:
                after = state.fold(after, record, self._rules)
            if after != before:
                changed.append({"customer_id": customer_id, "version": version + 1, "body": state.encode(after)})
        if changed:
            insert = self._dialect.insert(table)
            new = {"version": insert.excluded.version, "body": insert.excluded.body}
            connection.execute(insert.on_conflict_do_update(index_elements=["customer_id"], set_=new), changed)

    def _after(self, query: sa.Select[Any], after: int, kinds: Sequence[str]) -> sa.Select[Any]:
        query = query.where(tables.records.c.sequence > after)
        return query.where(tables.records.c.kind.in_(kinds)) if kinds else query

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
            raise LogUnavailable(f"the log cannot be used: {getattr(error, 'orig', error)}") from error

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with self._guarded(), self._engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with self._guarded(), self._engine.connect() as connection:
            yield connection


def _record(row: Any) -> Record:
    return Record(
        sequence=row.sequence,
        message_id=row.message_id,
        kind=row.kind,
        version=row.version,
        customer_id=row.customer_id,
        event_time=moment(row.event_us),
        known_time=moment(row.known_us),
        payload=row.payload,
    )
