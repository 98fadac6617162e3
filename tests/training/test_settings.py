from datetime import date
from pathlib import Path

import pytest

from features.yaml_nodes import WorkspaceError, decode
from training.settings import Models

_CHURN = """
churn:
  event: Order Completed
  horizons: [30d]
  active_within: 60d
  train: [2017-04-01, 2017-05-01]
  test: [2017-11-01]
  columns: [orders_30d, since_order]
"""
_PREFERENCE = """
preference:
  touchpoint: mailer
  success: accepted
  train: {from: 2017-02-01, until: 2017-08-01}
  test: {from: 2017-08-01, until: 2018-01-01}
  folds: [2017-05-01]
  customer: [orders_30d]
  action: {topic: {}}
  cross: {spend_topic: {pick: "spend_90d_{topic}"}}
"""


_VALUE = _CHURN.replace("churn:", "value:").replace("horizons: [30d]", "horizon: 30d\n  amount: total\n  margin: 0.25")
_UPLIFT = _PREFERENCE.replace("preference:", "uplift:").replace("success: accepted", "event: Order Completed\n  window: 14d")


def test_each_horizon_is_a_model_with_references_of_its_own():
    text = (
        _CHURN.replace("[30d]", "[30d, 60d]")
        + "  references: {auc: {value: 0.8, source: a}, churn_60.auc: {value: 0.9, source: b}}"
    )

    described = decode(text, Models, file="models.yaml").described

    assert list(described) == ["churn", "churn_60"]
    assert [one.references["auc"].value for one in described.values()] == [0.8, 0.9]
    assert (
        described["churn"]
        == decode(_CHURN + "  references: {auc: {value: 0.8, source: a}}", Models, file="models.yaml").described["churn"]
    )


def test_value_and_uplift_can_be_read():
    assert decode(_VALUE + _UPLIFT, Models, file="models.yaml").names == ("value", "uplift")


def test_the_demos_models_can_be_read():
    file = Path("examples/grocer/models.yaml")

    models = decode(file.read_text(), Models, file=str(file))

    assert models.names == ("churn", "churn_60", "value", "preference", "timing")
    assert models.churn is not None
    assert models.churn.test == (date(2017, 11, 1),)


def test_one_model_alone_is_enough():
    assert decode(_PREFERENCE, Models, file="models.yaml").names == ("preference",)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("churn: null", "nothing to train"),
        (_CHURN.replace("2017-11-01", "2017-05-15"), "lies after the first of test"),
        (_CHURN.replace("2017-04-01, 2017-05-01", "2017-05-01, 2017-04-01"), "each later than the one before"),
        (_CHURN.replace("[2017-11-01]", "[]"), "test needs dates"),
        (_CHURN.replace("[30d]", "[0d]"), "longer than 0"),
        (_CHURN.replace("since_order]", "orders_30d]"), "'orders_30d' is written twice"),
        (_CHURN + "  rises_with: [tenure]", "'tenure' of rises_with or falls_with is no column"),
        (_CHURN + "  trusted: [tenure]", "'tenure' of trusted is no column"),
        (_CHURN + "  rises_with: [since_order]\n  falls_with: [since_order]", "both rises and falls"),
        (
            _CHURN + "  parameters: {num_leaves: 1, num_threads: 0}",
            "num_leaves must be 2 to 64; num_threads must be at least 1",
        ),
        (_CHURN + "  parameters: {depth: 3}", "unknown key"),
        (_CHURN.replace("[30d]", "[]"), "horizons needs at least one"),
        (_CHURN.replace("[30d]", "[30d, 30d]"), "same number of days"),
        (_CHURN.replace("[30d]", "[30d, 200d]"), "lies after the first of test"),
        (_CHURN + "  search: {trials: 0}", "trials must be at least 1"),
        (_VALUE.replace("0.25", "1.5"), "margin is a share"),
        (_UPLIFT.replace("14d", "0d"), "window must be longer than 0"),
        (_UPLIFT.replace("[2017-05-01]", "[2017-02-01]"), "not inside train"),
        (_PREFERENCE.replace("2017-08-01}", "2017-09-01}"), "after test begins"),
        (_PREFERENCE.replace("[2017-05-01]", "[2017-02-01]"), "not inside train"),
        (_PREFERENCE.replace("until: 2018-01-01", "until: 2017-08-01"), "is not before until"),
        (_PREFERENCE.replace("spend_90d_{topic}", "spend_90d"), "pick must hold {topic}"),
    ],
)
def test_what_contradicts_itself_is_refused_with_its_place(text, cause):
    with pytest.raises(WorkspaceError) as refused:
        decode(text, Models, file="models.yaml")

    assert cause in str(refused.value)
    assert str(refused.value).startswith("models.yaml:")
