"""The demo, told twice from nothing on the real data, and the README's example against its server."""

import json
import re
import shutil
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import kairos
from examples.grocer import base, calling
from features import offline
from features.packed import PackedStore
from features.workspace import Workspace

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Told:
    workspace: Path
    first: subprocess.CompletedProcess[str]
    second: subprocess.CompletedProcess[str]

    @property
    def decisions(self) -> list[dict[str, Any]]:
        return json.loads(self.first.stdout)["decisions"]  # type: ignore[no-any-return]

    @property
    def changes(self) -> list[dict[str, Any]]:
        return json.loads(self.first.stdout)["before_after"]  # type: ignore[no-any-return]


INTERRUPTED_AT = ("appending to the log", "writing the tables", "keeping the run in MLflow", "loading the online store")
"""The steps at which the demo is killed before it may tell its story."""


def command(workspace: Path) -> list[str]:
    return [sys.executable, "-m", "kairos", "demo", "--once", "--json", "--workspace", str(workspace)]


def kill_at(workspace: Path, step: str) -> None:
    """Start the demo and kill it in the middle of a step."""
    with subprocess.Popen(
        command(workspace), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as telling:
        assert telling.stderr is not None
        assert any(step in line for line in telling.stderr), f"it never came to {step!r}"
        telling.kill()


def tell(workspace: Path) -> subprocess.CompletedProcess[str]:
    told = subprocess.run(command(workspace), cwd=ROOT, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    return told


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    workspace = tmp_path_factory.mktemp("demo") / "grocer"
    workspace.mkdir()
    for file in (ROOT / "examples" / "grocer").glob("*.yaml"):
        shutil.copy(file, workspace)
    for step in INTERRUPTED_AT:
        kill_at(workspace, step)
    return Told(workspace, tell(workspace), tell(workspace))


def test_every_telling_tells_the_same(told: Told) -> None:
    assert told.first.stdout == told.second.stdout


def test_a_second_telling_imports_and_trains_nothing_again(told: Told) -> None:
    assert "appending to the log" not in told.second.stderr
    assert "learning" not in told.second.stderr


def test_interruptions_lose_and_double_nothing(told: Told) -> None:
    workspace = Workspace.load(told.workspace)
    with closing(sqlite3.connect(workspace.data / "base.db")) as imported:
        assert imported.execute("SELECT count(*) FROM records").fetchone() == (209_409,)
    with closing(sqlite3.connect(workspace.data / "mlflow" / "mlflow.db")) as tracking:
        versions = tracking.execute("SELECT name, count(*) FROM model_versions GROUP BY name ORDER BY name").fetchall()
        unfinished = tracking.execute("SELECT count(*) FROM runs WHERE status = 'RUNNING'").fetchone()
    assert versions == [(f"kairos-{name}", 1) for name in ("churn", "churn-60", "preference", "timing", "value")]
    assert unfinished == (0,)


def test_real_households_get_real_messages_at_every_touchpoint(told: Told) -> None:
    decisions = told.decisions
    results = [result for answer in decisions for result in answer["results"]]
    assert len(decisions) >= 12
    assert len({answer["customer_id"] for answer in decisions}) >= 6
    assert {answer["touchpoint"] for answer in decisions} == {
        "app_home", "web", "till_receipt", "call_centre", "email", "mailer",
    }  # fmt: skip
    assert len({result["action"] for result in results if result["action"]}) >= 4
    assert len({result["message"]["title"] for result in results if result["message"]}) >= 8
    assert len({(result["send_at"], result["timing"]) for result in results if result["send_at"]}) >= 3
    assert all(answer["logged"] for answer in decisions)
    assert all(result["reason"] for result in results)


def test_the_terms_multiply_to_the_priority(told: Told) -> None:
    for answer in told.decisions:
        for result in answer["results"]:
            if terms := result["terms"]:
                assert result["priority"] == pytest.approx(terms["p"] * terms["c"] * terms["v"] * terms["l"], abs=1e-9)


def weighed(change: dict[str, Any]) -> dict[str, float]:
    """By action: how many times what it weighed before it weighs now, of those that competed both times."""
    was, now = (
        {one["action"]: one["terms"]["c"] for one in change[at]["explanation"]["ranking"]} for at in ("before", "after")
    )
    return {action: now[action] / was[action] for action in was.keys() & now.keys()}


def test_each_thing_posted_changes_the_next_decision_for_a_stated_reason(told: Told) -> None:
    refusal, complaint, closing, wish, later, promise, making_good = told.changes
    for change in told.changes:
        assert change["before"]["results"][0]["action"] != change["after"]["results"][0]["action"]
        assert change["because"]
    refused = refusal["before"]["results"][0]["action"]
    assert {one["action"]: one["rule"] for one in refusal["after"]["rejected"]}[refused] == "cool_down"
    assert complaint["after"]["results"][0]["action"] == "apology_call"
    assert "open_complaint" in {one["rule"] for one in complaint["after"]["rejected"]}
    assert closing["before"]["results"][0]["action"] == "apology_call"
    assert weighed(wish)[wish["before"]["results"][0]["action"]] == pytest.approx(0.5)
    assert weighed(later)[later["before"]["results"][0]["action"]] == pytest.approx(0.1)
    assert promise["after"]["results"][0]["action"] == "sorry_voucher"
    assert "make_good_first" in {one["rule"] for one in promise["after"]["rejected"]}
    assert making_good["before"]["results"][0]["action"] == "sorry_voucher"
    assert not {"make_good_first", "broken_promise"} & {one["rule"] for one in making_good["after"]["rejected"]}


def test_every_household_has_the_same_profile_online_and_offline(told: Told) -> None:
    workspace = Workspace.load(told.workspace)
    index = workspace.profile.index
    store = PackedStore(workspace.data / offline.ONLINE, workspace.profile)
    customers, at = [str(number) for number in range(1, 2501)], datetime(2018, 1, 15, 9, tzinfo=UTC)
    asked = pl.DataFrame(
        {"customer_id": customers, "at": [at] * len(customers)}, schema_overrides={"at": pl.Datetime("us", "UTC")}
    )
    log = kairos.open_log(workspace)
    offline.build(workspace, log)  # with what the telling itself added
    log.close()
    frame = offline.training_frame(workspace, asked)
    expected = frame.select([feature.name for feature in index.features]).to_numpy().astype(np.float64)
    found = np.array([store.read(customer, at).values for customer in customers], dtype=np.float64)
    store.close()
    assert (np.isnan(expected) == np.isnan(found)).all()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=0)


@pytest.fixture
def server(told: Told) -> Iterator[calling.Server]:
    """The server over what the telling left."""
    workspace = Workspace.load(told.workspace)
    log = kairos.open_log(workspace)
    app = kairos.application(workspace, log, kairos.engine_clock(workspace.brand, log))
    with kairos.listen(0) as bound, calling.Server(app, bound) as server:
        yield server
    log.close()


def test_the_readmes_example_runs(server: calling.Server, capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(example.replace("http://127.0.0.1:8000", server.url), "README.md", "exec"), {})
    assert capsys.readouterr().out.strip()


def test_the_readmes_question_about_a_customer_is_answered_with_where_each_value_came_from(server: calling.Server) -> None:
    (path,) = re.findall(r"curl -s 127\.0\.0\.1:8000(/v1/customers/\S+)", (ROOT / "README.md").read_text(encoding="utf-8"))
    with urllib.request.urlopen(server.url + path) as answer:
        told = json.load(answer)
    found = {value["feature"]: value for value in told["values"]}
    assert found["orders_90d"]["records"] > 0 and found["orders_90d"]["message_id"] and found["orders_90d"]["age_days"] >= 0
    assert told["known_since"] and told["consents"]["marketing"]["said"]


def test_while_one_telling_runs_another_is_refused(told: Told) -> None:
    with base.alone(Workspace.load(told.workspace)):
        second = subprocess.run(command(told.workspace), cwd=ROOT, capture_output=True, text=True, check=False)
    assert second.returncode == 2
    assert "another 'kairos demo' runs" in second.stderr
