"""That the benchmarks run and keep what they find, at sizes at which their numbers mean nothing."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from benchmarks import __main__ as bench
from benchmarks import decide_world
from benchmarks.entry import Entry, less_is_better, more_is_better
from benchmarks.plot import growth_plot
from decisioning.chance import WHOLE
from tests.proofs.deciding import decided

KEYS = {"name", "unit", "kairos", "beside", "other", "ratio", "rounds"}


def _entry(name: str, *, kairos: float = 1.0, other: str = "the other") -> Entry:
    return less_is_better(name=name, unit="s", kairos=kairos, beside=2.0, other=other, rounds=1)


@pytest.mark.parametrize("subject", ["growth", "frame", "aggregates", "log_append", "group_commit", "visible", "decide_vw"])
def test_a_subject_runs_and_is_kept(subject: str, tmp_path: Path) -> None:
    found = bench.run([subject], "tiny", tmp_path)
    kept = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert kept == [asdict(one) for one in found]
    assert all(set(one) == KEYS and one["kairos"] > 0 and one["beside"] > 0 for one in kept)
    assert all(one.name in (tmp_path / "results.md").read_text(encoding="utf-8") for one in found)
    assert (tmp_path / "growth.png").exists() == (subject == "growth")


def test_the_decisions_that_are_timed_weigh_nearly_all_of_a_hundred_actions() -> None:
    for where, asked in decide_world.customers(3).items():
        for world in asked:
            decision = decided(world)
            assert len(decision.candidates) + len(decision.rejected) == decide_world.ACTIONS
            assert len(decision.candidates) > 80
            assert decision.nothing_units < WHOLE // 2
            assert (decision.results[0].send_at == world.now) == (where == "inbound")


def test_a_ratio_above_one_means_ours_is_better() -> None:
    sides = {"kairos": 2.0, "beside": 8.0, "other": "x", "unit": "u", "rounds": 1}
    assert less_is_better(name="time", **sides).ratio == 4.0  # type: ignore[arg-type]
    assert more_is_better(name="rate", **sides).ratio == 0.25  # type: ignore[arg-type]


def test_a_run_of_some_subjects_replaces_their_numbers_and_leaves_the_others(tmp_path: Path) -> None:
    before = [_entry("kept"), _entry("told anew")]
    (tmp_path / "results.json").write_text(json.dumps([asdict(one) for one in before]), encoding="utf-8")
    anew, other = _entry("told anew", kairos=4.0), _entry("told anew", other="another")
    assert bench._kept(tmp_path, [anew, other]) == [before[0], anew, other]


def test_the_plot_has_a_line_a_store_and_a_point_a_size() -> None:
    grown = [
        _entry(f"growth: {what} of {count} customers in {store}, 60 numbers", other="ours with 10,000 customers")
        for what in ("read one", "room of one")
        for count in ("100,000", "1,000,000")
        for store in ("SQLite", "Redis")
    ]
    plot = growth_plot([*grown, _entry("something else")])
    assert plot is not None
    panels = json.loads(plot.vega_lite)["hconcat"]
    for panel in panels:
        points = {(one["line"], one["x"]) for one in panel["data"]["values"]}
        assert points == {(store, count) for store in ("SQLite", "Redis") for count in (10_000, 100_000, 1_000_000)}
    assert len(panels) == 2
    assert growth_plot([_entry("something else")]) is None
