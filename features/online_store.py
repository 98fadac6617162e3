"""Feast's online store over the packed one: what Feast materialises, pushes, writes and reads are the rows the server reads.

Named in `online_store:` of feature_store.yaml, which holds what the variable KAIROS_ONLINE_STORE says, such as
`{type: features.online_store.PackedOnlineStore, url: redis://localhost:6379/0}`.

It differs from Feast's own SQLite store on purpose in three things. Of two rows of a customer the one with the newest event
timestamp stays, whatever the order of writing; Feast's SQLite lets a late row overwrite a newer one, so that a batch that is
run again takes the profile back in time. Event timestamps are exact to the microsecond, not cut to the second: what happened
within one second keeps its order. And numbers are rounded to float32, as models read them; totals that never decay keep 48
bits.
"""

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
from feast import Entity
from feast.feature_view import FeatureView
from feast.infra.online_stores.online_store import OnlineStore
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from feast.repo_config import FeastConfigBaseModel, RepoConfig

from features.log.records import microseconds, moment
from features.packed_rows import StoredRows
from features.stores import Store, StoreError, open_store
from features.tables import Table
from features.workspace import Workspace

Row = tuple[EntityKey, dict[str, Value], datetime, datetime | None]


class PackedOnlineStoreConfig(FeastConfigBaseModel):  # type: ignore[misc]
    """`url` of the store (see `features.stores`); empty: the file of the workspace that KAIROS_WORKSPACE names."""

    type: Literal["features.online_store.PackedOnlineStore"] = "features.online_store.PackedOnlineStore"
    url: str = ""


class PackedOnlineStore(OnlineStore):  # type: ignore[misc]
    """Serves the views that `features.definitions` made of the workspace KAIROS_WORKSPACE names, and no others.

    Raises StoreError for a view that is not that of profile.yaml any more, and for a row without what it is as of.
    """

    _opened: tuple[Workspace, Store] | None = None

    def online_write_batch(
        self, config: RepoConfig, table: FeatureView, data: list[Row], progress: Callable[[int], Any] | None
    ) -> None:
        """Write rows in one transaction; of a customer's rows, stored and new, the newest by event timestamp stays."""
        store, stored = self._view(config, table)
        with store.writing() as writing:
            customers = [_customer(key) for key, *_ in data]
            before = writing.rows(stored.name, customers)
            newest = dict(zip(before.customers, before.known_us.tolist(), strict=True))
            kept: dict[str, tuple[dict[str, Value], int]] = {}
            for customer, (_, values, happened, _) in zip(customers, data, strict=True):
                known_us = microseconds(happened if happened.tzinfo else happened.replace(tzinfo=UTC))
                # of two that became known at once the one written last, as Feast has it
                if known_us >= newest.get(customer, known_us):
                    newest[customer] = known_us
                    kept[customer] = values, known_us
            if kept:
                writing.put(stored.name, _packed(stored, kept))
        if progress:
            progress(len(data))

    def online_read(
        self,
        config: RepoConfig,
        table: FeatureView,
        entity_keys: list[EntityKey],
        requested_features: list[str] | None = None,
    ) -> list[tuple[datetime | None, dict[str, Value] | None]]:
        """For each key when its row became known and its values, or two times None; not aged, and past their ttl too."""
        store, stored = self._view(config, table)
        customers = [_customer(key) for key in entity_keys]
        rows = store.rows(stored.name, customers)
        wanted = {stored.as_of, *stored.names} if requested_features is None else set(requested_features)
        places = [(at, name) for at, name in enumerate(stored.names) if name in wanted]
        found = {}
        for customer, values, as_of_us, known_us in zip(
            rows.customers, rows.values.tolist(), rows.as_of_us.tolist(), rows.known_us.tolist(), strict=True
        ):
            # a NaN is the one number that is not itself: a missing value
            told = {name: Value(double_val=values[at]) if values[at] == values[at] else Value() for at, name in places}
            if stored.as_of in wanted:
                told[stored.as_of] = Value(int64_val=as_of_us)
            found[customer] = moment(known_us), told
        return [found.get(customer, (None, None)) for customer in customers]

    def update(
        self,
        config: RepoConfig,
        tables_to_delete: Sequence[FeatureView],
        tables_to_keep: Sequence[FeatureView],
        entities_to_delete: Sequence[Entity],
        entities_to_keep: Sequence[Entity],
        partial: bool,
    ) -> None:
        """Make what is applied and forget what is not. A store that follows the log is left to `features materialize`."""
        workspace, store = self._open(config)
        for table in tables_to_keep:
            _same(workspace, table)
        if not store.cursor:
            known = {table.name for table in workspace.profile.tables}
            store.renew([table.name for table in tables_to_delete if table.name in known])

    def teardown(self, config: RepoConfig, tables: Sequence[FeatureView], entities: Sequence[Entity]) -> None:
        """Empty the store. It stays, so that a server that has it open reads what is there, which is nothing."""
        self._open(config)[1].load({}, cursor=0, meta={})

    async def close(self) -> None:
        """Let go of the store; the next call opens it again."""
        if self._opened is not None:
            self._opened[1].close()
            self._opened = None

    def _open(self, config: RepoConfig) -> tuple[Workspace, Store]:
        if self._opened is None:
            workspace = Workspace.load(os.environ["KAIROS_WORKSPACE"])
            self._opened = workspace, open_store(config.online_store.url or workspace.online_url, workspace.profile)
        return self._opened

    def _view(self, config: RepoConfig, table: FeatureView) -> tuple[Store, Table]:
        workspace, store = self._open(config)
        return store, _same(workspace, table)


def _same(workspace: Workspace, view: FeatureView) -> Table:
    """What is stored of a view of Feast's."""
    for table in workspace.profile.tables:
        if table.name == view.name and view.tags.get("checksum") == str(table.checksum):
            return table
    raise StoreError(f"view {view.name} is not that of {workspace.path}/profile.yaml; run 'kairos features build'")


def _customer(key: EntityKey) -> str:
    (value,) = key.entity_values
    return str(value.string_val)


def _packed(table: Table, kept: dict[str, tuple[dict[str, Value], int]]) -> StoredRows:
    values = np.full((len(kept), len(table.columns)), np.nan)
    as_of_us = np.empty(len(kept), dtype=np.int64)
    for at, (customer, (told, _)) in enumerate(kept.items()):
        as_of = told.get(table.as_of)
        if as_of is None or as_of.WhichOneof("val") != "int64_val":
            raise StoreError(f"view {table.name}, customer {customer!r}: {table.as_of} is missing; it says when values hold")
        as_of_us[at] = as_of.int64_val
        for column, name in enumerate(table.names):
            value = told.get(name)
            if value is not None and value.WhichOneof("val") == "double_val":
                values[at, column] = value.double_val
    known_us = np.array([known for _, known in kept.values()], dtype=np.int64)
    return StoredRows(list(kept), values, as_of_us, known_us)
