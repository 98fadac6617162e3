"""Training and promotion in one go: what a cron is told, and that the champions stay whenever nothing is promoted."""

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

import kairos
from features.log import Log
from features.workspace import Workspace
from tests.training.conftest import Life
from tests.training.worlds import FILES, NOW
from training.alone import TRAINING, alone
from training.gates import Gate, Rules
from training.promote import promote
from training.report import RetrainReport
from training.retrain import retrain
from training.rollback import rollback


def opened(place: Workspace) -> tuple[Log, datetime]:
    return Log(place.log_url), NOW


def run(life: Life, rules: Rules | None = None) -> RetrainReport:
    return retrain(life.workspace.path, opened, rules=rules or life.rules)


def learns(life: Life, trees: int) -> None:
    """Changes how churn learns, as if new data had come."""
    changed = FILES["models.yaml"].replace("num_iterations: 30", f"num_iterations: {trees}", 1)
    (life.workspace.path / "models.yaml").write_text(changed)


def test_what_is_new_is_trained_and_promoted_and_the_next_one_finds_nothing_new(life: Life) -> None:
    learns(life, 10)
    steps: list[float] = []
    report = retrain(life.workspace.path, opened, rules=life.rules, progress=lambda text, done: steps.append(done))
    assert (report.outcome, report.exit_code, report.reasons) == ("promoted", 0, ())
    assert report.trained is not None and [one.reused for one in report.trained.models] == [False, True]
    assert report.promoted is not None and report.promoted.bundle == life.current not in (life.first, life.second)
    assert steps == sorted(steps) and steps[-1] == 1.0
    again = run(life)
    assert (again.outcome, again.exit_code) == ("nothing new", 0)
    assert rollback(life.workspace, rules=life.rules).bundle == life.second


def test_what_a_rollback_undid_comes_back_by_promote_alone(life: Life) -> None:
    rollback(life.workspace, rules=life.rules)
    report = run(life)
    assert (report.outcome, report.exit_code, report.promoted) == ("nothing new", 0, None)
    assert f"bundle {life.second} at" in report.reasons[0] and "`kairos promote`" in report.reasons[0]
    assert life.current == life.first
    assert promote(life.workspace, rules=life.rules).bundle == life.second


def test_a_shut_gate_ends_it_with_2_and_every_reason(life: Life) -> None:
    before = life.told()
    shut = {name: replace(one, gates={"auc": Gate(at_least=0.999)}) for name, one in life.rules.models.items()}
    report = run(life, replace(life.rules, models=shut))
    assert (report.outcome, report.exit_code, report.promoted) == ("refused", 2, None)
    assert [reason.partition(":")[0] for reason in report.reasons] == ["churn", "preference"]
    assert report.trained is not None
    assert life.told() == before


def test_a_second_one_ends_at_once_with_3_and_says_who_holds_it(life: Life) -> None:
    with alone(life.workspace.data / TRAINING, "kairos retrain"):
        report = run(life)
    assert (report.outcome, report.exit_code, report.trained) == ("running", 3, None)
    assert "`kairos retrain` is running: process" in report.reasons[0] and " since " in report.reasons[0]


def test_a_tracking_server_that_is_away_ends_it_with_4(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    before = life.told()
    with monkeypatch.context() as away:
        away.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
        report = run(life)
    assert (report.outcome, report.exit_code) == ("failed", 4)
    assert report.reasons[0].startswith("MLflow at http://127.0.0.1:9 cannot be used")
    assert life.told() == before


def test_data_that_cannot_teach_end_it_with_4(life: Life) -> None:
    models = life.workspace.path / "models.yaml"
    models.write_text(FILES["models.yaml"].replace("[2017-04-01, 2017-05-01, 2017-06-01]", "[2016-04-01]"))
    before = life.told()
    report = run(life)
    assert (report.outcome, report.exit_code) == ("failed", 4)
    assert "there are no training rows" in report.reasons[0]
    assert life.told() == before


def test_a_fault_that_nobody_foresaw_ends_it_with_4_too_and_is_logged_whole(
    life: Life, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(place: Workspace) -> tuple[Log, datetime]:
        raise ZeroDivisionError("the moon")

    report = retrain(life.workspace.path, broken, rules=life.rules)
    assert (report.exit_code, report.reasons) == (4, ("ZeroDivisionError: the moon",))
    assert "Traceback" in caplog.text
    assert run(life).exit_code == 0  # and the lock is free


def test_the_command_line_ends_with_the_reports_code_and_tells_it_as_json(life: Life, tmp_path: Path) -> None:
    with alone(life.workspace.data / TRAINING, "kairos train"):
        running = CliRunner().invoke(kairos.app, ["retrain", "-w", str(life.workspace.path), "--json"])
    told = json.loads(running.stdout)
    assert (running.exit_code, told["exit_code"], told["outcome"]) == (3, 3, "running")
    assert "`kairos train` is running" in told["reasons"][0]
    nowhere = CliRunner().invoke(kairos.app, ["retrain", "-w", str(tmp_path / "nowhere")])
    assert (nowhere.exit_code, "no such folder" in nowhere.stdout) == (4, True)


def test_the_exit_codes_are_in_the_help() -> None:
    told = " ".join(CliRunner().invoke(kairos.app, ["retrain", "--help"]).stdout.split())
    for said in ("0: promoted", "2: a gate refused", "3: another training runs", "4: data"):
        assert said in told
