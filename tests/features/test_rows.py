from typing import Any

import numpy as np
import pytest

from features.rows import Actions, Column, Offer, RowError, RowSpec, encode_actions, rows
from tests.features.worlds import spec

TOPICS = ("bakery", "produce")
ROW = RowSpec(
    (
        Column(name="orders", side="customer", of="orders_30d"),
        Column(name="kind", side="action", of="campaign_type", labels=("A", "B")),
        Column(name="days", side="action", of="duration_days"),
        Column(name="topic", side="action", of="topic"),
        Column(name="spend_topic", side="cross", pick="spend_90d_{topic}"),
        Column(name="share_topic", side="cross", pick="spend_90d_{topic}", over="spend_30d"),
    )
)
OFFERS = (
    Offer(topics=("produce", "bakery"), features={"campaign_type": "B", "duration_days": 30}),
    Offer(topics=("bakery",), features={"campaign_type": "Z", "duration_days": "long"}),
    Offer(topics=("tyres",), features={"campaign_type": 1}),
    Offer(),
)
NAN = float("nan")


def _customers(*known: dict[str, float]) -> Any:
    index = spec().index
    made = np.full((len(known), len(index)), np.nan, dtype=np.float32)
    for at, one in enumerate(known):
        for name, value in one.items():
            made[at, index.positions[name]] = value
    return made


ANNE = {"orders_30d": 3.0, "spend_90d_bakery": 4.0, "spend_90d_produce": 6.0, "spend_30d": 8.0}


def test_a_row_has_the_customers_the_offers_and_their_common_columns() -> None:
    made = rows(ROW, spec().index, _customers(ANNE), encode_actions(ROW, TOPICS, OFFERS))
    np.testing.assert_array_equal(
        made,
        [
            [3, 1, 30, 1, 6, 0.75],
            [3, NAN, NAN, 0, 4, 0.5],  # a label and a text nobody knows
            [3, NAN, NAN, NAN, NAN, NAN],  # a topic nobody knows
            [3, NAN, NAN, NAN, NAN, NAN],
        ],
    )
    assert made.dtype == np.float32 and made.flags.c_contiguous


def test_one_customer_beside_many_offers_has_the_rows_of_the_training_matrix_bit_for_bit() -> None:
    random = np.random.default_rng(3)
    customers = random.exponential(50, (200, len(spec().index))).astype(np.float32)
    customers[random.random(customers.shape) < 0.3] = np.nan
    offers = [OFFERS[at] for at in random.integers(len(OFFERS), size=200)]
    matrix = rows(ROW, spec().index, customers, encode_actions(ROW, TOPICS, offers))
    live = [rows(ROW, spec().index, customers[at : at + 1], encode_actions(ROW, TOPICS, [offers[at]])) for at in range(200)]
    np.testing.assert_array_equal(matrix, np.concatenate(live))
    beside = rows(ROW, spec().index, customers[:1], encode_actions(ROW, TOPICS, offers))
    np.testing.assert_array_equal(
        beside, rows(ROW, spec().index, np.repeat(customers[:1], 200, 0), encode_actions(ROW, TOPICS, offers))
    )


@pytest.mark.parametrize("whole", [0.0, -1.0, NAN])
def test_a_share_of_nothing_is_missing(whole: float) -> None:
    made = rows(ROW, spec().index, _customers(ANNE | {"spend_30d": whole}), encode_actions(ROW, TOPICS, OFFERS[:1]))
    assert np.isnan(made[0, 5]) and made[0, 4] == 6


def test_a_row_of_the_customer_alone_needs_no_offers() -> None:
    alone = RowSpec(ROW.columns[:1])
    assert rows(alone, spec().index, _customers(ANNE, {})).tolist()[0] == [3.0]
    with pytest.raises(ValueError, match="give actions"):
        rows(ROW, spec().index, _customers(ANNE))


def test_a_feature_that_the_profile_lacks_is_named() -> None:
    lacking = RowSpec((Column(name="x", side="customer", of="visits"), Column(name="y", side="cross", pick="visits_{topic}")))
    assert lacking.absent(spec().index, TOPICS) == ("visits", "visits_bakery", "visits_produce")
    with pytest.raises(RowError, match="visits_bakery"):
        rows(lacking, spec().index, _customers(ANNE), encode_actions(lacking, TOPICS, OFFERS))


def test_shapes_that_do_not_fit_are_refused() -> None:
    actions: Actions = encode_actions(ROW, TOPICS, OFFERS)
    with pytest.raises(ValueError, match="expected"):
        rows(ROW, spec().index, _customers(ANNE, ANNE), actions)


def test_no_offers_make_no_rows() -> None:
    assert rows(ROW, spec().index, _customers(ANNE), encode_actions(ROW, TOPICS, ())).shape == (0, 6)


@pytest.mark.parametrize("given", [{"side": "cross", "pick": "spend"}, {"side": "customer"}, {"side": "action"}])
def test_a_column_that_says_too_little_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="column x"):
        Column(name="x", **given)
