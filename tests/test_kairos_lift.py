"""The verb `lift`, from the command line, on a brand's log in a file and in PostgreSQL."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

import kairos
from decisioning.errors import KairosError
from features.log import Log, Record
from features.log.keys import VARIABLE
from features.workspace import Workspace
from tests import corner, postgres_server
from tests.features import trial_log
from tests.features.trial_log import Writer, history

KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


@pytest.fixture(scope="module")
def brand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its engine's time is the wall clock's: every customer's time is over."""
    folder = tmp_path_factory.mktemp("brand")
    corner.write_workspace(folder)
    texts = trial_log.playbook().texts | {
        "brand.yaml": trial_log.BRAND.replace("clock: {starts_at: 2018-01-01T09:00:00}\n", "")
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def records(brand: Path) -> Sequence[Record]:
    log = Log(f"sqlite:///{brand / '.kairos' / 'log.db'}")
    writer = Writer.opened(log, Workspace.load(brand).playbook)
    made = [one for of in history(writer, 600, effect=1.0) for one in of]
    log.append(made)
    log.close()
    return made


def run(brand: Path, *words: str) -> str:
    ended = CliRunner().invoke(kairos.app, ["lift", *words, "--workspace", str(brand)], catch_exceptions=False)
    assert ended.exit_code == 0
    return ended.stdout


def test_the_lift_is_told_with_intervals_and_with_what_the_lever_costs(brand: Path, records: Sequence[Record]) -> None:
    told = json.loads(run(brand, "--json", "--margin", "0.5", "--by", "often"))
    lines = {(one["metric"], one["one"], one["other"], one["split"], one["segment"]): one for one in told["differences"]}
    value = lines["Order Completed value", "treatment", "control", "all", ""]
    assert value["verdict"] == "better"
    assert value["found"]["always_low"] < value["found"]["low"] < 10.0 < value["found"]["high"] < value["found"]["always_high"]
    assert value["reduction"] > 0.2
    assert told["sample_ratio"]["holds"]
    assert {one["segment"] for one in told["differences"]} == {"", "seldom", "weekly"}
    (lever,) = told["levers"]
    assert lever["lever"] == "bread"
    assert lever["given_away"]["low"] > 0
    random = lines["Order Completed value", "random", "control", "all", ""]
    assert random["found"] is None and "at least 100 are needed, in random" in random["refused"]


def test_it_reads_as_a_table(brand: Path, records: Sequence[Record]) -> None:
    told = run(brand).splitlines()
    assert told[0].startswith("trial     2018-01-0") and told[2].startswith("ratio     as declared: treatment")
    assert any(line.startswith("  churn") and line.split()[1:4] == ["treatment", "-", "control"] for line in told)
    assert any(line.startswith("  bread: ") for line in told)


def test_a_log_in_postgresql_tells_the_same(brand: Path, records: Sequence[Record], monkeypatch: pytest.MonkeyPatch) -> None:
    here = json.loads(run(brand, "--json"))
    with postgres_server.running() as server:
        monkeypatch.setenv(VARIABLE, KEY)
        monkeypatch.setenv("KAIROS_LOG_URL", f"{server.url}postgres")
        log = Log(f"{server.url}postgres")
        Writer.opened(log, Workspace.load(brand).playbook)
        log.append(list(records))
        log.close()
        there = json.loads(run(brand, "--json"))
    for name in ("differences", "levers", "sample_ratio", "customers", "counted"):
        assert there[name] == here[name]


def test_a_log_without_decisions_is_refused(tmp_path: Path) -> None:
    corner.write_workspace(tmp_path)
    ended = CliRunner().invoke(kairos.app, ["lift", "--workspace", str(tmp_path)])
    assert isinstance(ended.exception, KairosError) and "no live decision" in str(ended.exception)
