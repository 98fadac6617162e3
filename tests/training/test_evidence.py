from dataclasses import replace

import numpy as np
import pytest

from features.rows import Column, RowSpec
from features.schema import ProfileSpec
from features.yaml_nodes import decode
from tests.training.worlds import FILES
from training.dataset import Dataset
from training.errors import TrainingError
from training.evidence import evidence, identity
from training.learn import learn
from training.report import BUNDLE, CARD, Learned
from training.settings import Churn, Models, Uplift
from training.speed import kilobytes, microseconds_a_row

_PROFILE = FILES["profile.yaml"]


def _profile(text: str = _PROFILE) -> ProfileSpec:
    return decode(text, ProfileSpec, file="profile.yaml")


def _settings() -> Churn:
    found = decode(FILES["models.yaml"], Models, file="models.yaml").churn
    assert found is not None
    return found


def _dataset() -> Dataset:
    random = np.random.default_rng(1)
    matrix = random.normal(size=(400, 3)).astype(np.float32)
    labels = (matrix[:, 2] + random.normal(size=400) > 0).astype(np.uint8)
    block = np.repeat([0, -1], 200).astype(np.int32)
    names = _settings().columns
    return Dataset(
        row=RowSpec(tuple(Column(name=name, side="customer", of=name) for name in names)),
        matrix=matrix,
        labels=labels,
        test=block == -1,
        block=block,
        at_us=block.astype(np.int64),
        closes_us=block.astype(np.int64),
        customers=[str(row) for row in range(400)],
        groups=None,
        fingerprint="f",
        test_fingerprint="t",
        counted={"offers never seen by anyone": 3},
    )


@pytest.mark.parametrize(
    "changed",
    [
        lambda data, settings, profile: (replace(data, fingerprint="g"), settings, profile),
        lambda data, settings, profile: (data, replace(settings, rises_with=()), profile),
        lambda data, settings, profile: (data, settings, _profile(_PROFILE.replace("half_life: 30d", "half_life: 31d"))),
        lambda data, settings, profile: (data, settings, _profile(_PROFILE.replace("bakery:", "bread:"))),
    ],
    ids=["data", "settings", "a feature's meaning", "topics"],
)
def test_a_run_is_the_same_only_when_all_that_makes_its_model_is(changed):
    given = (_dataset(), _settings(), _profile())

    assert identity("churn", *given) == identity("churn", *given)
    assert identity("churn", *changed(*given)) != identity("churn", *given)


def test_what_a_run_leaves_behind_tells_what_was_measured():
    data, settings = _dataset(), _settings()

    learned, left = evidence("churn", data, learn(data, settings), settings, _profile())

    assert (learned.train_rows, learned.evaluation.rows) == (200, 200)
    assert left.metrics["auc"] == learned.evaluation["auc"].value
    assert left.metrics["auc_low"] <= left.metrics["auc"] <= left.metrics["auc_high"]
    assert left.params["num_leaves"] == "4"
    assert left.params["columns"] == "orders_30d, spend_90d, since_order"
    assert left.tags["kairos.count.offers_never_seen_by_anyone"] == "3"
    assert {"plots/gain.png", "plots/calibration.vl.json", "kairos/learned.json"} <= set(left.files)
    assert sorted(path.rsplit("/", 1)[-1] for path in left.files if path.startswith(BUNDLE)) == [
        "bundle.json",
        "churn.response.txt",
    ]


def test_the_kept_report_reads_back_as_it_was():
    data, settings = _dataset(), _settings()
    learned, _ = evidence("churn", data, learn(data, settings), settings, _profile())

    assert Learned.decoded(learned.encoded()) == learned


def _offers(rows: int = 8_000) -> tuple[Dataset, Uplift]:
    """A dataset of an experiment: the message helps who shops often; a quarter gets none."""
    random = np.random.default_rng(2)
    matrix = random.normal(size=(rows, 3)).astype(np.float32)
    treated = random.random(rows) < 0.75
    labels = (random.random(rows) < 0.2 + 0.25 * treated * (matrix[:, 0] > 0)).astype(np.uint8)
    block = np.repeat([0, 1, 2, -1], rows // 4).astype(np.int32)
    at = np.repeat([0, 1, 2, 3], rows // 4).astype(np.int64)
    data = replace(
        _dataset(), matrix=matrix, labels=labels, treated=treated, block=block, test=block == -1, at_us=at, closes_us=at,
        customers=[str(row) for row in range(rows)], slices={"tier": ["gold" if row % 2 else "silver" for row in range(rows)]},
    )  # fmt: skip
    settings = decode(_UPLIFT, Models, file="models.yaml").uplift
    assert settings is not None
    return data, settings


_UPLIFT = """
uplift:
  touchpoint: mailer
  event: Order Completed
  window: 14d
  train: {from: 2017-03-01, until: 2017-07-01}
  test: {from: 2017-07-01, until: 2017-11-01}
  folds: [2017-04-20]
  customer: [orders_30d, spend_90d, since_order]
  action: {}
  slices: [tier]
"""


def test_an_uplift_is_measured_by_what_it_says_of_both_kinds_and_of_the_effect():
    data, settings = _offers()

    learned, left = evidence("uplift", data, learn(data, settings), settings, _profile())

    measured = learned.evaluation
    assert measured["qini"].low > 0
    assert measured["effect"].low < 0.125 < measured["effect"].high
    assert measured["effect_said"].value == pytest.approx(0.125, abs=0.06)
    assert measured["calibration_error"].value < 0.06
    assert [one.label for one in learned.slices] == ["gold", "silver"]
    assert {"slice_tier_gold_gap", "slice_tier_gold_gap_low", "qini_low", "fold_loss_t"} <= set(left.metrics)
    assert {"plots/uplift.png", "plots/effects_changes.vl.json"} <= set(left.files)


def test_an_uplift_without_a_control_group_says_so_in_report_and_card_and_is_measured_as_a_response():
    data, settings = _offers()
    alone = replace(data, treated=np.ones(len(data.labels), dtype=bool))

    learned, left = evidence("uplift", alone, learn(alone, settings), settings, _profile())

    assert learned.fallback is not None and "declared incrementality" in learned.fallback
    assert learned.answer.forests == ("response",)
    assert [one.name for one in learned.evaluation.metrics] == ["auc", "log_loss", "calibration_error"]
    assert "says nothing of what a message changes" in left.files[CARD].decode()


def test_a_value_is_measured_in_its_own_unit():
    data = _dataset()
    amounts = np.where(data.labels == 1, np.exp(data.matrix[:, 0].astype(float)), 0.0)
    settings = decode(
        FILES["models.yaml"]
        .split("preference:")[0]
        .replace("churn:", "value:")
        .replace("horizons: [30d]", "horizon: 30d")
        .replace("{auc:", "{gini:")
        + "  amount: total",
        Models,
        file="models.yaml",
    ).value
    assert settings is not None
    data = replace(data, amounts=amounts)

    learned, left = evidence("value", data, learn(data, settings), settings, _profile())

    assert [one.name for one in learned.evaluation.metrics] == ["mae", "gini", "total_ratio"]
    assert learned.chance_error is None
    assert sorted(path.rsplit("/", 1)[-1] for path in left.files if path.startswith(BUNDLE)) == [
        "bundle.json",
        "value.amount.txt",
        "value.any.txt",
    ]


def test_a_card_tells_what_the_model_is_how_good_it_is_and_what_it_is_not_for():
    data, settings = _dataset(), _settings()

    _, left = evidence("churn", data, learn(data, settings), settings, _profile())
    card = left.files[CARD].decode()

    for told in (
        "# Model card: churn",
        "'Order Completed' in the last 60 days has none in the next 30 days",
        "| rows | 200 | 200 |",
        "- 3 offers never seen by anyone",
        "0.7 (a guess)",
        "| since_order | days | rises |",
        "in 95 of 100 worlds",
        "## What it is not for",
    ):
        assert told in card


def test_where_windows_are_open_the_card_says_so_and_what_cannot_be_known_yet_is_no_error():
    settings = decode(FILES["models.yaml"], Models, file="models.yaml").preference
    assert settings is not None
    random, block = np.random.default_rng(3), np.repeat([0, 1, -1], [100, 100, 200]).astype(np.int32)
    data = replace(_dataset(), block=block, at_us=block.astype(np.int64), closes_us=block.astype(np.int64))
    early = random.random(400)  # after which share of its window a success comes; of the test a third is over
    open_ = replace(
        data,
        labels=np.where(data.test & (early > 1 / 3), 0, data.labels).astype(np.uint8),
        groups=data.customers,
        known_share=np.where(data.test, 1 / 3, 1.0),
        success_share=np.where(data.labels == 1, early, np.nan),
    )

    learned, left = evidence("preference", open_, learn(open_, settings), settings, _profile())
    blind, without = evidence("preference", replace(open_, success_share=None), learn(data, settings), settings, _profile())

    assert "The windows of 200 test offers are still open" in left.files[CARD].decode()
    for error in ("calibration_error", "group_calibration_error"):
        assert learned.evaluation[error].value < blind.evaluation[error].value - 0.1
    assert learned.evaluation["auc"] == blind.evaluation["auc"]
    assert learned.together is not None and Learned.decoded(learned.encoded()) == learned
    assert without.params == left.params


def test_the_same_data_leave_the_same_bytes_behind():
    data, settings = _dataset(), _settings()

    first, second = (evidence("churn", data, learn(data, settings), settings, _profile()) for _ in range(2))

    assert first[0] == second[0]
    assert first[1].files == second[1].files


def test_what_a_model_costs_a_server_is_measured():
    data, settings = _dataset(), _settings()
    fitted = learn(data, settings)
    ticks = iter(np.arange(0, 100, 0.5))

    assert microseconds_a_row(fitted, data.matrix, clock=lambda: float(next(ticks))) == pytest.approx(0.5 / 100 * 1e6)
    assert kilobytes(fitted) == len(fitted.forests["response"].encode()) / 1024


def test_a_test_that_went_too_well_is_refused():
    data, settings = _dataset(), _settings()
    leaking = data.matrix.copy()
    leaking[:, 1] = data.labels
    leaked = replace(data, matrix=leaking)

    with pytest.raises(TrainingError, match="'spend_90d'"):
        evidence("churn", leaked, learn(leaked, settings), settings, _profile())
