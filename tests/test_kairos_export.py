"""The verb `export log`, from the command line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import kairos
from decisioning.errors import KairosError
from features.log import Log
from features.workspace import Workspace
from tests import corner
from tests.features import trial_log
from tests.features.trial_log import Writer


@pytest.fixture
def brand(tmp_path: Path) -> Path:
    corner.write_workspace(tmp_path)
    for name, text in trial_log.playbook().texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    log = Log(f"sqlite:///{tmp_path / '.kairos' / 'log.db'}")
    writer = Writer.opened(log, Workspace.load(tmp_path).playbook)
    log.append([writer.decision(f"c{number}") for number in range(10)])
    log.close()
    return tmp_path


def test_each_format_is_written_and_counted(brand: Path) -> None:
    for form, name in (("pega", "x.csv"), ("dsjson", "x.json"), ("obp", "x.npz")):
        out = brand / name
        words = ["export", "log", "--format", form, "--out", str(out), "--workspace", str(brand)]
        ended = CliRunner().invoke(kairos.app, [*words, "--json"], catch_exceptions=False)
        told = json.loads(ended.stdout)
        assert ended.exit_code == 0 and out.exists()
        assert told["pseudonymous"] is True and str(out) in told["files"]
        shown = CliRunner().invoke(kairos.app, words, catch_exceptions=False).stdout
        assert shown.startswith("wrote     ") and "ids are pseudonyms" in shown


def test_a_log_that_never_decided_is_refused(tmp_path: Path) -> None:
    corner.write_workspace(tmp_path)
    words = ["export", "log", "--format", "obp", "--out", str(tmp_path / "x.npz"), "--workspace", str(tmp_path)]
    ended = CliRunner().invoke(kairos.app, words)
    assert isinstance(ended.exception, KairosError) and "nothing was ever decided" in str(ended.exception)
    assert not (tmp_path / "x.npz").exists()


def test_a_place_that_cannot_be_written_to_is_refused(brand: Path) -> None:
    words = ["export", "log", "--format", "pega", "--out", str(brand / "none" / "x.csv"), "--workspace", str(brand)]
    assert isinstance(CliRunner().invoke(kairos.app, words).exception, KairosError)
