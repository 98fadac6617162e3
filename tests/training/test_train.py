"""The whole story on a small brand: trained, trained again, interrupted, promoted, refused."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from decisioning.errors import KairosError
from features import bundle
from features.workspace import Workspace
from tests.training.worlds import FILES, NOW, RULES, open_log, order, workspace
from training import registry
from training.errors import PromotionRefused, TrackingError, TrainingError
from training.gates import read_rules
from training.models import raw
from training.promote import models_folder, promote
from training.train import _chosen, train


def test_both_models_learn_something_and_are_registered(trained):
    churn, preference = trained.models

    assert churn.learned.evaluation["auc"].low > 0.6
    assert preference.learned.evaluation["auc"].low > 0.6
    assert preference.learned.evaluation["group_auc"].value > 0.5
    assert [one.version.name for one in trained.models] == ["test-churn", "test-preference"]
    assert [one.version.version for one in trained.models] == ["1", "1"]
    assert not churn.reused


def test_the_reference_stands_beside_the_held_out_auc(trained):
    reference = trained.models[0].learned.evaluation["auc"].reference

    assert reference is not None
    assert (reference.value, reference.source) == (0.7, "a guess")


def test_what_was_purged_is_said(trained):
    assert "test offers whose window is still open, taken as known so far" in trained.models[1].learned.counted


def test_the_run_holds_parameters_metrics_plots_and_the_models_own_form(brand, trained, rules, tmp_path):
    store = registry.Registry(brand.data, experiment=rules.experiment)
    run_id = trained.models[0].version.run_id

    assert {"auc", "auc_low", "auc_high", "calibration_error", "fold_auc", "test_rows"} <= set(store.metrics(run_id))
    tags = store.tags(run_id)
    assert tags["kairos.data"] == trained.models[0].learned.fingerprint
    assert tags["kairos.test_reading"] == "1"
    plots = {file.name for file in store.fetch(run_id, "plots", tmp_path).iterdir()}
    assert plots == {f"{plot}.{form}" for plot in ("gain", "calibration", "effects_response") for form in ("png", "vl.json")}


def test_training_the_same_again_adds_nothing_and_tells_the_same(brand, log, rules, trained):
    steps: list[tuple[str, float]] = []

    again = train(brand, log, now=NOW, rules=rules, progress=lambda text, done: steps.append((text, done)))

    assert all(one.reused for one in again.models)
    assert [one.version for one in again.models] == [one.version for one in trained.models]
    assert [one.learned for one in again.models] == [one.learned for one in trained.models]
    assert [done for _, done in steps] == sorted(done for _, done in steps)
    assert steps[-1] == ("trained", 1.0)


def test_a_model_that_is_not_described_is_refused_with_those_that_are(brand, log, rules):
    with pytest.raises(TrainingError, match=r"models\.yaml describes no chrn; it has churn, preference: name these, or all"):
        train(brand, log, now=NOW, names=["churn", "chrn"], rules=rules)


def test_a_name_means_every_horizon_that_stands_under_it():
    known = ("churn", "churn_60", "churner", "value")
    assert _chosen(known, ["churn"]) == {"churn", "churn_60"}
    assert _chosen(known, ["churn_60", "value"]) == {"churn_60", "value"}
    assert _chosen(known, ["value", "all"]) == _chosen(known, []) == set(known)


def test_training_again_in_a_fresh_store_gives_the_same_models(brand, log, rules, trained, monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'other.db'}")

    again = train(brand, log, now=NOW, rules=rules)

    assert not any(one.reused for one in again.models)
    assert [one.learned for one in again.models] == [one.learned for one in trained.models]


def test_an_interruption_before_the_end_registers_nothing_and_the_next_training_completes_it(
    brand, log, rules, monkeypatch, tmp_path
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'other.db'}")
    keep = registry.Registry.keep

    def cut_off(self, run_id, evidence):
        keep(self, run_id, evidence)
        raise KeyboardInterrupt

    monkeypatch.setattr(registry.Registry, "keep", cut_off)
    with pytest.raises(KeyboardInterrupt):
        train(brand, log, now=NOW, rules=rules)
    store = registry.Registry(brand.data, experiment=rules.experiment)
    assert store.pointed("test-churn", "challenger") is None
    assert store.finished({"kairos.model": "churn"}) is None

    monkeypatch.setattr(registry.Registry, "keep", keep)
    report = train(brand, log, now=NOW, rules=rules)

    assert [one.version.version for one in report.models] == ["1", "1"]


def test_a_run_that_was_kept_but_not_yet_registered_is_registered_by_the_next_training(
    brand, log, rules, monkeypatch, tmp_path
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'other.db'}")
    register = registry.Registry.register

    def cut_off(self, name, run_id):
        raise KeyboardInterrupt

    monkeypatch.setattr(registry.Registry, "register", cut_off)
    with pytest.raises(KeyboardInterrupt):
        train(brand, log, now=NOW, rules=rules)
    monkeypatch.setattr(registry.Registry, "register", register)

    churn, preference = train(brand, log, now=NOW, rules=rules).models

    assert churn.reused
    assert churn.version.version == "1"
    assert not preference.reused


def test_promoting_writes_one_bundle_with_both_models_and_points_to_it(brand, rules, trained):
    report = promote(brand, rules=rules)

    folder = models_folder(brand)
    assert bundle.current(folder) == report.bundle
    served = bundle.read(folder, report.bundle)
    assert set(served.models) == {"churn", "preference"}
    served.require(brand.profile.index)
    churn = served.models["churn"]
    assert churn.fingerprint == trained.models[0].learned.fingerprint
    assert churn.row.names == ("orders_30d", "spend_90d", "since_order")
    assert churn.metrics["auc"] == trained.models[0].learned.evaluation["auc"].value
    assert raw(churn.forests["response"], np.zeros((1, 3), dtype=np.float32)).shape == (1,)


def test_promoting_twice_changes_nothing(brand, rules, trained):
    first, second = promote(brand, rules=rules), promote(brand, rules=rules)

    assert second.bundle == first.bundle
    assert not second.changed
    assert [one.before for one in second.models] == [one.version for one in second.models]


def test_a_shut_gate_refuses_every_model_and_leaves_the_pointer(brand, trained, tmp_path):
    file = tmp_path / "registry.yaml"
    file.write_text(RULES.replace("auc: {at_least: 0.6}", "auc: {at_least: 0.999}"))
    before = bundle.current(models_folder(brand))

    with pytest.raises(PromotionRefused) as refused:
        promote(brand, rules=read_rules(file))

    assert len(refused.value.reasons) == 1
    assert "churn: auc" in refused.value.reasons[0]
    assert bundle.current(models_folder(brand)) == before


def test_promoting_what_was_never_trained_names_the_command(brand, rules, monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'empty.db'}")

    with pytest.raises(TrackingError, match="run `kairos train` first"):
        promote(brand, rules=rules)


def test_a_profile_whose_topics_changed_since_training_is_refused(brand, rules, trained):
    changed = FILES["profile.yaml"].replace(
        "topics: {bakery: [PASTRY], produce: [PRODUCE]}", "topics: {produce: [PRODUCE], bakery: [PASTRY]}"
    )
    (brand.path / "profile.yaml").write_text(changed)
    try:
        with pytest.raises(TrainingError, match=r"topics of profile\.yaml changed"):
            promote(Workspace.load(brand.path), rules=rules)
    finally:
        (brand.path / "profile.yaml").write_text(FILES["profile.yaml"])


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (("[orders_30d, spend_90d, since_order]", "[orders_30d, since_order, shoe_size]"), "profile.yaml has no shoe_size"),
        (("[2017-04-01, 2017-05-01, 2017-06-01]", "[2016-04-01]"), "there are no training rows"),
        (("test: [2017-09-01]", "test: [2018-09-01]"), "choose an earlier cut-off"),
        (("until: 2017-07-01", "until: 2017-03-11"), "folds"),
    ],
    ids=["unknown feature", "no training rows", "the future", "folds outside"],
)
def test_what_cannot_be_trained_says_why(brand, log, rules, change, cause):
    changed = FILES["models.yaml"].replace(*change)
    (brand.path / "models.yaml").write_text(changed)
    try:
        with pytest.raises(KairosError, match=cause):
            train(brand, log, now=NOW, rules=rules)
    finally:
        (brand.path / "models.yaml").write_text(FILES["models.yaml"])


@pytest.mark.parametrize(
    ("orders", "cause"),
    [
        (
            [("2017-03-20", "2017-04-10")],
            "of 15 training rows 10 are positive and 5 negative, and at least 20 of each are needed",
        ),
        ([], "there are no training rows"),
    ],
    ids=["one label", "nobody"],
)
def test_too_little_to_learn_from_is_refused_with_its_numbers(tmp_path: Path, rules, orders, cause):
    brand = workspace(tmp_path / "brand")
    records = [
        order(f"{who}-{day}", f"c{who}", datetime.fromisoformat(day).replace(tzinfo=UTC))
        for who in range(5)
        for days in orders
        for day in days
    ]
    log = open_log(brand.data, records)

    with pytest.raises(TrainingError, match=cause):
        train(brand, log, now=NOW, rules=rules)
