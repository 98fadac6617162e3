"""The verb `drift`, from the command line: what is planted in a log stands first, and tells by its exit code."""

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

import kairos
from decisioning.errors import KairosError
from features.workspace import Workspace, open_log
from serving.clock import engine_clock
from tests import corner
from tests.features import drift_log
from tests.features.drift_log import Brand

Made = Callable[..., Path]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    def brand(**drift: Any) -> Path:
        folder = corner.write_workspace(tmp_path_factory.mktemp("brand"), catalog=drift_log.CATALOG)
        (folder / "catalog.yaml").write_text(drift_log.CATALOG, encoding="utf-8")
        place = Workspace.load(folder)
        with closing(open_log(place)) as log:
            now = engine_clock(place.brand, log).now()
            Brand(log=log, now=now, champion=drift_log.promoted(place.data / "models"), **drift).write(before=260, since=780)
        return folder

    return brand


@pytest.fixture(scope="module")
def calm(made: Made) -> Path:
    return made()


@pytest.fixture(scope="module")
def drifting(made: Made) -> Path:
    return made(spend=3.0, responses=0.2, new=True)


def run(brand: Path, *words: str) -> Result:
    return CliRunner().invoke(kairos.app, ["drift", *words, "--workspace", str(brand)])


def told(brand: Path, *words: str) -> Any:
    ended = run(brand, "--json", *words)
    assert ended.exit_code == 0, ended.exception
    return json.loads(ended.stdout)


def test_nothing_stands_out_where_nothing_moved(calm: Path) -> None:
    report = told(calm)
    loud = [one for one in report["findings"] if one["kind"] in ("feature", "prediction", "choice", "calibration")]
    assert {one["verdict"] for one in loud if one["number"] is not None} == {"ok"}
    assert report["reference"]["why"] == "before the champion came in, which it learned from"
    assert report["reference"]["decisions"] == 260
    assert run(calm, "--check").exit_code == 0


def test_a_shifted_feature_stands_before_all_that_is_fine_and_check_says_retrain(drifting: Path) -> None:
    report = told(drifting)
    first = next(one for one in report["findings"] if one["kind"] == "feature")
    assert (first["subject"], first["verdict"]) == ("spend_90d", "retrain")
    assert all(one["verdict"] == "retrain" for one in report["findings"][: report["findings"].index(first)])
    assert first["number"] > first["bound"] and "read by preference" in first["reason"]
    assert report["verdict"] == "retrain" and report["because"].startswith(report["findings"][0]["subject"])
    assert run(drifting).exit_code == 0
    assert run(drifting, "--check").exit_code == 5


def test_an_action_newer_than_the_models_is_told(drifting: Path) -> None:
    (cheese,) = [one for one in told(drifting)["findings"] if one["subject"] == "cheese"]
    assert cheese["verdict"] in ("retrain", "watch") and "newer than the models" in cheese["reason"]


def test_messages_that_succeed_less_than_expected_are_told_with_an_interval(drifting: Path) -> None:
    report = told(drifting)
    found = {one["subject"]: one for one in report["findings"] if one["kind"] == "calibration"}
    assert found["preference: bread at app"]["verdict"] == "retrain"
    # of the thirty days in which windows ended, the messages of the first seven were shown before the drift
    truth = 7 / 30 + 23 / 30 * 0.2
    assert found["preference: bread at app"]["low"] < truth < found["preference: bread at app"]["high"] < 0.8
    weeks = [week for week in report["weeks"] if week["model"] == "preference"]
    assert len(weeks) == 13 and weeks == sorted(weeks, key=lambda week: week["since"])
    assert weeks[-1]["observed"] < weeks[0]["observed"]


def test_it_reads_as_lines_the_worst_first(drifting: Path) -> None:
    lines = run(drifting).stdout.splitlines()
    assert lines[0].startswith("verdict   retrain: models no longer fit")
    verdicts = [line.split()[0] for line in lines if line.split()[0] in ("retrain", "watch", "unknown", "ok")]
    assert verdicts == sorted(verdicts, key=("retrain", "watch", "unknown", "ok").index)


def test_the_page_stands_alone(drifting: Path, tmp_path: Path) -> None:
    assert run(drifting, "--out", str(tmp_path / "drift.html")).exit_code == 0
    page = (tmp_path / "drift.html").read_text(encoding="utf-8")
    assert "spend_90d" in page and page.count("<svg") >= 3
    assert "<script" not in page and "<link" not in page and "src=" not in page and "@import" not in page


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--since", "1h"], "give an earlier --since"),
        (["--since", "soon"], "write a date such as 2026-01-31"),
        (["--since", "2999-01-01"], "is not before the engine's time"),
        (["--against", "2017-01-01"], "2026-01-01..2026-02-01"),
        (["--against", "2017-02-01..2017-01-01"], "is no span of time"),
        (["--against", "2016-01-01..2016-02-01"], "0 decisions in --against"),
        (["--since", "180d"], "give a later --since"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_the_cure(calm: Path, words: list[str], says: str) -> None:
    ended = run(calm, *words)
    assert isinstance(ended.exception, KairosError) and says in str(ended.exception)


def test_a_log_without_decisions_is_refused(tmp_path: Path) -> None:
    corner.write_workspace(tmp_path)
    ended = run(tmp_path)
    assert isinstance(ended.exception, KairosError) and "no live decision" in str(ended.exception)
