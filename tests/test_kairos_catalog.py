"""The verbs `catalog diff` and `catalog publish`, and what a running server makes of them."""

import json
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

import kairos
from features.log import Log
from features.workspace import Workspace, in_force
from features.yaml_nodes import WorkspaceError
from serving.clock import HeldClock
from tests import corner, worlds
from tests.worlds import NOW


@pytest.fixture
def brand(tmp_path: Path) -> Path:
    return corner.write_workspace(tmp_path / "brand")


def run(*words: str, brand: Path) -> str:
    ended = CliRunner().invoke(kairos.app, ["catalog", *words, "--workspace", str(brand)], catch_exceptions=False)
    assert ended.exit_code == 0
    return ended.stdout


def edit(brand: Path, old: str, new: str, *, file: str = "catalog.yaml") -> str:
    """The version of the workspace with this change in it."""
    path = brand / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return version(brand)


def version(brand: Path) -> str:
    return Workspace.load(brand).playbook.version


def test_what_is_published_first_is_said_and_then_there_is_nothing_to_do(brand: Path) -> None:
    first = version(brand)
    assert run("diff", brand=brand) == f"published nothing yet; the workspace is version {first}\n"
    assert run("publish", brand=brand) == f"published version {first}; before it nothing was\n"
    assert run("diff", brand=brand) == f"same      the workspace is version {first}, which is published\n"
    told = run("publish", brand=brand)
    assert told == f"published nothing to do: the workspace is version {first}, which is published\n"


def test_a_change_is_shown_then_published_with_who_and_why_and_then_gone(brand: Path) -> None:
    run("publish", brand=brand)
    first, second = version(brand), edit(brand, "value: 10.0", "value: 11.0")
    change = "changed   action bread: value 10.0 -> 11.0\n"
    assert run("diff", brand=brand) == f"version   {first} is published, the workspace is {second}\n{change}"
    told = run("publish", "--by", "Kim", "--why", "bread is dearer", brand=brand)
    assert told == f"published version {second}, by Kim; before it {first}\nbecause   bread is dearer\n{change}"
    assert "which is published" in run("diff", brand=brand)
    with closing(kairos.open_log(Workspace.load(brand))) as log:
        record = log.latest("catalog")
        assert record is not None and (record.body["by"], record.body["why"]) == ("Kim", "bread is dearer")
        assert log.verify().whole


def test_both_verbs_tell_machines(brand: Path) -> None:
    run("publish", brand=brand)
    first, second = version(brand), edit(brand, "budget: 3", "budget: 5")
    change = {"how": "changed", "what": "action", "name": "bread", "field": "budget", "before": "3", "after": "5"}
    assert json.loads(run("diff", "--json", brand=brand)) == {
        "published": first, "workspace": second, "differences": [change]
    }  # fmt: skip
    told = json.loads(run("publish", "--json", brand=brand))
    assert (told["version"], told["before"], told["is_new"], told["differences"]) == (second, first, True, [change])


@pytest.mark.parametrize("verb", ["diff", "publish"])
def test_a_faulty_workspace_is_told_and_nothing_is_published(verb: str, brand: Path) -> None:
    run("publish", brand=brand)
    first = version(brand)
    file = brand / "catalog.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("value: 10.0", "valeu: 10.0"), encoding="utf-8")
    ended = CliRunner().invoke(kairos.app, ["catalog", verb, "--workspace", str(brand)])
    assert isinstance(ended.exception, WorkspaceError) and "did you mean 'value'" in str(ended.exception)
    with closing(Log(f"sqlite:///{brand / '.kairos' / 'log.db'}")) as log:
        record = log.latest("catalog")
        assert record is not None and record.body["version"] == first


def test_a_published_version_that_this_code_cannot_read_is_replaced(brand: Path) -> None:
    with closing(Log(f"sqlite:///{brand / '.kairos' / 'log.db'}", folder=brand / ".kairos")) as log:
        texts = Workspace.load(brand).playbook.texts | {"brand.yaml": "name: Corner\nmotto: Fresh.\n"}
        body = json.dumps({"version": "newer", "files": texts}).encode()
        log.append([worlds.record("catalog", "catalog-newer", body, customer_id=None)])
    with pytest.raises(WorkspaceError, match="kairos catalog publish"):
        kairos.open_log(Workspace.load(brand))
    assert "changed   brand: motto Fresh. -> nothing" in run("diff", brand=brand)
    run("publish", brand=brand)
    kairos.open_log(Workspace.load(brand)).close()


def test_a_server_starts_on_what_is_published_though_the_files_are_half_edited(brand: Path) -> None:
    run("publish", brand=brand)
    first = version(brand)
    file = brand / "catalog.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("value: 10.0", "valeu: 10.0"), encoding="utf-8")
    place = Workspace(brand)
    with closing(kairos.open_log(place)) as log:
        clock = kairos.engine_clock(in_force(place, log).brand, log)
        with TestClient(kairos.application(place, log, clock)) as client:
            told = client.get("/health/ready").json()["parts"]["catalog"]
            assert (told["status"], told["published"]) == ("differs", first)
            assert "faulty" in told["workspace"] and "did you mean 'value'" in told["workspace"]
            decided = client.post("/v1/decisions", json={"customer_id": "anna", "touchpoint": "app"}).json()
            assert decided["catalog"] == first
    with closing(kairos.open_log(place)) as log:
        assert log.verify().whole


def until(true: Callable[[], bool]) -> None:
    for _ in range(1_000):
        if true():
            return
        time.sleep(0.02)
    raise AssertionError("it never came")


def test_a_running_server_takes_up_what_is_published_and_waits_where_profiles_are_others(
    brand: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.editions.LOOK_S", 0.01)
    log = kairos.open_log(Workspace.load(brand))
    with TestClient(kairos.application(Workspace.load(brand), log, HeldClock(NOW))) as client:

        def catalog() -> dict[str, str]:
            return client.get("/health/ready").json()["parts"]["catalog"]  # type: ignore[no-any-return]

        first = version(brand)
        assert catalog() == {"status": "ok", "published": first, "workspace": first}
        second = edit(brand, "phone: {title: Apologise", "phone: {title: Say sorry")
        assert catalog() == {"status": "differs", "published": first, "workspace": second}
        run("publish", brand=brand)
        until(lambda: catalog() == {"status": "ok", "published": second, "workspace": second})
        complaint = {"type": "track", "event": "Complaint Opened", "messageId": "m", "userId": "anna"}
        assert client.post("/v1/events", json={"batch": [complaint]}).status_code == 200
        decided = client.post("/v1/decisions", json={"customer_id": "anna", "touchpoint": "phone"}).json()
        assert (decided["catalog"], decided["results"][0]["message"]["title"]) == (second, "Say sorry")

        edit(brand, "unit: points}", "unit: stars}", file="profile.yaml")
        run("publish", brand=brand)
        until(lambda: catalog()["status"] == "refused")
        assert catalog()["published"] == second and "kairos features materialize" in catalog()["cause"]
    log.close()
