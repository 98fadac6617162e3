"""Champion and challenger on a small brand: compared, refused, let in, evaluated."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import kairos
from decisioning.errors import KairosError
from features import bundle, offline
from features.log import Log
from features.workspace import Workspace
from tests.training.worlds import FILES, NOW, history, open_log, workspace
from training import promotions
from training.errors import PromotionRefused, TrackingError, TrainingError
from training.evaluate_versions import evaluate_versions
from training.gates import Registered, Rules
from training.promote import models_folder, promote
from training.registry import Registry, Version
from training.train import train
from training.versions import fetched

RULES = """
experiment: kairos
alias: champion
models:
  churn:
    registered_as: test-churn
    gates: {auc: {at_least: 0.5}, microseconds_a_row: {at_most: 1000}, kilobytes: {at_most: 1000}}
    may_lose: 0.01
    not_below_champion: [auc]
    slices: {any: 0.05}
    fairness: {any: {calibration: 0.3, auc: 0.5}}
"""
PROFILE = FILES["profile.yaml"].replace(
    "      since_order: {since: last}\n",
    "      since_order: {since: last}\n      pace: {band: orders_30d, cuts: [4], labels: [slow, quick]}\n",
)
GOOD = FILES["models.yaml"].split("preference:")[0] + "  slices: [pace]\n"
BAD = GOOD.replace("num_iterations: 30", "num_iterations: 1")


@pytest.fixture(autouse=True)
def _own_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Log]]:
    folder = tmp_path_factory.mktemp("brand")
    brand = workspace(folder, models=GOOD, profile=PROFILE)
    (folder / "registry.yaml").write_text(RULES)
    made = open_log(brand.data, [one for one in history(customers=150) if one.kind == "event"])
    offline.build(brand, made)
    yield folder, made
    made.close()


@pytest.fixture(scope="module")
def told(log: tuple[Path, Log]) -> dict[str, Version]:
    """Trained: a good model, which is promoted, and one that is worse."""
    folder, records = log
    found = {}
    for name, text in (("good", GOOD), ("bad", BAD)):
        (folder / "models.yaml").write_text(text)
        found[name] = train(Workspace.load(folder), records, now=NOW).models[0].version
        if name == "good":
            promote(Workspace.load(folder))
    return found


@pytest.fixture
def brand(log: tuple[Path, Log], told: dict[str, Version]) -> Workspace:
    """The good model is champion and challenger, whatever another test did."""
    folder, _ = log
    (folder / "models.yaml").write_text(GOOD)
    _challenge(Workspace.load(folder), told["good"])
    _answer(Workspace.load(folder), told["good"])
    return Workspace.load(folder)


def _challenge(brand: Workspace, version: Version) -> None:
    Registry(brand.data, experiment="kairos").point("challenger", version)


def _answer(brand: Workspace, version: Version) -> None:
    """Make a version the champion, whatever the gates say."""
    store, folder = Registry(brand.data, experiment="kairos"), models_folder(brand)
    made = bundle.bundled([fetched(store, brand, "churn", version)], brand.profile.index, tuple(brand.profile.topics))
    bundle.write(made, folder)
    with promotions.changing(folder):
        promotions.put_in_force(folder, store, alias="champion", made=made.hash, versions={"churn": version})


def test_a_worse_challenger_is_refused_with_its_interval_and_the_pointer_stays(brand, told):
    _challenge(brand, told["bad"])
    before = bundle.current(models_folder(brand))

    with pytest.raises(PromotionRefused) as refused:
        promote(brand)

    assert "churn: log_loss is +" in refused.value.reasons[0]
    assert "beside the champion's on the same" in refused.value.reasons[0]
    assert all("\n" not in reason for reason in refused.value.reasons)
    assert bundle.current(models_folder(brand)) == before
    assert Registry(brand.data, experiment="kairos").pointed("test-churn", "champion") == told["good"]


def test_a_better_challenger_is_let_in(brand, told):
    _answer(brand, told["bad"])
    _challenge(brand, told["good"])

    report = promote(brand)

    assert report.models[0].version == told["good"]
    assert report.models[0].before == told["bad"]


def test_versions_of_different_tests_are_both_scored_on_the_newer_and_the_reading_is_a_run(brand, log, told):
    folder, records = log
    (folder / "models.yaml").write_text(BAD.replace("test: [2017-09-01]", "test: [2017-08-01]"))
    bad = train(Workspace.load(folder), records, now=NOW).models[0].version
    (folder / "models.yaml").write_text(GOOD)
    store = Registry(brand.data, experiment="kairos")
    test = {"kairos.test": store.tags(told["good"].run_id)["kairos.test"]}
    readings = store.count(test)

    with pytest.raises(PromotionRefused) as refused:
        promote(brand)

    assert bad.version not in (told["good"].version, told["bad"].version)
    assert "beside the champion's on the same" in refused.value.reasons[0]
    assert store.count(test) == readings + 1


def test_a_champion_that_learned_from_the_test_cannot_be_compared_and_the_cure_is_said(brand, log, told):
    folder, records = log
    (folder / "models.yaml").write_text(GOOD.replace("2017-06-01]", "2017-07-01]").replace("2017-09-01", "2017-10-01"))
    later = train(Workspace.load(folder), records, now=NOW).models[0].version
    _answer(brand, later)
    _challenge(brand, told["good"])
    (folder / "models.yaml").write_text(GOOD.replace("test: [2017-09-01]", "test: [2017-07-15]"))

    with pytest.raises(PromotionRefused, match=r"it may have seen the answers; test on later dates \(models\.yaml\)"):
        promote(Workspace.load(folder))


def test_a_tracking_server_that_cannot_be_reached_leaves_the_champion(brand, monkeypatch):
    before = bundle.current(models_folder(brand))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")

    with pytest.raises(TrackingError, match="cannot be used"):
        promote(brand)

    assert bundle.current(models_folder(brand)) == before


def test_evaluating_tells_both_versions_and_promotes_nothing(brand, log, told):
    _challenge(brand, told["bad"])
    before = bundle.current(models_folder(brand))

    (first,) = evaluate_versions(brand, log[1], "churn", now=NOW).models
    (second,) = evaluate_versions(brand, log[1], now=NOW).models

    assert [(one.role, one.version) for one in first.standings] == [("champion", told["good"]), ("challenger", told["bad"])]
    assert first.comparison is not None and first.comparison.lost.value > 0
    assert not first.is_open and "log_loss" in first.shut[0]
    assert second.reading == first.reading + 1
    assert {one.feature for one in first.standings[0].apart} == {"pace"}
    assert bundle.current(models_folder(brand)) == before
    lines = list(first.lines())
    assert any(line.startswith("challenger churn version 2: auc 0.") for line in lines)
    assert lines[-1].startswith("shut       churn: ")


def test_evaluating_a_champion_that_nothing_challenges_says_so(brand, log, told):
    (found,) = evaluate_versions(brand, log[1], now=NOW).models

    assert [one.role for one in found.standings] == ["champion"]
    assert found.comparison is None
    assert found.alone == "no other version challenges the champion; run `kairos train` to have one"
    assert found.is_open


def test_what_was_measured_anew_is_what_training_measured(brand, log, told):
    (found,) = evaluate_versions(brand, log[1], now=NOW).models
    kept = Registry(brand.data, experiment="kairos").metrics(told["good"].run_id)

    assert {one.name: one.value for one in found.standings[0].metrics} == {
        one.name: kept[one.name] for one in found.standings[0].metrics
    }


@pytest.mark.parametrize(
    ("name", "now", "cause"),
    [
        ("chrun", NOW, r"describes no 'chrun' \(did you mean 'churn'\?\); name one of churn, all"),
        ("all", NOW.replace(month=9), "no test of models.yaml is over at 2017-09-01 00:00 UTC"),
    ],
)
def test_what_cannot_be_evaluated_says_why(brand, log, name, now, cause):
    with pytest.raises(TrainingError, match=cause):
        evaluate_versions(brand, log[1], name, now=now)


def test_evaluating_before_training_names_the_command(brand, log):
    elsewhere = Rules(experiment="kairos", alias="champion", models={"churn": Registered(registered_as="nobody")})

    with pytest.raises(TrackingError, match="run `kairos train` first"):
        evaluate_versions(brand, log[1], now=NOW, rules=elsewhere)


def test_the_verb_prints_json(brand, told):
    answer = CliRunner().invoke(kairos.app, ["evaluate", "churn", "-w", str(brand.path), "--json"])

    assert answer.exit_code == 0, answer.output
    (churn,) = json.loads(answer.stdout)["models"]
    assert churn["is_open"] is True
    assert {one["name"] for one in churn["standings"][0]["metrics"]} == {"auc", "log_loss", "calibration_error"}


@pytest.mark.parametrize(
    ("before", "after", "cause"),
    [
        ("since_order]", "since_ordr]", r"profile\.yaml has no since_ordr \(did you mean 'since_order'\?\)"),
        ("slices: [pace]", "slices: [pase]", r"profile\.yaml has no pase \(did you mean 'pace'\?\)"),
        ("rises_with: [since_order]", "rises_with: [sinse_order]", r"is no column \(did you mean 'since_order'\?\)"),
        ("references: {auc:", "references: {acu:", r"'acu' of references is no metric \(did you mean 'auc'\?\)"),
        ("churn:", "chrun:", "did you mean 'churn'"),
    ],
    ids=["column", "slice", "bound", "metric", "model"],
)
def test_names_that_models_yaml_gets_wrong_are_told_with_the_nearest(brand, log, before, after, cause):
    folder, records = log
    (folder / "models.yaml").write_text(GOOD.replace(before, after))

    with pytest.raises(KairosError, match=cause):
        train(Workspace.load(folder), records, now=NOW)
