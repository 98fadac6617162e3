"""Going back: the pointer, the champions and a running server's answers, all of them or none."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import kairos
from decisioning.customer import Profile
from features import bundle
from features.bundle import BundleError
from features.workspace import Workspace
from serving.scoring.current import CurrentModels
from tests.training.conftest import Life
from tests.training.worlds import FILES
from training import promotions
from training.errors import PromotionRefused, RollbackRefused, TrackingError, TrainingError
from training.gates import Gate
from training.promote import promote
from training.registry import Registry, Version
from training.rollback import rollback

ROOT = Path(__file__).parents[2]


def test_training_one_model_leaves_the_challenger_of_the_other(life: Life) -> None:
    first, second = promotions.recorded(life.folder)
    assert (first.bundle, second.bundle) == (life.first, life.second)
    assert first.versions["preference"] == second.versions["preference"]
    assert [one.versions["churn"].version for one in (first, second)] == ["1", "2"]


def test_a_running_server_gives_the_earlier_answers_at_its_next_look(life: Life) -> None:
    playbook = life.workspace.playbook
    index = playbook.profile.index
    known = Profile(index=index, values=np.ones(len(index), dtype=np.float32), present=np.ones(len(index), dtype=np.bool_))
    bundle.switch(life.folder, life.first)
    server = CurrentModels(life.folder, playbook.catalog, index)
    before = server.predict(known)[0].customer
    bundle.switch(life.folder, life.second)
    assert server.bundle == life.second
    assert server.predict(known)[0].customer != before

    report = rollback(life.workspace, rules=life.rules)

    assert (server.bundle, server.trouble) == (life.first, None)
    assert server.predict(known)[0].customer == before
    assert (report.bundle, report.before, report.changed) == (life.first, life.second, True)
    assert f"{life.first} of " in report.lines()[0] and "test-churn version 1" in report.lines()[0]


def test_the_champions_follow_to_the_versions_of_that_bundle(life: Life) -> None:
    first, second = promotions.recorded(life.folder)
    assert life.champions() == second.versions
    rollback(life.workspace, rules=life.rules)
    assert life.champions() == first.versions
    assert promotions.recorded(life.folder)[-1].back


def without_preference(life: Life) -> None:
    """Promote a third bundle, of a brand that has given up one of its models."""
    (life.workspace.path / "models.yaml").write_text(FILES["models.yaml"][: FILES["models.yaml"].index("preference:")])
    promote(Workspace.load(life.workspace.path), rules=life.rules)


def test_a_model_that_was_given_up_has_no_champion_until_a_rollback_brings_it_back(life: Life) -> None:
    without_preference(life)
    assert life.champions()["preference"] is None
    rollback(life.workspace, rules=life.rules)
    assert life.champions() == promotions.recorded(life.folder)[1].versions


def test_going_back_twice_goes_further_back_and_then_there_is_nothing(life: Life) -> None:
    life.another()
    assert rollback(life.workspace, rules=life.rules).bundle == life.second
    assert rollback(life.workspace, rules=life.rules).bundle == life.first
    before = life.told()
    with pytest.raises(RollbackRefused, match=f"no bundle was promoted before {life.first}; promoted were .*: name one with"):
        rollback(life.workspace, rules=life.rules)
    assert life.told() == before


def test_the_command_line_tells_what_answers_now(life: Life) -> None:
    told = CliRunner().invoke(kairos.app, ["rollback", "-w", str(life.workspace.path), "--json"])
    report = json.loads(told.stdout)
    assert (told.exit_code, report["bundle"], report["before"]) == (0, life.first, life.second)
    assert report["versions"]["churn"]["version"] == "1"
    with pytest.raises(RollbackRefused, match="no bundle 0123 was ever promoted"):
        kairos.rollback(to="0123", workspace=life.workspace.path)


def test_any_promoted_bundle_can_be_named_and_naming_it_again_changes_nothing(life: Life) -> None:
    third = life.another()
    assert rollback(life.workspace, to=life.first, rules=life.rules).before == third
    told = life.told()
    assert not rollback(life.workspace, to=life.first, rules=life.rules).changed
    assert life.told() == told
    assert rollback(life.workspace, to=third, rules=life.rules).bundle == third == life.current


def test_a_bundle_that_was_never_promoted_is_refused_with_those_that_were(life: Life) -> None:
    with pytest.raises(RollbackRefused, match=f"no bundle 0123 was ever promoted; promoted were {life.first} .*{life.second}"):
        rollback(life.workspace, to="0123", rules=life.rules)


def test_where_nothing_was_promoted_it_says_so(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(RollbackRefused, match="no promotion is recorded; train and promote first"):
        rollback(Workspace.load(tmp_path))


@pytest.mark.parametrize(
    ("change", "error", "cause"),
    [
        (("{sum: 1, half_life: 30d}", "{sum: 1, half_life: 20d}"), BundleError, "does not fit the profile"),
        (("{bakery: [PASTRY], produce: [PRODUCE]}", "{produce: [PRODUCE], bakery: [PASTRY]}"), TrainingError, "the topics"),
    ],
    ids=["another meaning", "another order of topics"],
)
def test_a_bundle_that_no_longer_fits_the_profile_is_refused(
    life: Life, change: tuple[str, str], error: type[Exception], cause: str
) -> None:
    (life.workspace.path / "profile.yaml").write_text(FILES["profile.yaml"].replace(*change))
    before = life.told()
    with pytest.raises(error, match=cause):
        rollback(Workspace.load(life.workspace.path), rules=life.rules)
    assert life.told() == before


def test_a_damaged_bundle_is_refused(life: Life) -> None:
    text = life.folder / life.first / "churn.response.txt"
    text.write_text(text.read_text().replace("num_leaves", "num_leave", 1))
    before = life.told()
    with pytest.raises(BundleError, match="changed after training"):
        rollback(life.workspace, rules=life.rules)
    assert life.told() == before


def test_where_one_champion_cannot_follow_none_does(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    without_preference(life)
    before, alias, asked = life.told(), Registry._alias, list[str]()

    def failing(self: Registry, name: str, label: str, version: Version | None) -> None:
        asked.append(name)
        if len(asked) == 2:
            raise TrackingError("the connection was cut")
        alias(self, name, label, version)

    with monkeypatch.context() as cut:
        cut.setattr(Registry, "_alias", failing)
        with pytest.raises(TrackingError, match="the connection was cut"):
            rollback(life.workspace, to=life.first, rules=life.rules)
    assert asked[:2] == ["test-churn", "test-preference"]
    assert life.told() == before


def test_a_version_that_mlflow_no_longer_holds_is_refused(life: Life) -> None:
    store = Registry(life.workspace.data, experiment=life.rules.experiment)
    store._client.delete_model_version("test-churn", "1")
    before = life.told()
    with pytest.raises(TrackingError, match="does not hold version 1 of test-churn; name the store that does"):
        rollback(life.workspace, rules=life.rules)
    assert life.told() == before


@pytest.mark.parametrize("verb", [rollback, promote])
def test_a_tracking_server_that_is_away_is_refused_and_the_pointer_stays(
    life: Life, verb: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = life.told()
    with monkeypatch.context() as away:
        away.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
        with pytest.raises(TrackingError, match=r"MLflow at http://127.0.0.1:9 cannot be used: .*; start it, or unset"):
            verb(life.workspace, rules=life.rules)  # type: ignore[operator]
    assert life.told() == before


_KILLED = """
import os, signal, sys
from pathlib import Path
from features import bundle
from features.workspace import Workspace
from training.gates import read_rules
from training.rollback import rollback
bundle.switch = lambda folder, hash: os.kill(os.getpid(), signal.SIGKILL)
rollback(Workspace.load(sys.argv[1]), rules=read_rules(Path(sys.argv[1], "registry.yaml")))
"""


def test_what_is_killed_before_the_pointer_moves_left_the_server_alone_and_is_set_right_by_the_next(life: Life) -> None:
    before = life.champions()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(life.workspace.path)], env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert life.current == life.second
    assert life.champions() != before

    # also one that refuses its challengers compares them with the champions that answer
    shut = {name: replace(one, gates={"auc": Gate(at_least=0.999)}) for name, one in life.rules.models.items()}
    with pytest.raises(PromotionRefused):
        promote(life.workspace, rules=replace(life.rules, models=shut))

    assert life.champions() == before
    assert rollback(life.workspace, rules=life.rules).bundle == life.first
