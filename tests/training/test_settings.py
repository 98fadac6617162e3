from datetime import date
from pathlib import Path

import pytest

from features.yaml_nodes import WorkspaceError, decode
from training.settings import Models

_CHURN = """
churn:
  event: Order Completed
  horizon: 30d
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


def test_the_demos_models_can_be_read():
    file = Path("examples/grocer/models.yaml")

    models = decode(file.read_text(), Models, file=str(file))

    assert models.names == ("churn", "preference")
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
        (_CHURN.replace("30d\n", "0d\n"), "longer than 0"),
        (_CHURN.replace("since_order]", "orders_30d]"), "'orders_30d' is written twice"),
        (_CHURN + "  rises_with: [tenure]", "'tenure' of rises_with or falls_with is no column"),
        (_CHURN + "  rises_with: [since_order]\n  falls_with: [since_order]", "both rises and falls"),
        (
            _CHURN + "  parameters: {num_leaves: 1, num_threads: 0}",
            "num_leaves must be 2 to 64; num_threads must be at least 1",
        ),
        (_CHURN + "  parameters: {depth: 3}", "unknown key"),
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
