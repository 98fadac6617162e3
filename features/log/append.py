"""Appending: durable before it is acknowledged, idempotent by message id, the state in the same transaction."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from decisioning.domain import State
from decisioning.errors import KairosError
from features.join import Customer, Link
from features.log import bulk, folding, identity, offers, pending, sealed, state, tables
from features.log.adopt import adopt
from features.log.erase import Receipt, erase
from features.log.faults import Conflict, LogUnavailable, guarded
from features.log.identity import Identity
from features.log.keys import KeyFault, Vault, fingerprint, master_key
from features.log.pending import Pending
from features.log.records import Record
from features.log.relinked import relinked
from features.log.schema import engine_for, upgrade
from features.log.state import StateRules
from features.log.verify import Verdict, verify

__all__ = ["Conflict", "Log", "LogUnavailable"]

_MASTER = "master_key_fingerprint"
_STATE = sa.select(tables.customers.c.body, tables.customers.c.version).where(
    tables.customers.c.customer_id == sa.bindparam("customer_id")
)


class Log:
    """The log of one workspace, and the state its records imply.

    `url` is an SQLAlchemy URL (SQLite in WAL mode with full sync). Safe for threads; a connection each. The master key is
    that of KAIROS_MASTER_KEY or of `master.key` beside the database; readers skip the records of erased customers. `writer`
    names the chain that is written.
    """

    def __init__(self, url: str, rules: StateRules | None = None, *, writer: str = "main") -> None:
        self._engine = engine_for(url)
        self._rules, self._writer = rules or StateRules(), writer
        self._dialect = sqlite if self._engine.dialect.name == "sqlite" else postgresql
        try:
            with guarded():
                upgrade(self._engine)
            self._vault = self._unlocked()
            with self._writing() as connection:
                adopt(connection, self._dialect, self._vault, self._rules)
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
                first = sealed.next_sequence(connection)
                sequences = range(first, first + len(fresh))
                sealed.write(connection, self._dialect, self._vault, fresh, writer=self._writer, sequences=sequences)
                folding.follow(connection, self._vault, self._rules, fresh, sequences, expecting or {})
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

    def erase(self, customer_id: str, *, at: datetime) -> Receipt | None:
        """Destroy the keys of all a customer's ids and delete what is kept of them, in one durable commit.

        Any of the ids will do; None for one nobody has heard of. A message id that was theirs stays taken; the customer ids
        may start afresh. What other tables know of them is to be deleted until `finish`: see `pending`.
        """
        with self._writing() as connection:
            receipt = erase(connection, self._dialect, self._vault, self._rules, customer_id, writer=self._writer, at=at)
        if receipt is not None:
            for owner in receipt.owners:
                self._vault.forget(owner)
        # what was deleted would stay readable in the write-ahead log
        with guarded(), closing(self._engine.raw_connection()) as raw:
            raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return receipt

    def finish(self, receipt_id: str) -> None:
        """What other tables knew of an erased customer is deleted."""
        with self._writing() as connection:
            pending.drop(connection, receipt_id)

    # ------------------------------------------------------------------------------------------------------------ reading

    def setting(self, name: str) -> str | None:
        query = sa.select(tables.settings.c.value).where(tables.settings.c.name == name)
        with self._reading() as connection:
            return connection.execute(query).scalar_one_or_none()

    def state(self, customer_id: str) -> tuple[State, int]:
        """The state of the customer whom an id means, and its version; an empty state and 0 for one nobody has heard of.

        `State.customer_id` is the customer's name, which is another id than the one asked where they became one.
        """
        with self._reading() as connection:
            row = connection.execute(_STATE, {"customer_id": customer_id}).one_or_none()
            if row is None:  # only a name has a state
                customer_id = identity.names(connection, [customer_id]).get(customer_id, customer_id)
                row = connection.execute(_STATE, {"customer_id": customer_id}).one_or_none()
        return (State(customer_id=customer_id), 0) if row is None else (state.decode(row.body), row.version)

    def customer(self, customer_id: str) -> Customer:
        """Whom an id means: the name and all ids of one customer; itself where no link names it."""
        with self._reading() as connection:
            return identity.customer(connection, customer_id)

    def identity(self, customer_id: str) -> Identity:
        """The same with every link that told of it, and those that join nothing."""
        with self._reading() as connection:
            return identity.explained(connection, self._vault, customer_id)

    def names(self, customer_ids: Sequence[str]) -> dict[str, str]:
        """The customer's name for each of these ids that is not its own."""
        with self._reading() as connection:
            return identity.names(connection, customer_ids)

    def relinked(self, *, after: int, until: int) -> dict[str, int]:
        """The ids whose customer may be another one since records of these sequences (`after` excluded), and when that
        became known (microseconds since 1970)."""
        with self._reading() as connection:
            return relinked(connection, after=after, until=until)

    def links(self, *, until: int | None = None) -> list[Link]:
        """All links that told something new, in the order of the log; those of records up to sequence `until`."""
        with self._reading() as connection:
            return identity.all_links(connection, until=until)

    def record(self, message_id: str) -> Record | None:
        """None where there is none, and where its customer was erased."""
        with self._reading() as connection:
            row = connection.execute(sealed.READABLE.where(tables.records.c.message_id == message_id)).one_or_none()
        return None if row is None else sealed.record_of(row, self._vault)

    def latest(self, kind: str) -> Record | None:
        """The newest record of a kind."""
        query = sealed.READABLE.where(tables.records.c.kind == kind)
        with self._reading() as connection:
            row = connection.execute(query.order_by(tables.records.c.sequence.desc()).limit(1)).one_or_none()
        return None if row is None else sealed.record_of(row, self._vault)

    def read(self, *, after: int = 0, kinds: Sequence[str] = (), limit: int | None = None) -> Iterator[Record]:
        """Records with a sequence above `after`, in order, all kinds or only those named."""
        query = self._after(after, kinds)
        with self._reading() as connection:
            for row in connection.execution_options(yield_per=10_000).execute(query.limit(limit)):
                yield sealed.record_of(row, self._vault)

    def read_of(self, customer_ids: Sequence[str], *, until: int | None = None, kinds: Sequence[str] = ()) -> Iterator[Record]:
        """The records that came with these very ids (nobody else's, however linked), in order, up to sequence `until`."""
        with self._reading() as connection:
            for row in identity.records_of(connection, customer_ids, until=until, kinds=kinds):
                yield sealed.record_of(row, self._vault)

    def columns(self, *, kinds: Sequence[str] = (), after: int = 0) -> dict[str, list[Any]]:
        """The same as columns, for vectorised readers: sequence, kind, customer_id, event_us, known_us, payload."""
        names = ("sequence", "kind", "customer_id", "event_us", "known_us", "payload")
        columns: dict[str, list[Any]] = {name: [] for name in names}
        with self._reading() as connection:
            for rows in connection.execution_options(yield_per=10_000).execute(self._after(after, kinds)).partitions():
                found: dict[str, Sequence[Any]] = dict(zip(rows[0]._fields, zip(*rows, strict=True), strict=True))
                found["payload"] = sealed.payloads_of(found, self._vault)
                for name in names:
                    columns[name] += found[name]
        return columns

    def pending(self, customer_id: str) -> list[Pending]:
        """Erasures of this id that are not finished."""
        with self._reading() as connection:
            return pending.of(connection, self._vault, customer_id)

    def erased(self) -> int:
        """How many records readers skip, because their customers were erased."""
        owned = tables.keys
        query = sa.select(sa.func.count()).outerjoin_from(tables.records, owned, owned.c.owner == tables.records.c.owner)
        with self._reading() as connection:
            return int(
                connection.execute(query.where(tables.records.c.owner.is_not(None), owned.c.owner.is_(None))).scalar_one()
            )

    def verify(self) -> Verdict:
        """Whether chain, keys and state are whole and agree, as of one moment."""
        with self._reading() as connection:
            return verify(connection, self._vault.anew(), self._rules)

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
        column = tables.records.c.message_id
        return {row[0] for row in bulk.those_in(connection, column, ids, column)}

    def _after(self, after: int, kinds: Sequence[str]) -> sa.Select[Any]:
        query = sealed.READABLE.where(tables.records.c.sequence > after).order_by(tables.records.c.sequence)
        return query.where(tables.records.c.kind.in_(kinds)) if kinds else query

    def _unlocked(self) -> Vault:
        """The vault of this log's master key. Raises KeyFault for another one's."""
        parsed = self._engine.url.database
        folder = Path(parsed).parent if parsed and parsed != ":memory:" else None
        master = master_key(folder, is_new=self.setting(_MASTER) is None)
        if self.set_once(_MASTER, fingerprint(master)) != fingerprint(master):
            raise KeyFault("the master key is not the one that this log was written with; restore that one")
        return Vault(master)

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with guarded(), self._engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with guarded(), self._engine.connect() as connection:
            yield connection
