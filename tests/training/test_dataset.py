from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from features import offline
from features.log import Log
from features.rows import Column, Offer, RowSpec, encode_actions
from features.workspace import Workspace
from tests.training.worlds import NOW, history, midnight, open_log, order, workspace
from training import dataset, labels
from training.dataset import Dataset
from training.errors import TrainingError
from training.labels import Labels
from training.settings import FILE, Models


@pytest.fixture(scope="module")
def brand(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return workspace(tmp_path_factory.mktemp("brand"))


@pytest.fixture(scope="module")
def log(brand: Workspace) -> Iterator[Log]:
    made = open_log(brand.data, history(customers=80))
    offline.build(brand, made)
    yield made
    made.close()


def _settings(brand: Workspace) -> tuple[Any, Any]:
    models = brand.read(FILE, Models)
    return models.churn, models.preference


def _churn(brand: Workspace, log: Log) -> Dataset:
    settings, _ = _settings(brand)
    found = labels.churn(log, settings, midnight=midnight, now=NOW)
    return dataset.build(brand, found, dataset.row_of(settings), model="churn")


def _preference(brand: Workspace, log: Log) -> tuple[Dataset, Labels]:
    _, settings = _settings(brand)
    found = labels.preference(log, settings, midnight=midnight, now=NOW)
    return dataset.build(brand, found, dataset.row_of(settings), model="preference"), found


def test_a_row_holds_the_customer_then_the_offer_then_both_together(brand, log):
    data, _ = _preference(brand, log)

    assert data.row.names == ("spend_90d", "accepted_180d", "topic", "spend_topic", "share_topic")
    assert data.matrix.shape == (len(data.labels), 5)
    assert data.matrix.dtype == np.float32


def test_a_column_that_never_varies_is_left_out_and_counted(brand, log):
    data, _ = _preference(brand, log)  # every offer of this brand is of the kind A

    assert "kind" not in data.row.names
    assert data.counted["columns left out that never vary: kind"] == 1


def test_rows_of_which_no_column_varies_are_refused(brand, log):
    found, _ = _settings(brand)
    all_alike = labels.churn(log, found, midnight=midnight, now=NOW)
    row = RowSpec((Column(name="accepted", side="customer", of="accepted_180d"),))
    nobody = all_alike.frame.with_columns(customer_id=pl.lit("stranger-") + pl.col("customer_id"))

    with pytest.raises(TrainingError, match="no column varies"):
        dataset.build(brand, Labels(frame=nobody), row, model="churn")


def test_the_offers_side_of_a_row_is_what_the_server_would_encode(brand, log):
    data, found = _preference(brand, log)

    encoded = encode_actions(
        data.row, ("bakery", "produce"), [Offer((names[0],), {"kind": "A"}) for names in found.frame["topics"]]
    )

    assert np.array_equal(data.matrix[:, 2:3], encoded.values)


def test_a_crossed_column_reads_the_topic_of_its_own_offer(brand, log):
    data, found = _preference(brand, log)
    spend = data.matrix[:, data.row.names.index("spend_topic")]
    likes = found.frame.select(
        (pl.col("customer_id").str.slice(1).cast(pl.Int64) % 2 == 1) == (pl.col("topics").list.first() == "produce")
    ).to_series().to_numpy()  # fmt: skip

    assert np.nanmean(spend[likes]) > 2 * np.nanmean(spend[~likes])


def test_rows_stand_in_the_order_of_their_labels(brand, log):
    data, found = _preference(brand, log)

    assert data.customers == found.frame["customer_id"].to_list()
    assert data.groups == found.frame["group"].to_list()
    assert data.labels.tolist() == found.frame["label"].to_list()
    assert (data.closes_us - data.at_us == timedelta(days=20) // timedelta(microseconds=1)).all()


def test_what_happens_after_a_label_does_not_change_its_row(brand, log, tmp_path):
    before = _churn(brand, log)
    moment = midnight(datetime(2017, 9, 1, tzinfo=UTC).date())
    future = [order(f"later-{n}", f"c{n}", moment + timedelta(hours=n), total=500.0) for n in range(40)]
    other = workspace(tmp_path / "brand")
    longer = open_log(other.data, [*history(customers=80), *future])
    offline.build(other, longer)

    after = _churn(other, longer)

    assert after.customers == before.customers
    assert np.array_equal(after.matrix, before.matrix, equal_nan=True)
    assert (after.labels != before.labels).any()  # they came back


def test_the_same_data_have_the_same_fingerprint(brand, log):
    assert _churn(brand, log).fingerprint == _churn(brand, log).fingerprint


@pytest.mark.parametrize("change", ["label", "customer", "columns"])
def test_other_data_have_another_fingerprint(brand, log, change):
    settings, _ = _settings(brand)
    found = labels.churn(log, settings, midnight=midnight, now=NOW)
    row = dataset.row_of(settings)
    changed = {
        "label": (Labels(frame=found.frame.with_columns(label=1 - pl.col("label"))), row),
        "customer": (Labels(frame=found.frame[1:]), row),
        "columns": (found, type(row)(row.columns[::-1])),
    }[change]

    assert dataset.build(brand, *changed, model="churn").fingerprint != _churn(brand, log).fingerprint


def test_the_tests_fingerprint_does_not_depend_on_the_columns(brand, log):
    settings, _ = _settings(brand)
    found = labels.churn(log, settings, midnight=midnight, now=NOW)
    row = dataset.row_of(settings)

    other = dataset.build(brand, found, type(row)(row.columns[:1]), model="churn")

    assert other.test_fingerprint == _churn(brand, log).test_fingerprint


def test_a_test_with_one_label_only_is_refused(brand, log):
    settings, _ = _settings(brand)
    found = labels.churn(log, settings, midnight=midnight, now=NOW)
    nobody = pl.when("test").then(0).otherwise("label").cast(pl.UInt8)

    with pytest.raises(TrainingError, match="test rows are negative, so nothing can be measured"):
        dataset.build(brand, Labels(frame=found.frame.with_columns(label=nobody)), dataset.row_of(settings), model="churn")
