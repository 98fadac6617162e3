"""Appending: durable before it is acknowledged, idempotent by message id, the state in the same transaction."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from decisioning.errors import KairosError
from features.log import bulk, databases, folding, offers, pending, refold, sealed, tables
from features.log.adopt import adopt
from features.log.commits import TOGETHER, Commits
from features.log.erase import Receipt, erase
from features.log.faults import Conflict, LogUnavailable, guarded
from features.log.keys import VARIABLE, KeyFault, Vault, fingerprint, master_key
from features.log.reading import Reads
from features.log.records import Record
from features.log.schema import upgrade
from features.log.state import StateRules

__all__ = ["Conflict", "Log", "LogUnavailable"]

_MASTER = "master_key_fingerprint"


class Log(Reads):
    """The log of one workspace, and the state its records imply.

    `url` is that of a file (`sqlite:///...`, in WAL mode with full sync) or of a database on a server (`postgresql://...`).
    Safe for threads and processes. The master key is that of KAIROS_MASTER_KEY or of `master.key` in `folder`, by default
    the file's; readers skip the records of erased customers. `rules` fold records into states, by default those that the
    log keeps. `writer` names the chain that is written; at most `together` appends share a commit.
    """

    def __init__(
        self,
        url: str,
        rules: StateRules | None = None,
        *,
        writer: str = "main",
        folder: Path | None = None,
        together: int = TOGETHER,
    ) -> None:
        self._engine = databases.engine_for(url)
        self._database = databases.database_of(self._engine)
        self._dialect = self._database.dialect
        self._rules, self._writer = rules or StateRules(), writer
        self._commits = Commits(self._writing, together=together)
        try:
            with guarded():
                upgrade(self._engine)
            self._vault = self._unlocked(folder or databases.folder_of(self._engine))
            with self._writing() as connection:
                adopt(connection, self._dialect, self._vault, self._rules)
                rules = rules or refold.outdated(connection)
            if rules is not None:
                self.follow(rules)
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
        whole: bool = False,
    ) -> list[bool]:
        """Append, whole or not at all. True for each record that is new, False where its message id was there already.

        It is durable when this returns; threads that append at once share a commit. `expecting` gives the version of a
        customer's state that the record was made from, `budgets` the number that may ever be out of an action it takes,
        `whole` says that the records are one thing, of which all or none is new; where any of these does not hold nothing is
        written and Conflict is raised.
        """

        def work(connection: sa.Connection) -> list[bool]:
            new = self._append(connection, records, expecting or {}, budgets or {})
            if whole and any(new) and not all(new):
                raise Conflict("a part of this was appended before, under the same message ids")
            return new

        return self._commits.run(work)

    def follow(self, rules: StateRules) -> int:
        """Fold by these rules from now on; states that were folded by others are folded again, all or none.

        How many changed. Every process that has this log open goes on by them.
        """
        # a commit of its own: who shared it would have begun by the rules of before
        with self._writing() as connection:
            return refold.follow(connection, self._dialect, self._vault, rules)

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
        may start afresh. What other tables know of them is to be deleted until `finish`: see `pending`. The receipt tells
        where what was deleted could not be overwritten yet; each erasure, even of nobody, tries that again.
        """
        with self._writing() as connection:
            receipt = erase(
                connection,
                self._dialect,
                self._vault,
                self._rules,
                customer_id,
                writer=self._writer,
                at=at,
                remains=self._database.remains,
            )
        if receipt is not None:
            for owner in receipt.owners:
                self._vault.forget(owner)
        # committed: whatever happens now, the receipt is told
        if databases.overwrite(self._engine) or receipt is None:
            return receipt
        return replace(receipt, remains=f"{receipt.remains}; {databases.LEFT}")

    def finish(self, receipt_id: str) -> None:
        """What other tables knew of an erased customer is deleted."""
        with self._writing() as connection:
            pending.drop(connection, receipt_id)

    # ------------------------------------------------------------------------------------------------------------- inside

    def _append(
        self,
        connection: sa.Connection,
        records: Sequence[Record],
        expecting: Mapping[str, int],
        budgets: Mapping[str, int],
    ) -> list[bool]:
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
            folding.follow(connection, self._vault, self._rules, fresh, sequences, expecting)
            offers.follow(connection, self._dialect, fresh)
            if not offers.within_budgets(connection, budgets, fresh):
                raise Conflict("a budget ran out while the decision was made")
        return new

    def _known(self, connection: sa.Connection, ids: list[str]) -> set[str]:
        column = tables.records.c.message_id
        return {row[0] for row in bulk.those_in(connection, column, ids, column)}

    def _unlocked(self, folder: Path | None) -> Vault:
        """The vault of this log's master key. Raises KeyFault for another one's."""
        if folder is None and not databases.is_in_memory(self._engine) and not os.environ.get(VARIABLE):
            raise KeyFault(f"a log on a server needs a folder for its master key, or {VARIABLE}")
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        master = master_key(folder, is_new=self.setting(_MASTER) is None)
        if self.set_once(_MASTER, fingerprint(master)) != fingerprint(master):
            raise KeyFault("the master key is not the one that this log was written with; restore that one")
        return Vault(master)

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """A transaction that is alone from its beginning. It folds by the rules that are kept, whoever set them."""
        with guarded(), self._engine.connect().execution_options(writes=True) as connection, connection.begin():
            self._rules = refold.kept(connection, self._rules) or self._rules
            yield connection
