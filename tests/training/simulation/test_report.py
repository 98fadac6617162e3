import json

import pytest

from training.simulation import simulate as verb
from training.simulation.compare import ORACLE, SQUARECB, Settings, compared
from training.simulation.report import simulation

SETTINGS = Settings(seeds=2, customers=40, weeks=4, workers=2)


@pytest.fixture(scope="module")
def worlds():
    return compared(SETTINGS)


def test_the_table_has_a_row_for_every_policy_and_kind(worlds):
    lines = "\n".join(simulation(SETTINGS, worlds).lines())

    for name in (
        "Kairos",
        "VW SquareCB",
        "propensity only",
        "best static",
        "random",
        "informed",
        "oracle",
        "usual",
        "no uplift",
    ):
        assert f"\n{name} " in lines


def test_regret_is_what_the_oracle_earned_more(worlds):
    found = simulation(SETTINGS, worlds)

    assert found.policies[ORACLE].regret.mean == 0.0
    for one in found.policies.values():
        assert one.regret.mean == pytest.approx(found.policies[ORACLE].value.mean - one.value.mean)
        assert one.value.low <= one.value.mean <= one.value.high


def test_without_vowpal_wabbit_the_row_is_absent_and_the_cure_is_told(worlds):
    bare = []
    for one in worlds:
        paths = {name: path for name, path in one.paths.items() if name != SQUARECB}
        bare.append(type(one)(world=one.world, paths=paths, price=one.price, static=one.static, setting=""))
    lines = simulation(SETTINGS, bare).lines()

    assert not any(line.startswith(SQUARECB) for line in lines)
    assert "pip install 'kairos-nba[simulate]'" in lines[-1]


def test_all_numbers_and_the_plots_are_written(tmp_path, worlds, monkeypatch):
    monkeypatch.setattr(verb, "compared", lambda settings, progress: worlds)
    verb.simulate(SETTINGS, out=tmp_path)

    kept = json.loads((tmp_path / "simulation.json").read_text(encoding="utf-8"))
    assert [one["world"]["kind"] for one in kept["worlds"]] == ["usual", "no uplift"]
    assert len(kept["worlds"][0]["paths"]["Kairos"]["value"]) == SETTINGS.weeks
    for name in ("regret", "value_against_contacts", "who_was_reached"):
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_one_worker_finds_what_two_find(worlds):
    alone = compared(Settings(seeds=1, customers=40, weeks=4, workers=1))

    for name, path in alone[0].paths.items():
        assert path.value.tolist() == worlds[0].paths[name].value.tolist()
