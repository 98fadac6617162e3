from dataclasses import replace

import numpy as np
import pytest

from features.rows import Column, RowSpec
from features.schema import ProfileSpec
from features.yaml_nodes import decode
from tests.training.worlds import FILES
from training.dataset import Dataset
from training.evidence import evidence, identity
from training.learn import learn
from training.report import BUNDLE, Learned
from training.settings import Churn, Models

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
    assert sorted(path.rsplit("/", 1)[-1] for path in left.files if path.startswith(BUNDLE)) == ["bundle.json", "churn.txt"]


def test_the_kept_report_reads_back_as_it_was():
    data, settings = _dataset(), _settings()
    learned, _ = evidence("churn", data, learn(data, settings), settings, _profile())

    assert Learned.decoded(learned.encoded()) == learned
