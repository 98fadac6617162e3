"""The verb `bandit-eval`: a table in, JSON out; bad input is one clear line and exit code 2."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import kairos

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    random, rows = np.random.default_rng(1), 1_200
    arm = random.integers(0, 2, rows)
    bought = random.random(rows) < 0.2 + 0.2 * arm
    file = tmp_path_factory.mktemp("campaign") / "campaign.csv"
    pl.DataFrame(
        {
            "arm": np.where(arm == 1, "mail", "none"),
            "bought": bought.astype(int),
            "paid": np.where(bought, 9.5, 0.0),
            "age": random.integers(18, 80, rows),
        }
    ).write_csv(file)
    return file


def words(table: Path, *more: str, action: str = "arm", reward: str = "bought") -> list[str]:
    return ["bandit-eval", str(table), "--action", action, "--reward", reward, *more]


def test_a_table_in_and_json_out(table: Path) -> None:
    asked = words(table, "--propensity", "0.5", "--drop", "paid", "--seed", "4", "--json")
    told = subprocess.run([sys.executable, "-m", "kairos", *asked], cwd=ROOT, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    report = json.loads(told.stdout)
    assert report["n"] == 600
    assert set(report["static"]) == {"mail", "none"}
    assert report["recommended"]["policy"] == "static:mail"


def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *asked: str) -> str:
    """What the command line says before it ends with exit code 2, having printed nothing else."""
    monkeypatch.setattr(sys, "argv", ["kairos", *asked])
    with pytest.raises(SystemExit) as ended:
        kairos.main()
    told = capsys.readouterr()
    assert (ended.value.code, told.out) == (2, "")
    assert told.err.count("\n") == 1
    return told.err


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--propensity", "0.5"), "--drop 'paid'"),
        (("--propensity", "0.1", "--drop", "paid"), "the propensities do not fit the action 'mail'"),
        (("--propensity", "chance"), "neither a column of the table nor a number"),
    ],
)
def test_bad_input_is_one_clear_line(table: Path, more: tuple[str, ...], says: str, monkeypatch, capsys) -> None:
    assert says in refused(monkeypatch, capsys, *words(table, *more))


def test_a_log_that_hardly_ever_tried_most_of_its_actions_is_refused(tmp_path: Path, monkeypatch, capsys) -> None:
    # Thompson sampling logged it: its 10,000 rows tell of evenly drawn items what 2 such rows would
    kept = np.load(ROOT / "tests" / "measure" / "open_bandit_women_bts.npz")
    shown = pl.DataFrame({name: kept[name] for name in kept.files}).with_columns(pl.col("action").cast(pl.String))
    file = tmp_path / "women_bts.parquet"
    shown.write_parquet(file)
    told = refused(monkeypatch, capsys, *words(file, "--propensity", "pscore", "--json", action="action", reward="reward"))
    assert "choosing evenly among the 46 actions" in told
    assert "of 10,000 rows the policy can use as much as 2.1 would tell (effective sample size" in told
    assert "at least 100 are needed: log more with exploration, or evaluate a policy nearer to the log's" in told
