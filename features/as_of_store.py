"""Feast's offline store, DuckDB's, with a point-in-time join of its own for the tables of a build.

Feast writes its joins in Ibis, which numbers, joins, deduplicates and joins the labels again for each view. The rows of a
build stand customer by customer, oldest first, at most one a customer and moment: there a backward as-of join of the keys
and one gather of the columns say the same. Other asks (SQL, ranges of time, views with a ttl) stay Feast's.

Named in `offline_store:` of feature_store.yaml.
"""

from collections.abc import Sequence
from typing import Any, Literal

import pandas as pd
import polars as pl
import pyarrow as pa
from feast.feature_view import FeatureView
from feast.infra.offline_stores.duckdb import DuckDBOfflineStore, DuckDBOfflineStoreConfig
from feast.infra.offline_stores.file_source import FileSource
from feast.infra.offline_stores.offline_store import RetrievalJob, RetrievalMetadata
from feast.repo_config import RepoConfig

_KEY = "customer_id"
_TIME = "event_timestamp"


class AsOfOfflineStoreConfig(DuckDBOfflineStoreConfig):  # type: ignore[misc]
    """That of Feast's DuckDB store."""

    type: Literal["features.as_of_store.AsOfOfflineStore"] = "features.as_of_store.AsOfOfflineStore"


class AsOfOfflineStore(DuckDBOfflineStore):  # type: ignore[misc]
    """Joins labels (customer_id, event_timestamp and whatever else) with the newest rows known by then."""

    @staticmethod
    def get_historical_features(
        config: RepoConfig,
        feature_views: list[FeatureView],
        feature_refs: list[str],
        entity_df: pd.DataFrame | str,
        registry: Any,
        project: str,
        full_feature_names: bool = False,
        filter_by_created_timestamp: bool = False,
        **more: Any,
    ) -> RetrievalJob:
        if full_feature_names or more or not isinstance(entity_df, pd.DataFrame) or not all(map(_of_a_build, feature_views)):
            return DuckDBOfflineStore.get_historical_features(
                config,
                feature_views,
                feature_refs,
                entity_df,
                registry,
                project,
                full_feature_names,
                filter_by_created_timestamp,
                **more,
            )
        wanted = {view.name: (view.batch_source.path, _asked_of(view.name, feature_refs)) for view in feature_views}
        return _AsOfJob(entity_df, wanted, feature_refs)


class _AsOfJob(RetrievalJob):  # type: ignore[misc]
    """`wanted`: for each view the file of its table and the columns asked for. The labels' rows stay as they stand."""

    def __init__(self, labels: pd.DataFrame, wanted: dict[str, tuple[str, list[str]]], features: list[str]) -> None:
        self._labels, self._wanted, self._features = labels, wanted, features

    @property
    def full_feature_names(self) -> bool:
        return False

    @property
    def on_demand_feature_views(self) -> list[Any]:
        return []

    @property
    def metadata(self) -> RetrievalMetadata:
        keys = [name for name in self._labels.columns if name != _TIME]
        return RetrievalMetadata(self._features, keys, self._labels[_TIME].min(), self._labels[_TIME].max())

    def persist(self, storage: Any, allow_overwrite: bool = False, timeout: int | None = None) -> None:
        raise NotImplementedError("keep the frame that training_frame returns")

    def _to_df_internal(self, timeout: int | None = None) -> pd.DataFrame:
        return self._to_arrow_internal(timeout).to_pandas()

    def _to_arrow_internal(self, timeout: int | None = None) -> pa.Table:
        labels = pl.from_pandas(self._labels)
        keys = labels.select(_KEY, pl.col(_TIME).cast(pl.Datetime("us", "UTC"))).with_row_index("label")
        # in the order of the tables, for an as-of join by customer
        keys = keys.sort(_KEY, _TIME)
        found = [_newest(file, names, keys) for file, names in self._wanted.values()]
        return pl.concat([labels, *found], how="horizontal").to_arrow()


def _newest(file: str, names: Sequence[str], keys: pl.DataFrame) -> pl.DataFrame:
    """The named columns of the newest row by each label's time, in the order of the labels; null where there is none."""
    table = pl.read_parquet(file, columns=[_KEY, _TIME, *names])
    rows = table.select(_KEY, pl.col(_TIME).cast(pl.Datetime("us", "UTC"))).with_row_index("row")
    newest = keys.join_asof(rows, on=_TIME, by=_KEY, strategy="backward", check_sortedness=False)
    at = newest.select(pl.col("row").gather(pl.col("label").arg_sort()))["row"]
    return table.select(pl.col(names).gather(at))


def _of_a_build(view: FeatureView) -> bool:
    source = view.batch_source
    return (
        isinstance(source, FileSource)
        and not view.ttl
        and not source.field_mapping
        and not source.created_timestamp_column
        and source.timestamp_field == _TIME
        and [entity.name for entity in view.entity_columns] == [_KEY]
        and not view.projection.join_key_map
        and view.projection.name_to_use() == view.name
    )


def _asked_of(view: str, features: Sequence[str]) -> list[str]:
    return [name for of, _, name in (one.partition(":") for one in features) if of == view]
