"""The verbs `verify-log` and `erase`, from the command line."""

import json
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

import kairos
from decisioning.errors import KairosError
from features.log.keys import FILE
from features.workspace import Workspace
from tests import postgres_server, worlds
from tests.corner import TEXTS
from tests.log.writing import event
from tests.worlds import NOW


@pytest.fixture
def brand(tmp_path: Path) -> Path:
    for name, text in TEXTS.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    log = kairos.open_log(Workspace.load(tmp_path))
    log.append([event("Complaint Opened"), event("A", message_id="m2", customer="b")])
    log.close()
    return tmp_path


def run(*words: str, brand: Path) -> tuple[int, str]:
    ended = CliRunner().invoke(kairos.app, [*words, "--workspace", str(brand)])
    return ended.exit_code, ended.stdout


def test_a_whole_log_is_told_whole(brand: Path) -> None:
    code, told = run("verify-log", brand=brand)
    assert code == 0 and told.startswith("log       whole: 2 records")
    assert (brand / ".kairos" / FILE).exists()


def test_a_broken_log_is_told_with_its_first_fault_and_exit_code_1(brand: Path) -> None:
    other = sqlite3.connect(brand / ".kairos" / "log.db")
    other.execute("UPDATE records SET known_us = 0 WHERE sequence = 2")
    other.commit()
    other.close()
    code, told = run("verify-log", "--json", brand=brand)
    verdict = json.loads(told)
    assert (code, verdict["sequence"]) == (1, 2)
    assert "changed or removed" in verdict["fault"]


def test_to_erase_prints_a_receipt_and_leaves_a_whole_log(brand: Path) -> None:
    code, told = run("erase", "1029", "--json", brand=brand)
    receipt = json.loads(told)
    assert (code, receipt["log"]["records"], receipt["log"]["states"]) == (0, 1, 1)
    assert run("verify-log", brand=brand)[0] == 0
    ended = CliRunner().invoke(kairos.app, ["erase", "1029", "--workspace", str(brand)])
    assert isinstance(ended.exception, KairosError) and "nothing is kept" in str(ended.exception)


def open_complaints(brand: Path) -> tuple[str, ...]:
    """Of customer 1029, as a process that opens the log now sees them; the log must be whole to it."""
    log = kairos.open_log(Workspace.load(brand))
    assert log.verify().fault is None
    found = log.state("1029")[0].open_complaints
    log.close()
    return found


def silence_complaints(brand: Path) -> None:
    file = brand / "brand.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("Complaint Opened:", "Parcel Lost:"), encoding="utf-8")


def test_states_follow_the_workspace_while_nothing_is_published(brand: Path) -> None:
    assert open_complaints(brand) == ("m1",)
    silence_complaints(brand)
    assert open_complaints(brand) == ()


def test_states_follow_what_is_published_and_not_what_lies_in_the_workspace(brand: Path) -> None:
    log = kairos.open_log(Workspace.load(brand))
    kairos.published(Workspace.load(brand).playbook, log, NOW)
    silence_complaints(brand)
    assert open_complaints(brand) == ("m1",)
    # as publishing writes it
    newer = Workspace.load(brand).playbook
    body = {"version": newer.version, "files": dict(newer.texts)}
    log.append([worlds.record("catalog", "newer", json.dumps(body).encode(), at=NOW, customer_id=None)])
    log.close()
    assert open_complaints(brand) == ()


def test_a_workspace_whose_log_is_on_a_server_keeps_the_key_in_its_folder(brand: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with postgres_server.running() as server:
        monkeypatch.setenv("KAIROS_LOG_URL", server.url + "postgres")
        key = brand / ".kairos" / FILE
        key.unlink()
        assert run("verify-log", brand=brand) == (
            0,
            "log       whole: 0 records of 0 writers, 0 of them erased; the state of 0 customers is what the records imply\n",
        )
        assert key.exists()
        assert server.run("SELECT count(*) FROM settings") == [(2,)]
