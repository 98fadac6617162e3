"""Our point-in-time join beside Feast's own, asked the same over the same build."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from features import feast_door, offline
from tests.features.worlds import START, log_of, workspace, year

# Ibis calls a method of DuckDB by its old name
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table.. is deprecated:DeprecationWarning")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Feast's store over the build of a small world."""
    where = workspace(tmp_path_factory.mktemp("as_of"))
    with log_of(where, year(3)) as log:
        stamp = offline.build(where, log).stamp
    with feast_door.serving(where, stamp, "{type: features.online_store.PackedOnlineStore}") as made:
        yield made


def _labels(count: int) -> pl.DataFrame:
    """Of customers and strangers, at moments before, between and after what is known; whole hours, so that times meet."""
    random = np.random.default_rng(7)
    hours = random.integers(-24 * 10, 24 * 400, size=count).tolist()
    return pl.DataFrame(
        {
            "label": np.arange(count),
            "customer_id": [f"c{one}" for one in random.integers(15, size=count).tolist()],
            "event_timestamp": pl.Series([START + timedelta(hours=hour) for hour in hours], dtype=pl.Datetime("us", "UTC")),
        }
    )


def _asked(shop: Any, labels: pl.DataFrame, store: Any = None) -> pl.DataFrame:
    from features.as_of_store import AsOfOfflineStore

    views = [view for view in shop.list_feature_views() if view.name in ("orders", "households")]
    features = ["orders:orders_as_of", "orders:points", "orders:since_order", "households:age_band", "households:members"]
    job = (store or AsOfOfflineStore).get_historical_features(
        shop.config, views, features, labels.to_pandas(), shop.registry, shop.project
    )
    found = pl.from_arrow(job.to_arrow())
    assert isinstance(found, pl.DataFrame)
    names = [name.partition(":")[2] for name in features]
    return found.select("label", "customer_id", "event_timestamp", *names)


def test_it_answers_as_feasts_own_does(shop: Any) -> None:
    from feast.infra.offline_stores.duckdb import DuckDBOfflineStore

    labels = _labels(400).unique(["customer_id", "event_timestamp"], maintain_order=True)
    ours, feasts = _asked(shop, labels), _asked(shop, labels, DuckDBOfflineStore).sort("label")
    assert ours.equals(feasts.select(ours.columns).cast(dict(ours.schema)), null_equal=True)
    assert 0 < ours["points"].null_count() < ours.height


def test_rows_stand_as_they_were_given_and_equal_ones_stay(shop: Any) -> None:
    labels = _labels(50)
    twice = pl.concat([labels, labels.reverse()])
    found = _asked(shop, twice)
    assert found.select(labels.columns).equals(twice)
    assert found.head(50).equals(found.tail(50).reverse())


def test_what_is_no_join_of_labels_stays_feasts(shop: Any) -> None:
    found = shop.get_historical_features(
        entity_df=_labels(20).to_pandas(), features=["orders:points"], full_feature_names=True
    ).to_df()
    assert "orders__points" in found.columns
    assert len(found) == 20
