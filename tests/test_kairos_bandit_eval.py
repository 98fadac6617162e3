"""The verb `bandit-eval`: a table in, JSON out; bad input is one clear line and exit code 2."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

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


def run(table: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kairos", "bandit-eval", str(table), "--action", "arm", "--reward", "bought", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_table_in_and_json_out(table: Path) -> None:
    told = run(table, "--propensity", "0.5", "--drop", "paid", "--seed", "4", "--json")
    assert told.returncode == 0, told.stderr
    report = json.loads(told.stdout)
    assert report["n"] == 600
    assert set(report["static"]) == {"mail", "none"}
    assert report["recommended"]["policy"] == "static:mail"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--propensity", "0.5"), "--drop 'paid'"),
        (("--propensity", "0.1", "--drop", "paid"), "the propensities do not fit the action 'mail'"),
        (("--propensity", "chance"), "neither a column of the table nor a number"),
    ],
)
def test_bad_input_is_one_clear_line(table: Path, words: tuple[str, ...], says: str) -> None:
    told = run(table, *words)
    assert (told.returncode, told.stdout) == (2, "")
    assert says in told.stderr
    assert "Traceback" not in told.stderr
