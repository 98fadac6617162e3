"""Reading the log and the state it implies: each read sees one moment, and nothing of customers who were erased."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import sqlalchemy as sa

from decisioning.customer import State
from features.join import Customer, Link
from features.log import identity, pending, refold, sealed, tables, written
from features.log.faults import guarded
from features.log.identity import Identity
from features.log.keys import Vault
from features.log.pending import Pending
from features.log.records import Record
from features.log.relinked import relinked
from features.log.state import StateRules
from features.log.verify import Verdict, verify

_STATE = sa.select(tables.customers.c.body, tables.customers.c.version).where(
    tables.customers.c.customer_id == sa.bindparam("customer_id")
)


class Reads:
    """What can be read of a log; `Log` opens it. Raises LogUnavailable where its database does not answer."""

    _engine: sa.Engine
    _vault: Vault
    _rules: StateRules

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
        return (State(customer_id=customer_id), 0) if row is None else (written.decode(row.body), row.version)

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
        """Whom the links told by records of these sequences concern (see `features.log.relinked`)."""
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
        streamed = query.limit(limit).execution_options(yield_per=10_000)
        with self._reading() as connection, connection.execute(streamed) as rows:
            for row in rows:
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
            streamed = self._after(after, kinds).execution_options(yield_per=10_000)
            for rows in connection.execute(streamed).partitions():
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
            return verify(connection, self._vault.anew(), refold.kept(connection, self._rules) or self._rules)

    def last_sequence(self) -> int:
        # asked many times a second by whoever follows the log: the driver answers in a tenth of the time
        with guarded(self._engine.dialect.loaded_dbapi.Error), closing(self._engine.raw_connection()) as raw:
            (last,) = raw.cursor().execute("SELECT max(sequence) FROM records").fetchone()
        return int(last or 0)

    def query(self, ask: Callable[[sa.Connection], Any]) -> Any:
        """Run a read of the log's other rooms (features.log.offers) on a connection of this log."""
        with self._reading() as connection:
            return ask(connection)

    def _after(self, after: int, kinds: Sequence[str]) -> sa.Select[Any]:
        query = sealed.READABLE.where(tables.records.c.sequence > after).order_by(tables.records.c.sequence)
        return query.where(tables.records.c.kind.in_(kinds)) if kinds else query

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with guarded(), self._engine.connect() as connection, connection.begin():
            yield connection
